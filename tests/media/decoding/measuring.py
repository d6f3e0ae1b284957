"""Rendered programmes, measured as a watch does it: segment by segment."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from media.decoding.probe import Probe
from monitors.config import Thresholds
from monitors.detectors.media_detectors import MediaDetectors
from monitors.detectors.stream_time import SegmentPosition
from monitors.incidents import IncidentChange
from monitors.measurement import Interval, SegmentMeasurement
from simulator.origin import RenderedProgramme

SILENCE_DB = -50.0
BEGAN_AT = datetime(2026, 1, 1, tzinfo=UTC)
SOUND_TOLERANCE_SEC = 0.05


async def measure(probe: Probe, segment: bytes, duration_sec: float = 2.0) -> SegmentMeasurement:
    return await probe.measure(segment, duration_sec=duration_sec, silence_db=SILENCE_DB)


async def measure_all(probe: Probe, rendered: RenderedProgramme) -> list[SegmentMeasurement]:
    init = rendered.init or b""
    runs = (measure(probe, init + each.data, each.duration_sec) for each in rendered.segments)
    return list(await asyncio.gather(*runs))


def joined(parts: Sequence[Sequence[Interval]], duration_sec: float) -> list[tuple[float, float]]:
    """Return the intervals of equally long segments in stream time, joined across borders."""
    found: list[tuple[float, float]] = []
    for number, intervals in enumerate(parts):
        for interval in intervals:
            start, end = (number * duration_sec + edge for edge in (interval.start, interval.end))
            if found and start - found[-1][1] <= SOUND_TOLERANCE_SEC:
                start, _ = found.pop()
            found.append((start, end))
    return found


def within(tolerance_sec: float, *intervals: tuple[float, float]) -> object:
    return [pytest.approx(each, abs=tolerance_sec + 1e-6) for each in intervals]


def incidents(
    measurements: Sequence[SegmentMeasurement], thresholds: Thresholds
) -> list[IncidentChange]:
    """Return what the detectors make of the segments; stream time is since `BEGAN_AT`."""
    detectors, durations = MediaDetectors(), [each.duration_sec for each in measurements]
    changes: list[IncidentChange] = []
    for sequence, measurement in enumerate(measurements):
        changes += detectors.feed(measurement, position(sequence, durations), thresholds)
    return changes


def position(sequence: int, durations_sec: Sequence[float]) -> SegmentPosition:
    """Return where a segment lies among those of these durations."""
    start_sec = sum(durations_sec[:sequence])
    return SegmentPosition(
        sequence=sequence,
        start_sec=start_sec,
        duration_sec=durations_sec[sequence],
        starts_at=BEGAN_AT + timedelta(seconds=start_sec),
    )
