"""What a journal keeps of a stream, and that it leads from one state to the next."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.hls.playlist import MediaPlaylist, Segment
from media.watching import Journal, SegmentCache, WatchState
from media.watching.replay_journal import (
    BEFORE_FAULT,
    LEG,
    MOST_BYTES,
    JournalExcerpt,
    PlaylistRead,
    StepTaken,
)
from media.watching.snapshots import Snapshot, changed, differences, restored
from media.watching.state import MAIN
from media.watching.step_applier import StepApplier
from media.watching.steps import STEPS, MediaStep, PlaylistStep
from media.watching.track_state import TrackState
from monitors.config import MonitorConfig
from monitors.detectors.stream_time import SegmentPosition
from monitors.frames import FRAME_BYTES
from monitors.measurement import Interval, SegmentMeasurement, StillRun

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
SEGMENT_SEC = 2.0

contents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.lists(st.integers()),
    lambda inner: st.dictionaries(st.text(max_size=2), inner, max_size=4),
    max_leaves=12,
)
states = st.dictionaries(st.text(max_size=2), contents, max_size=5)


@given(states, states)
def test_differences_make_one_state_of_another(old: dict[str, Any], new: dict[str, Any]) -> None:
    assert changed(old, differences(old, new)) == new
    assert not [*differences(new, new)]


class Stream:
    """A stream of segments of 2 s, each with the measurement that a test wants."""

    def __init__(self, config: MonitorConfig) -> None:
        self.state = WatchState(tracks={MAIN: TrackState()})
        self.journal = Journal(SegmentCache())
        self.steps = StepApplier(self.state, config, journal=self.journal)
        self.count = 0

    def play(self, **found: Any) -> None:
        starts_at = NOON + timedelta(seconds=self.count * SEGMENT_SEC)
        at = starts_at + timedelta(seconds=SEGMENT_SEC + 1)
        self.steps.apply(PlaylistStep(at=at, track=MAIN, has_new=True))
        position = SegmentPosition(
            sequence=self.count,
            start_sec=self.count * SEGMENT_SEC,
            duration_sec=SEGMENT_SEC,
            starts_at=starts_at,
        )
        measured = SegmentMeasurement(
            **{"duration_sec": SEGMENT_SEC, "video_sec": SEGMENT_SEC, "audio_sec": 2.0, **found}
        )
        self.steps.apply(
            MediaStep(at=at, track=MAIN, position=position, measurement=measured),
            found=(measured,),
        )
        self.count += 1

    def excerpt(self) -> JournalExcerpt | None:
        (draft,) = self.state.pending_events
        return self.journal.excerpt(draft)


BLACK = [Interval(start=0.0, end=SEGMENT_SEC)]


def test_an_excerpt_begins_before_its_fault_and_not_much_earlier() -> None:
    stream = Stream(MonitorConfig(blackout_threshold_sec=20))
    for _ in range(50):
        stream.play()
    while not stream.state.pending_events:
        stream.play(black=BLACK)
    excerpt = stream.excerpt()
    assert excerpt
    steps = [each for each in excerpt.entries if isinstance(each, StepTaken)]
    first = next(each.starts_at for each in steps if each.starts_at)
    fault = NOON + timedelta(seconds=50 * SEGMENT_SEC)
    assert fault - BEFORE_FAULT - 2 * LEG <= first <= fault - BEFORE_FAULT
    assert steps[-1].drafts == (excerpt.draft,)
    assert stream.excerpt() is None  # it is handed out once


def test_what_changes_between_two_steps_is_in_each_leg_but_the_first() -> None:
    stream = Stream(MonitorConfig(blackout_threshold_sec=20))
    for _ in range(10):
        stream.play()
    while not stream.state.pending_events:
        stream.state.hidden[f"audio {stream.count}"] = "encrypted"  # by something beside steps
        stream.play(black=BLACK)
    excerpt = stream.excerpt()
    assert excerpt
    state = restored(excerpt.before.content())
    for entry in excerpt.entries:
        assert isinstance(entry, StepTaken)
        content = changed(Snapshot(state).content(), json.loads(entry.changes))
        state = restored(content)
        STEPS.validate_json(entry.step).apply(state, excerpt.config)
    assert state.hidden == stream.state.hidden
    assert state.pending_events == [excerpt.draft]


def test_a_journal_of_many_large_measurements_stays_small() -> None:
    stream = Stream(MonitorConfig(freeze_threshold_sec=80_000, blackout_threshold_sec=0))
    still = 20 * [StillRun(start=1.0, end=1.0, picture=bytes(FRAME_BYTES))]
    sizes = []
    for _ in range(60):
        stream.play(still=still)
        sizes.append(sum(leg.size_bytes for leg in stream.journal._legs))
    assert MOST_BYTES / 2 < max(sizes) <= MOST_BYTES
    stream.play(still=still * 200)
    assert not stream.journal._legs


@pytest.mark.parametrize("uri_bytes", [5_000, 100_000])
def test_a_journal_of_playlists_with_long_urls_stays_small(uri_bytes: int) -> None:
    stream = Stream(MonitorConfig(freeze_threshold_sec=80_000, blackout_threshold_sec=0))
    sizes = []
    for number in range(40):
        stream.play()
        segment = Segment(f"http://host/{number:0{uri_bytes}}", number, SEGMENT_SEC)
        read = MediaPlaylist(SEGMENT_SEC, number, tuple(30 * [segment]), ended=False)
        stream.journal.note_playlist(MAIN, read, NOON)
        kept = [entry for leg in stream.journal._legs for entry in leg.entries]
        playlists = [each.playlist for each in kept if isinstance(each, PlaylistRead)]
        sizes.append(sum(len(it.uri) for each in playlists for it in each.segments))
    assert max(sizes) <= MOST_BYTES + BEFORE_FAULT / LEG * MOST_BYTES


def test_other_thresholds_begin_a_new_journal() -> None:
    stream = Stream(MonitorConfig(blackout_threshold_sec=20))
    for _ in range(5):
        stream.play(black=BLACK)
    lower = MonitorConfig(blackout_threshold_sec=15)
    stream.steps = StepApplier(stream.state, lower, journal=stream.journal)
    while not stream.state.pending_events:
        stream.play(black=BLACK)
    excerpt = stream.excerpt()
    assert excerpt
    assert excerpt.config == lower
    steps = [each for each in excerpt.entries if isinstance(each, StepTaken)]
    assert steps[0].at >= NOON + timedelta(seconds=5 * SEGMENT_SEC)


def test_the_state_of_a_snapshot_is_the_state() -> None:
    stream = Stream(MonitorConfig())
    for _ in range(5):
        stream.play(black=BLACK)
    before = Snapshot(stream.state)
    assert Snapshot(restored(before.content())) == before
    stream.play()
    assert Snapshot(stream.state) != before
