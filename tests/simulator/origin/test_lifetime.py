"""Starting and stopping leaves nothing behind, and many channels cost little."""

import asyncio
import socket
import sys
from pathlib import Path

import httpx
import psutil
import pytest

from simulator.origin import ChannelOptions, Fault, LiveOrigin, ManualClock, RenderedProgramme
from tests.simulator.origin.loose_playlist import fetch


def port_of(origin: LiveOrigin) -> int:
    return int(origin.base_url.rpartition(":")[2])


@pytest.mark.parametrize("kind", ["hang", "endless", "drip", "delay"])
async def test_stopping_cuts_what_is_being_answered(
    clock: ManualClock, client: httpx.AsyncClient, tiny: RenderedProgramme, kind: str
) -> None:
    async with LiveOrigin(clock=clock) as origin:
        channel = origin.add("a", tiny)
        channel.fault(Fault(kind=kind, target="any", bytes_per_sec=10))
        asked = asyncio.Event()
        origin.on_request = lambda _: asked.set()
        asking = asyncio.create_task(_consume(client, channel.url))
        await asked.wait()
    with pytest.raises(httpx.TransportError):
        await asking
    await client.aclose()
    assert asyncio.all_tasks() == {asyncio.current_task()}
    with socket.socket() as again:
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind(("127.0.0.1", port_of(origin)))


async def _consume(client: httpx.AsyncClient, url: str) -> None:
    async with client.stream("GET", url) as answer:
        async for _ in answer.aiter_raw():
            pass


async def test_no_process_is_left(origin: LiveOrigin, tiny: RenderedProgramme) -> None:
    origin.add("a", tiny)
    await origin.stop()
    names = [child.name() for child in psutil.Process().children(recursive=True)]
    assert not [name for name in names if name.startswith("ffmpeg")]


async def test_an_outage_refuses_connections_and_ends(
    origin: LiveOrigin, clock: ManualClock, client: httpx.AsyncClient, tiny: RenderedProgramme
) -> None:
    channel = origin.add("a", tiny)
    await origin.stop()
    with pytest.raises(httpx.ConnectError):
        await client.get(channel.url)
    clock.advance(3)
    await origin.start()
    assert (await fetch(client, channel.url)).sequences == [0, 1, 2, 3, 4, 5]


async def test_a_taken_port_is_told(origin: LiveOrigin) -> None:
    with pytest.raises(OSError, match="in use"):
        await LiveOrigin(port=port_of(origin)).start()


async def test_a_channel_needs_a_started_origin(tiny: RenderedProgramme) -> None:
    with pytest.raises(RuntimeError, match="start the origin"):
        LiveOrigin().add("a", tiny)


async def test_a_hundred_channels_share_one_copy_of_the_media(
    origin: LiveOrigin, client: httpx.AsyncClient, tiny: RenderedProgramme, clock: ManualClock
) -> None:
    options = ChannelOptions(backlog_segments=1)
    channels = [origin.add(f"c{number}", tiny, options=options) for number in range(100)]
    clock.advance(5)
    playlists = await asyncio.gather(*(fetch(client, channel.url) for channel in channels))
    assert {tuple(playlist.sequences) for playlist in playlists} == {(0, 1, 2, 3, 4, 5)}


async def test_the_origin_runs_by_itself(tmp_path: Path) -> None:
    """`python -m simulator.origin` prints its URLs, serves, and leaves on SIGTERM with status 0."""
    arguments = ["--scene", "normal:2", "--size", "tiny", "--cache", str(tmp_path)]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "simulator.origin",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[3],
    )
    assert process.stdout
    line = (await process.stdout.readline()).decode()
    url = line.split()[-1]
    async with httpx.AsyncClient(trust_env=False) as http:
        assert (await fetch(http, url)).sequences == [0, 1, 2]
    process.terminate()
    rest, _ = await process.communicate()
    assert process.returncode == 0, rest
