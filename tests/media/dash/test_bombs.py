"""Manifests that say little and mean much cost what they say, wherever they are read."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

import pytest

from media.dash.to_hls import read_manifest
from media.hls.errors import PlaylistTooLarge
from media.hls.playlist import MediaPlaylist
from media.outbound.client import media_client
from media.outbound.guard import OutboundGuard
from media.playlists.loading import LARGE_MANIFEST_CHARS, MANIFEST_LIMITS, load_again, read_beside
from media.processes.run_once import Limits
from media.sources.direct import ManifestSource
from media.sources.source import SourceState
from tests.media.dash.bombs import BOMBS
from tests.media.dash.build import (
    PICTURE,
    SOUND,
    START,
    URL,
    adaptation_set,
    manifest,
    template,
    timeline,
)
from tests.media.dash.cost import cost_of
from tests.testkit.stand_ins import always, reply, scripted_server

MUCH = "<!--" + " much " * (LARGE_MANIFEST_CHARS // 6 + 1) + "-->"
LARGE = manifest(
    MUCH
    + adaptation_set(template(timeline('t="0" d="2" r="9"')) + PICTURE)
    + adaptation_set(template(timeline('t="0" d="2" r="9"')) + SOUND, "audio")
)


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_costs_in_proportion_to_its_length(name: str) -> None:
    text = BOMBS[name]
    began = time.process_time()
    cost = cost_of(text)
    assert cost.is_linear_in(text), cost
    assert time.process_time() - began < 10  # what expat does by itself calls nothing


async def test_no_bomb_holds_up_the_others() -> None:
    """Most are too large to be read in the event loop, and none may take it for long."""
    longest_sec, states = 0.0, list[SourceState]()

    async def tick() -> None:
        nonlocal longest_sec
        while True:
            began = time.thread_time()  # other processes may take the machine
            await asyncio.sleep(0.01)
            longest_sec = max(longest_sec, time.thread_time() - began)

    ticking = asyncio.create_task(tick())
    async with media_client(OutboundGuard(allow_private_networks=True)) as client:
        for text in BOMBS.values():
            async with scripted_server(always(reply(text.encode()))) as server:
                url = server.url(host="127.0.0.1")
                seen = await ManifestSource(url, client).observe_status()
            states.append(seen.state)
    ticking.cancel()
    assert longest_sec < 2
    assert set(states) <= {SourceState.NOT_OBSERVED, SourceState.LIVE, SourceState.UPCOMING}
    assert states.count(SourceState.NOT_OBSERVED) > len(BOMBS) / 2


async def test_a_manifest_is_not_read_for_each_of_its_representations() -> None:
    """None of which has begun: the look is over after the first few."""
    many = "".join(f'<Representation id="{number}"/>' for number in range(20))
    text = manifest(adaptation_set(template("", 'duration="2"') + many))
    ahead = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    answer = always(reply(text.replace(START.isoformat(), ahead).encode()))
    guard = OutboundGuard(allow_private_networks=True)
    async with media_client(guard) as client, scripted_server(answer) as server:
        seen = await ManifestSource(server.url(host="127.0.0.1"), client).observe_status()
    assert (seen.state, seen.reason) == (SourceState.UPCOMING, "no_segment")
    assert len(server.requests) <= 4


@pytest.mark.parametrize("fragment", ["", "#video=v", "#audio=a"])
async def test_a_large_manifest_says_the_same_as_if_it_were_small(fragment: str) -> None:
    assert len(LARGE) > LARGE_MANIFEST_CHARS
    small = LARGE.replace(MUCH, "")
    expected = read_manifest(small, URL, url=URL + fragment, now=datetime.now(UTC))
    read, read_sec = await read_beside(LARGE, URL, url=URL + fragment)
    assert read == expected
    assert read_sec > 0


async def test_a_day_of_segments_is_read_beside_the_event_loop() -> None:
    runs = timeline(*(f't="{180_180 * place}" d="180180"' for place in range(43_200)))
    text = manifest(adaptation_set(template(runs, 'timescale="90000"') + PICTURE))
    async with (
        media_client(OutboundGuard(allow_private_networks=True)) as client,
        scripted_server(always(reply(text.encode()))) as server,
    ):
        url = server.url(host="127.0.0.1")
        loaded = await load_again(client, f"{url}#video=v")
    assert isinstance(loaded.playlist, MediaPlaylist)
    assert [it.uri for it in loaded.playlist.segments][-1].endswith("/v/43200.m4s")
    assert loaded.is_large


async def test_a_large_manifest_is_refused_for_the_same_reason() -> None:
    with pytest.raises(PlaylistTooLarge, match="representations"):
        await read_beside(LARGE.replace(PICTURE, PICTURE * 300), URL, url=URL)


@pytest.mark.parametrize(
    "limits",
    [
        pytest.param({"memory_bytes": 40_000_000}, id="memory"),
        pytest.param({"wall_sec": 0.001}, id="time"),
        pytest.param({"output_bytes": 100}, id="output"),
    ],
)
async def test_what_cannot_be_read_within_its_limits_is_refused(limits: dict[str, int]) -> None:
    changed = {
        **{name: getattr(MANIFEST_LIMITS, name) for name in MANIFEST_LIMITS.__dataclass_fields__},
        **limits,
    }
    with pytest.raises(PlaylistTooLarge):
        await read_beside(LARGE + MUCH * 200, URL, url=URL, limits=Limits(**changed))
