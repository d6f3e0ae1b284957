"""Which faults of a stream may still become incidents: their media must be kept until then."""

from collections.abc import Iterator
from datetime import datetime

from pydantic import BaseModel

from media.watching.state import WatchState
from monitors.config import Thresholds
from monitors.detectors.fault_detector import Fault
from monitors.detectors.freeze import HeldStill
from monitors.incidents import IncidentRef
from monitors.status import IncidentKind


def faults_begun(state: WatchState) -> list[datetime]:
    """The first moments of all faults that are no incident yet."""
    # Media that is not judged yet may hold such a moment, and counts as one from its beginning.
    stall, errors = state.stall, state.segment_errors
    began = [
        None if stall.is_open else stall.elapsed,
        None if errors.is_open else errors.elapsed,
        state.renditions.failing,
        *state.explanations.held,
        *(each.opened for each in state.incidents.kinds.values() if not each.is_told),
    ]
    moments = [each.started_at for each in began if each]
    for track in state.tracks.values():
        moments += _moments_in(track.detectors)
        if deferred_from := track.detectors.video.deferred_from:
            moments.append(deferred_from.starts_at)
    return moments


def faults_half_way(state: WatchState, thresholds: Thresholds) -> list[IncidentRef]:
    """The faults of picture and first sound that are half way to their alert, or further."""
    threshold_sec = {
        IncidentKind.BLACKOUT: thresholds.blackout_threshold_sec,
        IncidentKind.FREEZE: thresholds.freeze_threshold_sec,
        IncidentKind.SILENCE: thresholds.silence_threshold_sec,
    }
    growing = (it for track in state.tracks.values() for it in track.detectors.growing())
    return [
        IncidentRef(kind=kind, started_at=fault.started_at)
        for kind, fault in growing
        if fault.run_sec >= threshold_sec[kind] / 2 > 0
    ]


def _moments_in(detectors: BaseModel) -> Iterator[datetime]:
    """Yield the beginning of each fault that a detector in `detectors` is timing."""
    if isinstance(detectors, Fault):
        if not detectors.is_open:
            yield detectors.started_at
    elif isinstance(detectors, HeldStill):
        yield detectors.starts_at
    else:
        for value in vars(detectors).values():
            for each in value.values() if isinstance(value, dict) else (value,):
                if isinstance(each, BaseModel):
                    yield from _moments_in(each)
