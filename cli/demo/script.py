"""What the demo puts on air, and which events must follow from it. Pure.

Stream times are seconds from the programme's first frame. They stand still during the stall.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from monitors.config import MonitorConfig, OnDeliveryFailure
from monitors.events import EventType

TARGET_DURATION_SEC = 2.0
DELAY_BOUND_SEC = TARGET_DURATION_SEC + 1.0  # what p95 of the delays is measured against
BACKLOG_SEGMENTS = 3  # segments that are published already when the broadcast begins
CONFIG = MonitorConfig(
    blackout_threshold_sec=4,
    silence_threshold_sec=4,
    freeze_threshold_sec=6,
    recovery_sec=2,
    suspend_threshold_sec=6,
    on_delivery_failure=OnDeliveryFailure.CONTINUE,  # the checklist says what did not arrive
)

_INSTANT_SEC = 0.001
"""The moment before a threshold ends completes it, on the border of two segments too."""


@dataclass(frozen=True)
class ScriptedScene:
    """A stretch of the programme, of a kind of `simulator.origin`; the caption is for viewers."""

    kind: str
    duration_sec: float
    caption: str


@dataclass(frozen=True)
class Stall:
    """The encoder stops: from the segment that begins at `at_sec` nothing comes for `for_sec`."""

    at_sec: float
    for_sec: float


@dataclass(frozen=True)
class Moment:
    """When something could be known: `later_sec` after the segment of `stream_sec` is there."""

    stream_sec: float
    later_sec: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Expectation:
    """An event that must arrive.

    Attributes:
        cause: what happened on air, in plain words.
        known: the earliest moment at which anybody could tell; None when it is not of the script.
        started_sec, recovered_sec: stream times that the event must name, where it names any.
    """

    event_type: EventType
    cause: str
    known: Moment | None = None
    started_sec: float | None = None
    recovered_sec: float | None = None


# Lengths are whole frames at 15 a second. Thresholds complete well inside a segment, so that a
# few milliseconds of an encoder do not decide in which one.
SCENES = (
    ScriptedScene("normal", 9.4, "a moving picture with speech"),
    ScriptedScene("black", 7.0, "a black picture, speech goes on"),
    ScriptedScene("normal", 8.2, "a moving picture with speech"),
    ScriptedScene("silent", 6.8, "silence, the picture moves on"),
    ScriptedScene("dark", 4.0, "a night scene (no fault)"),
    ScriptedScene("cut_to_black", 1.0, "a cut to black of one second (no fault)"),
    ScriptedScene("normal", 4.2, "a moving picture with speech"),
    ScriptedScene("frozen", 9.0, "a frozen picture, speech goes on"),
    ScriptedScene("normal", 16.4, "a moving picture with speech"),
)
STALL = Stall(at_sec=58.0, for_sec=8.0)

_FAULTS = {
    "black": (EventType.BLACKOUT, EventType.BLACKOUT_RECOVERED, CONFIG.blackout_threshold_sec),
    "silent": (EventType.SILENCE, EventType.SILENCE_RECOVERED, CONFIG.silence_threshold_sec),
    "frozen": (EventType.FREEZE, EventType.FREEZE_RECOVERED, CONFIG.freeze_threshold_sec),
}


def scene_starts(scenes: Sequence[ScriptedScene]) -> list[float]:
    """Return the stream time at which each scene begins, and that of the end."""
    ends = accumulate((scene.duration_sec for scene in scenes), initial=0.0)
    return [round(end, 6) for end in ends]


def airtime_sec(scenes: Sequence[ScriptedScene] = SCENES, stall: Stall = STALL) -> float:
    backlog_sec = BACKLOG_SEGMENTS * TARGET_DURATION_SEC
    return scene_starts(scenes)[-1] + stall.for_sec - backlog_sec


def expectations(
    scenes: Sequence[ScriptedScene] = SCENES, stall: Stall = STALL
) -> list[Expectation]:
    starts = scene_starts(scenes)
    of_media = [
        expected
        for scene, start in zip(scenes, starts, strict=False)
        for expected in _fault_events(scene, start)
    ]
    timed = sorted([*of_media, *_stall_events(stall)], key=_known_sec)
    begin = Expectation(event_type=EventType.STREAM_STARTED, cause="the stream is live")
    end = Expectation(
        event_type=EventType.STREAM_ENDED,
        cause="the stream ends",
        known=_completed(starts[-1]),
    )
    return [begin, *timed, end]


def _fault_events(scene: ScriptedScene, start_sec: float) -> list[Expectation]:
    if scene.kind not in _FAULTS:
        return []
    opened, closed, threshold_sec = _FAULTS[scene.kind]
    end_sec = round(start_sec + scene.duration_sec, 6)
    return [
        Expectation(
            event_type=opened,
            cause=f"{threshold_sec:g} s of {scene.caption.partition(',')[0]}",
            known=_completed(start_sec + threshold_sec),
            started_sec=start_sec,
        ),
        Expectation(
            event_type=closed,
            cause=f"{CONFIG.recovery_sec:g} s without that fault",
            known=_completed(end_sec + CONFIG.recovery_sec),
            started_sec=start_sec,
            recovered_sec=end_sec,
        ),
    ]


def _stall_events(stall: Stall) -> list[Expectation]:
    threshold_sec = CONFIG.suspend_threshold_sec or 0.0
    last_segment = _completed(stall.at_sec)
    return [
        Expectation(
            event_type=EventType.STREAM_SUSPENDED,
            cause=f"{threshold_sec:g} s without a new segment",
            known=Moment(last_segment.stream_sec, threshold_sec),
        ),
        Expectation(
            event_type=EventType.STREAM_RESUMED,
            cause="a new segment",
            known=Moment(stall.at_sec),
        ),
    ]


def _completed(stream_sec: float) -> Moment:
    return Moment(round(stream_sec - _INSTANT_SEC, 6))


def _known_sec(expected: Expectation) -> float:
    return expected.known.stream_sec if expected.known else 0.0
