"""Whatever an origin answers, it is counted and survived, and nothing false is told."""

import asyncio
from collections.abc import Mapping

import pytest

from monitors.events import EndReason
from simulator.origin import (
    TINY,
    AtEnd,
    Change,
    ChannelOptions,
    Fault,
    FaultKind,
    LiveOrigin,
    Programme,
    Target,
    WallClock,
    drop,
    render,
)
from tests.testkit.viewing import Viewer, studio, together

SEGMENTS = 20
ONCE = ChannelOptions(at_end=AtEnd.END, window_segments=SEGMENTS)
ONE_SEGMENT = {"first_sequence": 10, "last_sequence": 10}


def playlist_fault(kind: FaultKind, **conditions: object) -> Fault:
    given = {"kind": kind, "target": Target.PLAYLIST, "skip_requests": 3, **conditions}
    return Fault.model_validate(given)


def segment_fault(kind: FaultKind, **conditions: object) -> Fault:
    return Fault.model_validate({"kind": kind, **ONE_SEGMENT, **conditions})


PASSING: Mapping[str, Fault] = {
    "playlist 500 for eight seconds": playlist_fault(
        FaultKind.STATUS, status=500, from_sec=7, to_sec=15
    ),
    "playlist 503 now and then": playlist_fault(FaultKind.STATUS, status=503, every=3),
    "playlist 404 now and then": playlist_fault(FaultKind.STATUS, every=4),
    "playlist 403 once": playlist_fault(FaultKind.STATUS, status=403, max_requests=1),
    "playlist garbage for a while": playlist_fault(FaultKind.GARBAGE, max_requests=3),
    "playlist empty for a while": playlist_fault(FaultKind.EMPTY, max_requests=3),
    "playlist cut off now and then": playlist_fault(FaultKind.CUT, every=3),
    "playlist connection reset": playlist_fault(FaultKind.RESET, max_requests=2),
    "playlist stale now and then": playlist_fault(FaultKind.STALE, every=3, age_sec=4),
    "playlist bomb": playlist_fault(FaultKind.GZIP_BOMB, max_requests=2),
    "segment 404 at first": segment_fault(FaultKind.STATUS, max_requests=1),
    "segment 500 at first": segment_fault(FaultKind.STATUS, status=500, max_requests=2),
    "segment reset at first": segment_fault(FaultKind.RESET, max_requests=1),
    "segment cut off at first": segment_fault(FaultKind.CUT, max_requests=1),
    "segments slow": Fault(kind=FaultKind.DRIP, bytes_per_sec=12_000, every=4),
}
LOSING: Mapping[str, Fault] = {
    "segment never stored": drop(10),
    "segment 403": segment_fault(FaultKind.STATUS, status=403),
    "segment 500": segment_fault(FaultKind.STATUS, status=500),
    "segment garbage": segment_fault(FaultKind.GARBAGE),
    "segment empty": segment_fault(FaultKind.EMPTY),
    "segment endless": segment_fault(FaultKind.ENDLESS),
    "segment hangs": segment_fault(FaultKind.HANG),
    "segment hangs half way": segment_fault(FaultKind.HANG, keep_ratio=0.5),
    "segment too slow": segment_fault(FaultKind.DRIP, bytes_per_sec=200),
    "segment always reset": segment_fault(FaultKind.RESET),
    "segment always cut off": segment_fault(FaultKind.CUT),
}
DAMAGED: Mapping[str, Fault] = {
    "segments truncated": Fault(kind=FaultKind.TRUNCATE, from_sec=8, to_sec=14),
    "segments corrupt": Fault(kind=FaultKind.CORRUPT, from_sec=8, to_sec=14),
}
RENUMBERED: Mapping[str, Change] = {
    "restart": Change(kind="restart", at_sec=12),
    "jump ahead": Change(kind="jump", at_sec=12, by=1000),
    "jump far ahead": Change(kind="jump", at_sec=12, by=50_000_000),
}


async def watch_everything() -> dict[str, Viewer]:
    clock = WallClock(2.5)
    rendered = render(Programme.of([("normal", SEGMENTS)], TINY))
    async with LiveOrigin(clock=clock) as origin, studio(clock) as hurried:
        faulty = {
            name: origin.add(name.replace(" ", "-"), rendered, options=ONCE, faults=[fault])
            for name, fault in {**PASSING, **LOSING, **DAMAGED}.items()
        }
        renumbered = {
            name: origin.add(name.replace(" ", "-"), rendered, options=ONCE, changes=[change])
            for name, change in RENUMBERED.items()
        }
        viewers = {
            name: Viewer.of(hurried, channel.url).to_the_end()
            for name, channel in {**faulty, **renumbered}.items()
        }
        return await together(viewers)


@pytest.fixture(scope="module")
def watched() -> dict[str, Viewer]:
    """All of them on air at the same time, to their ends."""
    return asyncio.run(watch_everything())


@pytest.mark.parametrize("name", [*PASSING, *LOSING, *DAMAGED, *RENUMBERED])
def test_nothing_false_is_told_and_the_end_is_seen(watched: dict[str, Viewer], name: str) -> None:
    viewer = watched[name]
    assert viewer.types == []
    assert viewer.ended is EndReason.ENDLIST_DETECTED
    assert viewer.state.open_incidents() == {}


@pytest.mark.parametrize("name", PASSING)
def test_what_passes_loses_no_segment(watched: dict[str, Viewer], name: str) -> None:
    viewer = watched[name]
    assert viewer.sequences() == list(range(SEGMENTS))
    assert viewer.failed() == []
    statistics = viewer.state.statistics
    assert statistics.total_segments_analyzed == SEGMENTS
    assert (statistics.segments_missed, statistics.sequence_resets) == (0, 0)


@pytest.mark.parametrize("name", LOSING)
def test_one_lost_segment_is_counted_and_the_others_are_measured(
    watched: dict[str, Viewer], name: str
) -> None:
    viewer = watched[name]
    assert viewer.failed() == [10]
    assert viewer.sequences() == list(range(SEGMENTS))
    statistics = viewer.state.statistics
    assert statistics.total_segments_analyzed == SEGMENTS - 1
    assert (statistics.segments_failed, statistics.segments_missed) == (1, 0)
    assert viewer.state.tracks["main"].stream_sec == pytest.approx(SEGMENTS)


@pytest.mark.parametrize("name", DAMAGED)
def test_each_damaged_segment_is_looked_at_once(watched: dict[str, Viewer], name: str) -> None:
    viewer = watched[name]
    assert viewer.sequences() == list(range(SEGMENTS))
    statistics = viewer.state.statistics
    assert statistics.total_segments_analyzed + statistics.segments_failed == SEGMENTS


@pytest.mark.parametrize(
    ("name", "first", "resets"),
    [
        pytest.param("restart", 0, 1, id="restart"),
        pytest.param("jump ahead", 1012, 0, id="jump ahead"),
        pytest.param("jump far ahead", 50_000_012, 1, id="jump far ahead"),
    ],
)
def test_a_new_numbering_loses_no_segment_that_is_listed(
    watched: dict[str, Viewer], name: str, first: int, resets: int
) -> None:
    """The old numbers vanish at once, so that the last of them may never be seen."""
    viewer = watched[name]
    sequences = viewer.sequences()
    count = SEGMENTS - 12
    old, new = sequences[:-count], sequences[-count:]
    assert old == list(range(len(old)))
    assert 3 <= len(old) <= 12
    assert new == list(range(first, first + count))
    assert viewer.state.statistics.sequence_resets == resets
