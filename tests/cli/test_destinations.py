"""`stream-tracker destinations` and `silences` against a gateway."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from api.store import open_store
from tests.testkit.gateway import KEY, Running, running_gateway


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Running]:
    url = f"sqlite:///{tmp_path}/gateway.db"
    async with open_store(url):
        pass
    async with running_gateway(url) as running:
        yield running


async def command(gateway: Running, *arguments: str) -> tuple[int | None, list[str]]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cli", *arguments, "--url", str(gateway.client.base_url)),
        env={**os.environ, "API_KEY": KEY},
        cwd=Path(__file__).parents[2],
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return process.returncode, said.decode().splitlines()


async def test_a_destination_is_added_listed_and_removed(gateway: Running, tmp_path: Path) -> None:
    (tmp_path / "url").write_text("https://hooks.example/secret\n")
    code, said = await command(
        *(gateway, "destinations", "add", "Ops", "webhook", f"@{tmp_path}/url"),
        *("--event", "alert.*", "--ed25519"),
    )
    assert code == 0, said
    destination_id, secret, public_key = said
    assert secret.startswith("whsec_")
    assert public_key.startswith("whpk_")
    code, said = await command(gateway, "destinations", "list")
    assert said[1].split() == [
        *("Ops", "webhook", "yes", "alert.*", destination_id, "https://hooks.example/***")
    ]
    stream = "https://media.example/live.m3u8"
    code, said = await command(
        gateway, "monitors", "add", stream, "--destination", destination_id[:16]
    )
    assert code == 0, said
    assert (await gateway.show(said[0]))["destinations"] == [destination_id]
    assert await command(gateway, "destinations", "remove", destination_id[4:]) == (0, ["removed"])
    code, said = await command(gateway, "destinations", "remove", "dst-0")
    assert code == 2


async def test_a_silence_is_added_listed_and_ended(gateway: Running) -> None:
    code, said = await command(
        gateway, "silences", "add", "30", "--label", "site:tokyo", "--note", "Encoders"
    )
    assert code == 0, said
    (silence_id,) = said
    code, said = await command(gateway, "silences", "list")
    assert said[1].startswith("site:tokyo")
    assert silence_id in said[1]
    assert await command(gateway, "silences", "remove", silence_id) == (0, ["ended"])
    code, said = await command(gateway, "silences", "list")
    assert len(said) == 1
    assert (await command(gateway, "silences", "add", "30"))[0] == 1
