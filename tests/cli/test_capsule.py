"""What `stream-tracker capsule` says, and how it exits."""

import asyncio
import base64
import io
import json
import random
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from typer.testing import CliRunner

from cli.main import app
from evidence.capsule.archive import read_archive
from evidence.capsule.manifest import read_manifest, sign_capsule
from tests.testkit.engines import opened
from tests.testkit.scripted_watch import ScriptedWatch, random_config, random_programme

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


async def first_capsule() -> bytes:
    chance = random.Random(5)
    async with opened(with_loudness=False) as probe:
        watch = ScriptedWatch(probe, random_programme(chance), random_config(chance), chance)
        return await anext(each.capsule async for each in watch.incidents())


@pytest.fixture(scope="module")
def capsule(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = io.BytesIO(asyncio.run(first_capsule()))
    manifest, _ = read_manifest(file, read_archive(file))
    ids = manifest.model_dump(include={"evidence_id", "incident_id", "monitor_id"})
    sign_capsule(file, KEY, **ids)
    path = tmp_path_factory.mktemp("capsule") / "incident.zip"
    path.write_bytes(file.getvalue())
    return path


@pytest.fixture(scope="module")
def keys(capsule: Path) -> dict[str, Path]:
    """A key as PEM, and as the gateway tells it."""
    public = KEY.public_key()
    pem, listed = capsule.with_name("key.pem"), capsule.with_name("keys.json")
    pem.write_bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    text = base64.urlsafe_b64encode(public.public_bytes_raw()).rstrip(b"=").decode()
    listed.write_text(json.dumps({"keys": [{"x": text}]}))
    return {"pem": pem, "json": listed}


@pytest.mark.parametrize("form", ["pem", "json"])
def test_a_genuine_capsule_exits_with_0(capsule: Path, keys: dict[str, Path], form: str) -> None:
    told = CliRunner().invoke(
        app, ["capsule", "verify", str(capsule), "--key", str(keys[form]), "--json"]
    )
    assert told.exit_code == 0, told.output
    answer = json.loads(told.stdout)
    assert answer["genuine"]
    assert answer["incident_id"].startswith("inc-")


def test_a_changed_one_exits_with_1(capsule: Path, keys: dict[str, Path]) -> None:
    changed = capsule.with_name("changed.zip")
    data = bytearray(capsule.read_bytes())
    data[len(data) // 2] ^= 1
    changed.write_bytes(data)
    told = CliRunner().invoke(app, ["capsule", "verify", str(changed), "--key", str(keys["pem"])])
    assert told.exit_code == 1
    assert "NOT GENUINE" in told.output


def test_without_a_file_or_a_key_it_exits_with_2(capsule: Path, keys: dict[str, Path]) -> None:
    nowhere = str(capsule.with_name("nothing"))
    for arguments in (
        ["verify", nowhere, "--key", str(keys["pem"])],
        ["verify", str(capsule), "--key", nowhere],
        ["verify", str(capsule), "--key", str(capsule)],
        ["verify", str(capsule), "--key", "http://127.0.0.1:1/keys"],
        ["replay", nowhere],
    ):
        assert CliRunner().invoke(app, ["capsule", *arguments]).exit_code == 2, arguments


def test_a_replay_shows_the_event(capsule: Path) -> None:
    told = CliRunner().invoke(app, ["capsule", "replay", str(capsule)])
    assert told.exit_code == 0, told.output
    assert "identical: " in told.output
    assert "segments decoded again: " in told.output


def test_what_is_no_capsule_cannot_be_replayed(keys: dict[str, Path]) -> None:
    told = CliRunner().invoke(app, ["capsule", "replay", str(keys["pem"]), "--json"])
    assert told.exit_code == 1
    assert "problem" in json.loads(told.stdout)
