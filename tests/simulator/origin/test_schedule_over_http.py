"""What a player sees of a channel while the clock goes on."""

from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from simulator.origin import (
    AtEnd,
    Change,
    ChannelOptions,
    LiveOrigin,
    ManualClock,
    RenderedProgramme,
    Tracks,
    render,
)
from simulator.origin.clock import as_datetime
from tests.simulator.origin.loose_playlist import attribute, fetch

EMPTY = ChannelOptions(backlog_segments=0, window_segments=3)


async def test_segments_appear_when_their_duration_has_elapsed(
    origin: LiveOrigin, clock: ManualClock, client: httpx.AsyncClient, tiny: RenderedProgramme
) -> None:
    channel = origin.add("a", tiny, options=EMPTY)
    assert (await fetch(client, channel.url)).sequences == []
    clock.advance(0.99)
    assert (await fetch(client, channel.url)).sequences == []
    clock.advance(0.01)
    assert (await fetch(client, channel.url)).sequences == [0]
    clock.advance(4)
    assert (await fetch(client, channel.url)).sequences == [2, 3, 4]


async def test_the_backlog_is_there_at_once(
    origin: LiveOrigin, client: httpx.AsyncClient, tiny: RenderedProgramme
) -> None:
    channel = origin.add("a", tiny, options=ChannelOptions(backlog_segments=20))
    playlist = await fetch(client, channel.url)
    assert playlist.sequences == [14, 15, 16, 17, 18, 19]
    assert playlist.tags["#EXT-X-TARGETDURATION"] == "1"


async def test_a_segment_carries_the_media_and_the_wall_clock_of_its_first_frame(
    origin: LiveOrigin, clock: ManualClock, client: httpx.AsyncClient, tiny: RenderedProgramme
) -> None:
    started = as_datetime(clock.now())
    channel = origin.add("a", tiny, options=EMPTY)
    clock.advance(2)
    second = (await fetch(client, channel.url)).segments[1]
    assert (await client.get(second.url)).content == tiny.segments[1].data
    assert second.date_time == "2027-01-15T08:00:01.000Z"
    assert channel.captured_at(1.0) == started + timedelta(seconds=1)
    assert channel.published_at(1) == started + timedelta(seconds=2)
    with pytest.raises(KeyError):
        channel.published_at(2)


async def test_without_program_date_time_no_segment_carries_one(
    origin: LiveOrigin, client: httpx.AsyncClient, tiny: RenderedProgramme
) -> None:
    channel = origin.add("a", tiny, options=ChannelOptions(program_date_time=False))
    assert "DATE-TIME" not in (await client.get(channel.url)).text


async def test_a_loop_is_a_discontinuity_that_is_counted_when_it_leaves(
    origin: LiveOrigin, clock: ManualClock, client: httpx.AsyncClient, tiny: RenderedProgramme
) -> None:
    channel = origin.add("a", tiny, options=EMPTY)
    clock.advance(9)
    playlist = await fetch(client, channel.url)
    assert [each.discontinuity for each in playlist.segments] == [False, False, True]
    assert "#EXT-X-DISCONTINUITY-SEQUENCE" not in playlist.tags
    assert (await client.get(playlist.segments[2].url)).content == tiny.segments[0].data
    clock.advance(2)
    assert (await fetch(client, channel.url)).tags["#EXT-X-DISCONTINUITY-SEQUENCE"] == "0"
    clock.advance(1)
    assert (await fetch(client, channel.url)).tags["#EXT-X-DISCONTINUITY-SEQUENCE"] == "1"


@pytest.mark.parametrize(
    ("at_end", "ended"),
    [pytest.param(AtEnd.END, True, id="end"), pytest.param(AtEnd.STALL, False, id="stall")],
)
async def test_a_programme_that_does_not_loop_stops(
    origin: LiveOrigin,
    clock: ManualClock,
    client: httpx.AsyncClient,
    tiny: RenderedProgramme,
    at_end: AtEnd,
    ended: bool,
) -> None:
    options = ChannelOptions(backlog_segments=0, window_segments=3, at_end=at_end)
    channel = origin.add("a", tiny, options=options)
    clock.advance(7.5)
    assert not (await fetch(client, channel.url)).is_ended
    clock.advance(60)
    playlist = await fetch(client, channel.url)
    assert (playlist.sequences, playlist.is_ended) == ([5, 6, 7], ended)


async def test_segments_out_of_the_window_are_served_for_a_while(
    origin: LiveOrigin, clock: ManualClock, client: httpx.AsyncClient, tiny: RenderedProgramme
) -> None:
    options = ChannelOptions(backlog_segments=1, window_segments=2, kept_segments=1)
    channel = origin.add("a", tiny, options=options)
    first = (await fetch(client, channel.url)).segments[0].url
    clock.advance(2)
    assert (await client.get(first)).status_code == 200
    clock.advance(1)
    assert (await client.get(first)).status_code == 404
    assert (await client.get(first.replace("g0-0", "g0-99"))).status_code == 404


async def test_fragmented_mp4_names_its_init_segment(
    origin: LiveOrigin, client: httpx.AsyncClient, tiny_fmp4: RenderedProgramme
) -> None:
    channel = origin.add("a", tiny_fmp4)
    answer = await client.get(channel.url)
    (uri,) = attribute(answer.text, "URI")
    init = await client.get(f"{channel.url.removesuffix('index.m3u8')}{uri}")
    assert init.content[4:8] == b"ftyp"
    segment = (await fetch(client, channel.url)).segments[0]
    assert (await client.get(segment.url)).content == tiny_fmp4.segments[0].data


@pytest.mark.parametrize("kind", ["tiny", "tiny_fmp4"])
async def test_byte_ranges_cut_segments_out_of_one_file(
    origin: LiveOrigin, client: httpx.AsyncClient, request: pytest.FixtureRequest, kind: str
) -> None:
    rendered: RenderedProgramme = request.getfixturevalue(kind)
    channel = origin.add("a", rendered, options=ChannelOptions(byte_range=True))
    second = (await fetch(client, channel.url)).segments[1]
    assert second.byte_range is not None
    length, offset = map(int, second.byte_range.split("@"))
    asked = {"Range": f"bytes={offset}-{offset + length - 1}"}
    answer = await client.get(second.url, headers=asked)
    assert (answer.status_code, answer.content) == (206, rendered.segments[1].data)
    assert origin.log[-1].sequence == 1


async def test_the_master_playlist_lists_variants_and_split_sound(
    origin: LiveOrigin, client: httpx.AsyncClient, tiny: RenderedProgramme, cache: Path
) -> None:
    encoding = tiny.programme.encoding
    video, audio = (
        render(tiny.programme.with_encoding(encoding.model_copy(update={"tracks": tracks})), cache)
        for tracks in (Tracks.VIDEO, Tracks.AUDIO)
    )
    channel = origin.add("a", video, video, audio=audio)
    text = (await client.get(channel.master_url)).text
    assert attribute(text, "RESOLUTION") == ["128x72", "128x72"]
    assert attribute(text, "URI") == ["audio/index.m3u8"]
    base = channel.master_url.removesuffix("master.m3u8")
    for uri in ("v0/index.m3u8", "v1/index.m3u8", "audio/index.m3u8"):
        playlist = await fetch(client, base + uri)
        assert playlist.sequences == [0, 1, 2]
        assert (await client.get(playlist.segments[0].url)).status_code == 200


async def test_playlists_are_compressed_and_conditional(
    origin: LiveOrigin, clock: ManualClock, client: httpx.AsyncClient, tiny: RenderedProgramme
) -> None:
    channel = origin.add("a", tiny)
    first = await client.get(channel.url)
    assert first.headers["content-encoding"] == "gzip"
    plain = await client.get(channel.url, headers={"Accept-Encoding": "identity"})
    assert ("content-encoding" in plain.headers, plain.text) == (False, first.text)
    known = {"If-None-Match": first.headers["etag"]}
    assert (await client.get(channel.url, headers=known)).status_code == 304
    clock.advance(1)
    assert (await client.get(channel.url, headers=known)).status_code == 200


async def test_a_scripted_stall_delays_what_follows(
    origin: LiveOrigin, clock: ManualClock, client: httpx.AsyncClient, tiny: RenderedProgramme
) -> None:
    stall = Change(kind="stall", at_sec=2.5, for_sec=10)
    channel = origin.add("a", tiny, options=EMPTY, changes=[stall])
    clock.advance(12.9)
    assert (await fetch(client, channel.url)).sequences == [0, 1]
    assert channel.position_sec == pytest.approx(2.9)
    clock.advance(0.1)
    playlist = await fetch(client, channel.url)
    assert playlist.sequences == [0, 1, 2]
    assert playlist.segments[2].date_time == "2027-01-15T08:00:12.000Z"


async def test_a_stall_switched_by_hand_may_catch_up(
    origin: LiveOrigin, clock: ManualClock, client: httpx.AsyncClient, tiny: RenderedProgramme
) -> None:
    channel = origin.add("a", tiny, options=EMPTY)
    clock.advance(2)
    channel.stall()
    clock.advance(3)
    assert (await fetch(client, channel.url)).sequences == [0, 1]
    channel.resume(catch_up=True)
    assert (await fetch(client, channel.url)).sequences == [2, 3, 4]
    assert channel.published_at(2) == channel.published_at(4) == as_datetime(clock.now())


async def test_a_restart_numbers_from_zero_with_new_uris(
    origin: LiveOrigin, clock: ManualClock, client: httpx.AsyncClient, tiny: RenderedProgramme
) -> None:
    channel = origin.add("a", tiny, options=EMPTY)
    clock.advance(5)
    before = await fetch(client, channel.url)
    channel.restart()
    clock.advance(1)
    after = await fetch(client, channel.url)
    assert (before.sequences, after.sequences) == ([2, 3, 4], [0])
    assert after.segments[0].url not in {each.url for each in before.segments}
    assert (await client.get(after.segments[0].url)).content == tiny.segments[5].data


async def test_a_jump_moves_the_numbers(
    origin: LiveOrigin, clock: ManualClock, client: httpx.AsyncClient, tiny: RenderedProgramme
) -> None:
    jump = Change(kind="jump", at_sec=2, by=100)
    channel = origin.add("a", tiny, options=EMPTY, changes=[jump])
    clock.advance(4)
    assert (await fetch(client, channel.url)).sequences == [102, 103]


async def test_an_end_is_announced(
    origin: LiveOrigin, clock: ManualClock, client: httpx.AsyncClient, tiny: RenderedProgramme
) -> None:
    scripted = origin.add("a", tiny, options=EMPTY, changes=[Change(kind="end", at_sec=2)])
    by_hand = origin.add("b", tiny, options=EMPTY)
    clock.advance(2)
    by_hand.end()
    clock.advance(5)
    for channel in (scripted, by_hand):
        playlist = await fetch(client, channel.url)
        assert (playlist.sequences, playlist.is_ended) == ([0, 1], True)


async def test_scenes_are_told_in_wall_clock_over_loops(
    origin: LiveOrigin, clock: ManualClock, tiny: RenderedProgramme
) -> None:
    started = as_datetime(clock.now())
    channel = origin.add("a", tiny, options=EMPTY)
    clock.advance(12)
    first, second = channel.scenes_on_air("black")
    assert (first.started_at, first.ended_at) == (
        started + timedelta(seconds=2.5),
        started + timedelta(seconds=5.5),
    )
    assert second.started_at == started + timedelta(seconds=10.5)
    assert channel.available_at(first.start_sec) == started + timedelta(seconds=3)


async def test_a_stream_that_ended_shows_no_scene_again(
    origin: LiveOrigin, clock: ManualClock, tiny: RenderedProgramme
) -> None:
    channel = origin.add("a", tiny, options=EMPTY.model_copy(update={"at_end": AtEnd.END}))
    clock.advance(12)
    assert len(channel.scenes_on_air("black")) == 1
