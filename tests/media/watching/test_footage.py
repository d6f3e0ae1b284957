"""Which segments of a stream are kept for evidence, and when its picture is wanted."""

import pytest

from media.hls.playlist import Segment
from media.watching import Excerpt, Footage, Picture, SegmentCache, WatchState
from media.watching.faults_begun import faults_half_way
from media.watching.track_state import TrackState
from monitors.config import Thresholds
from monitors.detectors.fault_detector import Fault
from monitors.events import EventDraft, EventType
from monitors.evidence import EvidenceLevel
from monitors.incidents import IncidentRef
from monitors.status import IncidentKind
from tests.monitors.media_timeline import wall_clock

SEGMENT_SEC = 2.0


def watched(footage: Footage, state: WatchState, *, first: int, last: int) -> None:
    """Keep segments of two seconds, one after the other, as a watch does."""
    for number in range(first, last + 1):
        segment = Segment(f"https://a.tv/{number}", number, SEGMENT_SEC)
        starts_at = wall_clock(number * SEGMENT_SEC)
        footage.keep("main", segment, starts_at, b"%d" % number + bytes(100), 0)
        footage.forget_unneeded(state)


def with_fault(begun_sec: float | None) -> WatchState:
    state = WatchState(tracks={"main": TrackState()})
    if begun_sec is not None:
        run = Fault(started_at=wall_clock(begun_sec), run_sec=1.0)
        state.tracks["main"].detectors.video.blackout.fault = run
    return state


def kept(footage: Footage, since_sec: float = 0.0) -> list[int]:
    tracks = footage.excerpt(wall_clock(since_sec)).tracks
    return [each.segment.sequence for each in tracks.get("main", ())]


def test_for_pictures_the_segment_of_the_beginning_and_the_one_before_are_kept() -> None:
    footage, state = Footage(), with_fault(21.0)
    footage.level = EvidenceLevel.PICTURE
    watched(footage, with_fault(None), first=0, last=9)
    assert kept(footage) == [9]
    watched(footage, state, first=10, last=20)
    assert kept(footage) == [9, 10, 20]


def test_for_clips_all_is_kept_from_5_s_before_the_beginning_on() -> None:
    footage = Footage()
    footage.level = EvidenceLevel.CLIP
    watched(footage, with_fault(None), first=0, last=9)
    assert kept(footage) == [7, 8, 9]
    watched(footage, with_fault(21.0), first=10, last=20)
    assert kept(footage, 21.0) == [8, 9, *range(10, 21)]
    assert not footage.excerpt(wall_clock(21.0)).is_cut


def test_an_incident_that_is_drafted_keeps_its_segments() -> None:
    footage, state = Footage(), with_fault(None)
    footage.level = EvidenceLevel.PICTURE
    watched(footage, with_fault(21.0), first=9, last=20)
    incident = IncidentRef(kind=IncidentKind.BLACKOUT, started_at=wall_clock(21.0))
    state.pending_events = [
        EventDraft(
            event_type=EventType.BLACKOUT, timestamp=wall_clock(40), data={}, incident=incident
        )
    ]
    footage.forget_unneeded(state)
    assert kept(footage) == [9, 10, 20]


def test_what_the_cache_lets_go_of_is_missing_and_that_is_told() -> None:
    footage = Footage(SegmentCache(most_bytes=500))
    footage.level = EvidenceLevel.CLIP
    watched(footage, with_fault(0.0), first=0, last=9)
    excerpt = footage.excerpt(wall_clock(0.0))
    assert [each.segment.sequence for each in excerpt.tracks["main"]] == [6, 7, 8, 9]
    assert excerpt.is_cut


def test_a_fault_of_hours_keeps_its_beginning_and_the_latest_segments() -> None:
    footage = Footage()
    footage.level = EvidenceLevel.CLIP
    watched(footage, with_fault(0.0), first=0, last=100)
    assert kept(footage) == [*range(61), 98, 99, 100]
    assert footage.excerpt(wall_clock(0.0)).is_cut


def test_a_clip_that_lacks_a_segment_in_between_is_cut() -> None:
    footage = Footage()
    footage.level = EvidenceLevel.CLIP
    watched(footage, with_fault(0.0), first=0, last=1)
    watched(footage, with_fault(0.0), first=3, last=4)
    assert footage.excerpt(wall_clock(0.0)).is_cut


@pytest.mark.parametrize(("run_sec", "is_half_way"), [(14.9, False), (15.0, True)])
def test_a_fault_is_handed_out_half_way_to_its_alert_and_once(
    run_sec: float, *, is_half_way: bool
) -> None:
    shown = list[tuple[IncidentRef, Excerpt]]()
    footage = Footage(on_early=lambda fault, excerpt: shown.append((fault, excerpt)))
    footage.level = EvidenceLevel.PICTURE
    state = WatchState(tracks={"main": TrackState()})
    run = Fault(started_at=wall_clock(21.0), run_sec=run_sec)
    state.tracks["main"].detectors.video.blackout.fault = run
    watched(footage, with_fault(21.0), first=9, last=20)
    for _ in range(2):
        footage.hand_out_early(faults_half_way(state, Thresholds(blackout_threshold_sec=30)))
    found = [(each.started_at, excerpt) for each, excerpt in shown]
    assert found == [(wall_clock(21.0), footage.excerpt(wall_clock(21.0)))] * is_half_way


@pytest.mark.parametrize("level", EvidenceLevel)
def test_without_evidence_nothing_is_kept_and_no_picture_is_wanted(level: EvidenceLevel) -> None:
    footage = Footage(on_picture=lambda picture: None)
    footage.level = level
    watched(footage, with_fault(0.0), first=0, last=3)
    assert bool(kept(footage)) is footage.wants_picture() is (level is not EvidenceLevel.NONE)


def test_a_picture_is_wanted_at_once_and_then_at_the_pace_that_is_asked_for() -> None:
    shown, clock = list[Picture](), [0.0]
    footage = Footage(on_picture=shown.append, clock=lambda: clock[0])
    footage.level = EvidenceLevel.PICTURE
    assert footage.wants_picture()
    footage.show(b"jpeg", wall_clock(0))
    wanted = []
    for clock[0] in (9.0, 59.0, 60.0):
        wanted.append(footage.wants_picture())
    footage.picture_interval_sec = 10.0
    clock[0] = 12.0
    assert (wanted, footage.wants_picture()) == ([False, False, True], True)
    assert shown == [Picture(b"jpeg", wall_clock(0))]
