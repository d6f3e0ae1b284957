"""Sound that comes apart from the picture in the middle of a stream, or stands still alone."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from media.watching.state import AUDIO, MAIN, WatchState
from monitors.config import MonitorConfig
from monitors.detectors.fault_detector import Fault
from monitors.measurement import Track
from monitors.status import Health
from simulator.youtube import Layout, RequestKind, SimulatedYouTube, SiteFault
from tests.media.watching.test_youtube_stream import VIDEO_ID, seen_at_least, told, viewer_of

AT = datetime(2026, 5, 1, tzinfo=UTC)
MUXED: dict[str, frozenset[Track]] = {MAIN: frozenset({"video", "audio"})}
SPLIT: dict[str, frozenset[Track]] = {MAIN: frozenset({"video"}), AUDIO: frozenset({"audio"})}


@pytest.mark.parametrize(
    ("before", "after"),
    [pytest.param("muxed", "split", id="apart"), pytest.param("split", "muxed", id="together")],
)
async def test_no_segment_is_measured_twice_or_lost(before: str, after: str) -> None:
    async with SimulatedYouTube() as site, viewer_of(site) as viewer:
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
    state.tracks[MAIN].detectors.video.blackout.fault = Fault(started_at=AT, is_open=True)
    heard = state.tracks.get(AUDIO, state.tracks[MAIN]).detectors
    heard.silence.faults.fault = Fault(started_at=AT, is_open=True)
    state.carry(after)
    state = WatchState.model_validate(json.loads(state.model_dump_json()))
    assert (state.health().video, state.health().audio) == (Health.ERROR, Health.ERROR)
    assert {track.stream_sec for track in state.tracks.values()} == {60.0}
    assert {name: track.detectors.tracks for name, track in state.tracks.items()} == after


async def test_a_playlist_of_sound_that_cannot_be_loaded_is_an_error_and_no_silence() -> None:
    lost = SiteFault(kinds=frozenset({RequestKind.PLAYLIST}), itag=233, status=500)
    async with SimulatedYouTube() as site, viewer_of(site) as viewer:
        viewer.config = MonitorConfig(segment_error_threshold_sec=6, silence_threshold_sec=4)
        video = site.video(VIDEO_ID)
        video.layout = Layout.SPLIT
        video.go_live(backlog=3)
        await viewer.until(seen_at_least(8))
        site.faults.add(lost)
        await viewer.until(told("alert.segment_error"))
        site.faults.remove(lost)
        await viewer.until(told("alert.segment_error_recovered"))
        assert viewer.types == ["alert.segment_error", "alert.segment_error_recovered"]
        for track in ("main", "audio"):
            assert viewer.sequences(track) == list(range(len(viewer.sequences(track))))


@pytest.mark.parametrize("failing", [MAIN, AUDIO])
def test_a_track_that_stands_still_hides_no_errors_of_the_other(failing: str) -> None:
    """Each segment of the one is seen at once and fails a moment later."""
    state = WatchState()
    thresholds = MonitorConfig(suspend_threshold_sec=10, segment_error_threshold_sec=30)
    state.carry(SPLIT)
    for half_sec in range(120):
        at = AT + timedelta(seconds=half_sec / 2)
        for name in state.tracks:
            has_new = name == failing and half_sec % 4 == 0
            state.note(
                state.observe_stall(has_new=has_new, at=at, thresholds=thresholds), at, thresholds
            )
            if has_new:
                state.note(state.segment_errors.failed("HTTP 404", at, thresholds), at, thresholds)
    types = {each.event_type.value: each.data for each in state.pending_events}
    assert list(types) == ["alert.segment_error"]
    assert types["alert.segment_error"]["duration_sec"] == 30


def test_errors_do_not_grow_while_every_track_stands_still() -> None:
    state = WatchState()
    thresholds = MonitorConfig(suspend_threshold_sec=10, segment_error_threshold_sec=30)
    state.carry(SPLIT)
    for sec in range(0, 120, 2):
        at = AT + timedelta(seconds=sec)
        for name in state.tracks:
            # One of them is a segment ahead when both stop.
            has_new = sec < 8 or (sec == 8 and name == MAIN) or sec >= 100
            state.note(
                state.observe_stall(has_new=has_new, at=at, thresholds=thresholds), at, thresholds
            )
            if has_new:
                state.note(state.segment_errors.failed("HTTP 404", at, thresholds), at, thresholds)
    types = [each.event_type.value for each in state.pending_events]
    assert types == ["stream.suspended", "stream.resumed"]


@pytest.mark.parametrize("still", [MAIN, AUDIO])
def test_a_stream_goes_on_while_one_of_its_tracks_does(still: str) -> None:
    state, thresholds = WatchState(), MonitorConfig(suspend_threshold_sec=10)
    state.carry(SPLIT)
    for sec in range(0, 60, 2):
        at = AT + timedelta(seconds=sec)
        for name in state.tracks:
            has_new = name != still or sec < 20 or sec >= 40
            state.note(
                state.observe_stall(has_new=has_new, at=at, thresholds=thresholds), at, thresholds
            )
    assert state.pending_events == []
