"""Sound comes apart from the picture, or with it, in the middle of a stream."""

import json
from datetime import UTC, datetime

import pytest

from media.watch.state import AUDIO, MAIN, WatchState
from monitors.detectors.faults import FaultRun
from monitors.detectors.media import Track
from monitors.status import Health, IncidentKind
from tests.media.watch.test_youtube_stream import VIDEO_ID, seen_at_least, viewer_of
from tests.youtube import Layout, YouTubeSite

AT = datetime(2026, 5, 1, tzinfo=UTC)
MUXED: dict[str, frozenset[Track]] = {MAIN: frozenset({"video", "audio"})}
SPLIT: dict[str, frozenset[Track]] = {MAIN: frozenset({"video"}), AUDIO: frozenset({"audio"})}


@pytest.mark.parametrize(
    ("before", "after"),
    [pytest.param("muxed", "split", id="apart"), pytest.param("split", "muxed", id="together")],
)
async def test_no_segment_is_measured_twice_or_lost(before: str, after: str) -> None:
    async with YouTubeSite() as site, viewer_of(site) as viewer:
        video = site.video(VIDEO_ID)
        video.layout = Layout(before)
        video.go_live(backlog=3)
        await viewer.until(seen_at_least(4))
        video.layout = Layout(after)
        await viewer.until(seen_at_least(len(viewer.seen) + 8))
        assert viewer.sequences() == list(range(len(viewer.sequences())))
        assert len(set(viewer.sequences("audio"))) == len(viewer.sequences("audio"))
        assert viewer.types == []


@pytest.mark.parametrize(
    ("before", "after"),
    [pytest.param(MUXED, SPLIT, id="apart"), pytest.param(SPLIT, MUXED, id="together")],
)
def test_what_was_detected_goes_with_what_it_is_of(
    before: dict[str, frozenset[Track]], after: dict[str, frozenset[Track]]
) -> None:
    state = WatchState()
    state.carry(before)
    for track in state.tracks.values():
        track.detectors.next_start_sec = track.stream_sec = 60.0
    state.tracks[MAIN].detectors.blackout.run = FaultRun(started_at=AT, is_open=True)
    heard = state.tracks.get(AUDIO, state.tracks[MAIN]).detectors
    heard.silence.run = FaultRun(started_at=AT, is_open=True)
    state.carry(after)
    state = WatchState.model_validate(json.loads(state.model_dump_json()))
    assert state.open_incidents() == {IncidentKind.BLACKOUT: AT, IncidentKind.SILENCE: AT}
    assert (state.health().video, state.health().audio) == (Health.ERROR, Health.ERROR)
    assert {track.stream_sec for track in state.tracks.values()} == {60.0}
    assert {name: track.detectors.tracks for name, track in state.tracks.items()} == after
