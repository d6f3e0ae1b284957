"""What goes wrong with a stream, counted in segments, and the moments at which it can be known."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from simulator.origin import Change, Channel, Encoding, Fault, FaultKind, Published, SceneOnAir

SCENES = (
    *(("normal", 2.25), ("black", 3.5), ("normal", 1.5), ("silent", 3.5)),
    *(("normal", 1.5), ("frozen", 3.5), ("normal", 11.25)),
)
"""Each fault and each recovery completes in the middle of a segment: the accuracy of a frame does
not decide in which one."""

CYCLE_SEGMENTS = round(sum(length for _, length in SCENES))
STALL_BEFORE = 18
STALL_SEGMENTS = 4.5
FAILING = range(20, 25)
"""Segments of a cycle that are listed and cannot be had or decoded."""

FAILURES = (
    {"kind": FaultKind.STATUS, "status": 404},
    {"kind": FaultKind.STATUS, "status": 500},
    {"kind": FaultKind.GARBAGE},
)
"""By turns, one a cycle."""

MEDIA_THRESHOLD = 2.25
RECOVERY = 0.75
SUSPEND_THRESHOLD = 3.0
ERROR_THRESHOLD = 2.25

EVENT_TYPES = {
    "blackout": ("alert.blackout", "alert.blackout_recovered"),
    "silence": ("alert.silence", "alert.silence_recovered"),
    "freeze": ("alert.freeze", "alert.freeze_recovered"),
    "suspended": ("stream.suspended", "stream.resumed"),
    "segment error": ("alert.segment_error", "alert.segment_error_recovered"),
}
"""Of each kind of incident: what is told when it opens, and when it closes."""

SCENE_KINDS = {"black": "blackout", "silent": "silence", "frozen": "freeze"}


@dataclass(frozen=True)
class Moment:
    """Something that a webhook must tell; all times are unix seconds.

    Attributes:
        segment: media sequence of what completes it; None of a stall, which time completes.
        known_at: when that was published: nobody can know earlier.
        started_at: the first moment of the fault.
        shown_at: when the first segment that shows anything of the fault was published, or was due.
    """

    event_type: str
    segment: int | None
    known_at: float
    started_at: float
    shown_at: float

    @property
    def opens(self) -> bool:
        """Whether it is the beginning of an incident."""
        return any(self.event_type == opens for opens, _ in EVENT_TYPES.values())

    @property
    def is_of_media(self) -> bool:
        """Whether the media shows when the fault began; of the others it is when it was seen."""
        return any(self.event_type in EVENT_TYPES[kind] for kind in SCENE_KINDS.values())


@dataclass(frozen=True)
class Script:
    """So many cycles of faults, one of each kind a cycle, in segments of this length."""

    segment_sec: float
    cycles: int

    @property
    def length_sec(self) -> float:
        """How long a stream is on air."""
        return self.cycles * (CYCLE_SEGMENTS + STALL_SEGMENTS) * self.segment_sec

    @property
    def encoding(self) -> Encoding:
        """Small pictures: decoding is not what is measured."""
        return Encoding(width=128, height=72, fps=10, segment_sec=self.segment_sec, video_kbps=60)

    @property
    def scenes(self) -> tuple[tuple[str, float], ...]:
        """One cycle; the channel begins it anew."""
        return tuple((kind, length * self.segment_sec) for kind, length in SCENES)

    @property
    def config(self) -> dict[str, Any]:
        """The `config` of a monitor of such a stream."""
        media_sec = MEDIA_THRESHOLD * self.segment_sec
        return {
            "blackout_threshold_sec": media_sec,
            "silence_threshold_sec": media_sec,
            "freeze_threshold_sec": media_sec,
            "recovery_sec": RECOVERY * self.segment_sec,
            "flapping_recovery_factor": 0,  # each scripted fault is told by itself
            "suspend_threshold_sec": SUSPEND_THRESHOLD * self.segment_sec,
            "segment_error_threshold_sec": ERROR_THRESHOLD * self.segment_sec,
            "on_delivery_failure": "continue",
        }

    def changes(self) -> list[Change]:
        """Return the stalls of the schedule and its end."""
        stalls = [
            Change(
                kind="stall",
                at_sec=self._within(cycle, STALL_BEFORE),
                for_sec=STALL_SEGMENTS * self.segment_sec,
            )
            for cycle in range(self.cycles)
        ]
        return [*stalls, Change(kind="end", at_sec=self._within(self.cycles, 0))]

    def faults(self) -> list[Fault]:
        """Return the segments that fail."""
        return [
            Fault(
                first_sequence=_number(cycle, FAILING[0]),
                last_sequence=_number(cycle, FAILING[-1]),
                **FAILURES[cycle % len(FAILURES)],
            )
            for cycle in range(self.cycles)
        ]

    def truth(self, channel: Channel) -> list[Moment]:
        """Return what is to be told of a channel that has ended, in order."""
        published = channel.published
        moments = [
            moment
            for scene in channel.scenes_on_air(*SCENE_KINDS)
            if scene.start_sec < self._within(self.cycles, 0)  # it would have begun once more
            for moment in self._of_scene(scene, published)
        ]
        for cycle in range(self.cycles):
            moments += self._of_stall(_number(cycle, STALL_BEFORE), published)
            moments += _of_failure(_number(cycle, FAILING[0]), published)
        return sorted(moments, key=lambda moment: moment.known_at)

    def _of_scene(self, scene: SceneOnAir, published: Sequence[Published]) -> list[Moment]:
        opening_sec = scene.start_sec + MEDIA_THRESHOLD * self.segment_sec
        closing_sec = scene.end_sec + RECOVERY * self.segment_sec
        shown, opening, closing = (
            int(moment / self.segment_sec) for moment in (scene.start_sec, opening_sec, closing_sec)
        )
        times = {
            "started_at": scene.started_at.timestamp(),
            "shown_at": published[shown].published_at,
        }
        opens, closes = EVENT_TYPES[SCENE_KINDS[scene.scene.kind]]
        return [
            Moment(opens, opening, published[opening].published_at, **times),
            Moment(closes, closing, published[closing].published_at, **times),
        ]

    def _of_stall(self, following: int, published: Sequence[Published]) -> list[Moment]:
        """Return the moments of the stall before the segment `following`."""
        last_at = published[following - 1].published_at
        times = {"started_at": last_at, "shown_at": last_at + self.segment_sec}
        opens, closes = EVENT_TYPES["suspended"]
        opened_at = last_at + SUSPEND_THRESHOLD * self.segment_sec
        return [
            Moment(opens, None, opened_at, **times),
            Moment(closes, following, published[following].published_at, **times),
        ]

    def _within(self, cycle: int, segment: int) -> float:
        """Return a stream time inside a segment, away from its borders."""
        return (_number(cycle, segment) + 0.5) * self.segment_sec


def _number(cycle: int, segment: int) -> int:
    return cycle * CYCLE_SEGMENTS + segment


def _of_failure(first: int, published: Sequence[Published]) -> list[Moment]:
    """Return the moments of the failure that begins with the segment `first`."""
    opening, closing = first + math.ceil(ERROR_THRESHOLD), first + len(FAILING)
    first_at = published[first].published_at
    times = {"started_at": first_at, "shown_at": first_at}
    opens, closes = EVENT_TYPES["segment error"]
    return [
        Moment(opens, opening, published[opening].published_at, **times),
        Moment(closes, closing, published[closing].published_at, **times),
    ]
