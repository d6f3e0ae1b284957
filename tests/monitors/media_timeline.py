"""Media with scripted faults, cut into segments in any way."""

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from monitors.config import Thresholds
from monitors.detectors.media_detectors import MediaDetectors
from monitors.detectors.stream_time import SegmentPosition
from monitors.frames import FRAME_BYTES, FRAME_WIDTH, LUMA_BYTES, NEUTRAL
from monitors.incidents import IncidentChange, IncidentClosed, IncidentOpened
from monitors.measurement import Interval, SegmentMeasurement, StillRun
from monitors.status import IncidentKind

AIR_TIME = datetime(2025, 6, 1, 12, 0, tzinfo=UTC)

Span = tuple[float, float]
StillSpan = tuple[float, float, bytes]


class Drawing(bytes):
    """A picture that a failing test can print in one word."""

    def __repr__(self) -> str:
        return f"<drawing {self[:2].hex()}>"


def drawing(seed: int) -> bytes:
    """A picture that is like no other."""
    return Drawing(colourless(random.Random(seed).randbytes(LUMA_BYTES)))


def colourless(luma: bytes) -> bytes:
    """Return a small frame of this luma."""
    return luma + bytes([NEUTRAL]) * (FRAME_BYTES - LUMA_BYTES)


def with_coding_noise(picture: bytes, seed: int) -> bytes:
    """The picture as a fresh keyframe shows it: each pixel off by at most one level."""
    chance = random.Random(seed)
    luma = (min(255, max(0, it + chance.choice((-1, 0, 0, 1)))) for it in picture[:LUMA_BYTES])
    return bytes(luma) + picture[LUMA_BYTES:]


def shifted(picture: bytes, columns: int) -> bytes:
    """The picture after a pan to the right."""
    rows = [picture[start : start + FRAME_WIDTH] for start in range(0, LUMA_BYTES, FRAME_WIDTH)]
    luma = b"".join(row[-columns:] + row[:-columns] if columns else row for row in rows)
    return luma + picture[LUMA_BYTES:]


def wall_clock(stream_sec: float) -> datetime:
    return AIR_TIME + timedelta(seconds=stream_sec)


@dataclass(frozen=True)
class Programme:
    """What is on air; spans in stream seconds."""

    duration_sec: float
    black: Sequence[Span] = ()
    silent: Sequence[Span] = ()
    still: Sequence[StillSpan] = ()

    def segments(
        self, cuts: Iterable[float]
    ) -> Iterator[tuple[SegmentMeasurement, SegmentPosition]]:
        borders = sorted({0.0, self.duration_sec, *cuts})
        for number, (start, end) in enumerate(pairwise(borders)):
            yield self._measure(start, end), segment_position(number, start, end - start)

    def _measure(self, start: float, end: float) -> SegmentMeasurement:
        return SegmentMeasurement(
            duration_sec=end - start,
            black=[Interval(start=a, end=b) for a, b in _within(self.black, start, end)],
            silent=[Interval(start=a, end=b) for a, b in _within(self.silent, start, end)],
            still=[
                StillRun(start=a, end=b, picture=picture)
                for first, last, picture in self.still
                for a, b in _within([(first, last)], start, end)
            ],
        )


def segment_position(number: int, start_sec: float, duration_sec: float) -> SegmentPosition:
    return SegmentPosition(
        sequence=100 + number,
        start_sec=start_sec,
        duration_sec=duration_sec,
        starts_at=wall_clock(start_sec),
    )


def _within(spans: Iterable[Span], start: float, end: float) -> list[Span]:
    clipped = [(max(a, start) - start, min(b, end) - start) for a, b in spans]
    return [(a, b) for a, b in clipped if a < b]


def every(seconds: float, duration_sec: float) -> list[float]:
    """Cuts of a playlist with equal segments."""
    return [number * seconds for number in range(1, int(duration_sec / seconds) + 1)]


def watch(
    programme: Programme, cuts: Iterable[float], thresholds: Thresholds
) -> list[IncidentChange]:
    """What the detectors report of a programme that is cut at `cuts`."""
    detectors, changes = MediaDetectors(), list[IncidentChange]()
    for measurement, position in programme.segments(cuts):
        changes += detectors.feed(measurement, position, thresholds)
    return changes


Incident = tuple[IncidentKind, float, float | None, float | None]


def incidents(changes: Iterable[IncidentChange]) -> list[Incident]:
    """Pair openings with closings: kind, start, first good moment, total length; in seconds.

    Raises:
        AssertionError: a closing without its opening, or a second opening before the closing.
    """
    found: list[Incident] = []
    open_at: dict[IncidentKind, int] = {}
    for change in changes:
        started_sec = (change.started_at - AIR_TIME).total_seconds()
        match change:
            case IncidentOpened():
                assert change.kind not in open_at
                open_at[change.kind] = len(found)
                found.append((change.kind, started_sec, None, None))
            case IncidentClosed():
                index = open_at.pop(change.kind)
                assert found[index][1] == started_sec
                recovered_sec = (change.recovered_at - AIR_TIME).total_seconds()
                found[index] = (
                    change.kind,
                    started_sec,
                    recovered_sec,
                    change.total_duration_sec,
                )
    return sorted(found, key=lambda incident: (incident[0], incident[1]))
