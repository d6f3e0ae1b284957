"""`stream-tracker capsule`: what a capsule proves."""

import asyncio
import base64
import binascii
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

import httpx
import typer

from cli.command import (
    FAILED,
    LOCAL_GATEWAY,
    MISUSED,
    AsJson,
    GatewayUrl,
    fail,
    printable,
    run,
    settings,
)
from evidence.capsule.archive import InvalidCapsule
from runtime.settings import StreamSettings

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from media.decoding.probe import Probe

KEYS_PATH = "/api/v1/keys"
MOST_KEY_BYTES = 64 * 1024
ANSWER_SEC = 10.0

Files = Annotated[list[Path], typer.Argument(metavar="FILE...", help="Capsules.")]

app = typer.Typer(help="Verify capsules of incidents, and judge these again.", no_args_is_help=True)


@app.command()
def verify(
    files: Files,
    key: Annotated[
        str,
        typer.Option(help="File or URL of public keys: PEM, or the JSON of /api/v1/keys."),
    ] = "",
    url: GatewayUrl = LOCAL_GATEWAY,
    as_json: AsJson = False,
) -> None:
    """Check that no byte of a capsule was changed since the service signed it.

    Exit codes: 0 all are genuine; 1 one is not; 2 there is no such file or key.
    """
    keys = _public_keys(key or url.rstrip("/") + KEYS_PATH)
    answers = [_verified(path, keys) for path in files]
    for answer in answers:
        typer.echo(json.dumps(answer) if as_json else _verified_text(answer))
    if not all(answer["genuine"] for answer in answers):
        raise typer.Exit(FAILED)


@app.command()
def replay(files: Files, as_json: AsJson = False) -> None:
    """Judge the incident of a capsule again, from its segments, and compare the events.

    Exit codes: 0 all events are identical; 1 one is not, or its capsule cannot be replayed; 2 there
    is no such file.
    """
    run(_replay_all(files, as_json=as_json))


def _verified(path: Path, keys: "list[Ed25519PublicKey]") -> dict[str, Any]:
    from evidence.capsule.manifest import key_id_of, verify_capsule

    with _opened(path) as file:
        try:
            manifest, signer = verify_capsule(file, keys)
        except InvalidCapsule as error:
            return {"file": str(path), "genuine": False, "problem": str(error)}
    told = manifest.model_dump(mode="json", exclude={"files"})
    return {"file": str(path), "genuine": True, "key_id": key_id_of(signer), **told}


def _verified_text(answer: dict[str, Any]) -> str:
    name = printable(answer["file"])
    if not answer["genuine"]:
        return f"{name}: NOT GENUINE: {printable(answer['problem'])}"
    told = ("event_type", "incident_id", "monitor_id", "stream", "created_at", "release")
    lines = [f"  {field}: {printable(str(answer[field]))}" for field in told]
    return "\n".join([f"{name}: genuine, signed by key {answer['key_id']}", *lines])


async def _replay_all(files: list[Path], *, as_json: bool) -> None:
    from worker.probe_setup import open_worker_probe

    is_good = True
    async with open_worker_probe(settings(StreamSettings)) as probe:
        for path in files:
            answer = await _replayed(path, probe.probe)
            typer.echo(json.dumps(answer) if as_json else _replayed_text(answer))
            is_good &= answer["identical"]
    if not is_good:
        raise typer.Exit(FAILED)


async def _replayed(path: Path, probe: "Probe") -> dict[str, Any]:
    from evidence.capsule.contents import Capsule
    from evidence.capsule.replay import replay as replayed

    with _opened(path) as file:
        try:
            capsule = await asyncio.to_thread(Capsule, file)
            result = await replayed(capsule, probe)
        except InvalidCapsule as error:
            return {"file": str(path), "identical": False, "problem": str(error)}
    told = result.replayed
    return {
        "file": str(path),
        "identical": result.is_identical,
        "event_type": capsule.event.draft.event_type,
        "data": json.loads(result.recorded),
        "replayed": None if told is None else json.loads(told),
        "differences": result.differences,
        "decoded": result.decoded,
        "not_kept": result.not_kept,
        "made_with": capsule.versions,
    }


def _replayed_text(answer: dict[str, Any]) -> str:
    name = printable(answer["file"])
    if problem := answer.get("problem"):
        return f"{name}: cannot be replayed: {printable(problem)}"
    data = printable(json.dumps(answer["data"], ensure_ascii=False))
    lines = [
        f"{name}: {'identical' if answer['identical'] else 'DIFFERENT'}: {answer['event_type']}",
        f"  recorded: {data}",
    ]
    if not answer["identical"]:
        again = printable(json.dumps(answer["replayed"], ensure_ascii=False))
        made_with = ", ".join(f"{name} {it}" for name, it in answer["made_with"].items())
        lines += [f"  replayed: {again}", f"  made with: {printable(made_with)}"]
    lines += [f"  differs: {printable(each)}" for each in answer["differences"]]
    lines.append(f"  segments decoded again: {answer['decoded']}")
    if answer["not_kept"]:
        lines.append(f"  segments taken as measured, since not kept: {answer['not_kept']}")
    return "\n".join(lines)


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        file = path.open("rb")
    except OSError as error:
        fail(f"{path}: {error.strerror}", MISUSED)
    with file:
        yield file


def _public_keys(place: str) -> "list[Ed25519PublicKey]":
    """Return the keys that a file or a URL holds, as PEM or as a JSON Web Key Set."""
    try:
        keys = _parsed_keys(_key_text(place))
    except (OSError, httpx.HTTPError, httpx.InvalidURL) as error:
        fail(f"{place}: no keys can be read ({type(error).__name__})", MISUSED)
    except (ValueError, TypeError, LookupError, binascii.Error):
        fail(f"{place}: holds no Ed25519 public key", MISUSED)
    if not keys:
        fail(f"{place}: holds no Ed25519 public key", MISUSED)
    return keys


def _key_text(place: str) -> bytes:
    if not place.startswith(("http://", "https://")):
        with Path(place).open("rb") as file:
            return file.read(MOST_KEY_BYTES)
    answer = httpx.get(place, timeout=ANSWER_SEC, trust_env=False)
    answer.raise_for_status()
    return answer.content[:MOST_KEY_BYTES]


def _parsed_keys(text: bytes) -> "list[Ed25519PublicKey]":
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    if text.lstrip().startswith(b"-----BEGIN"):
        key = load_pem_public_key(text)
        return [key] if isinstance(key, Ed25519PublicKey) else []
    raw = [_base64url(each["x"]) for each in json.loads(text)["keys"]]
    return [Ed25519PublicKey.from_public_bytes(each) for each in raw]


def _base64url(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
