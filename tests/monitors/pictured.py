"""Programmes of small pictures, measured as a decoder measures them, in full or at a context."""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from media.decoding.decoder.black_frames import find_black
from media.decoding.decoder.movement import Movement
from media.decoding.decoder.still_frames import still_runs
from monitors.config import Thresholds
from monitors.detectors.media_detectors import MediaDetectors
from monitors.detectors.skimming import may_defer
from monitors.detectors.stream_time import SegmentPosition
from monitors.frames import BLOCK_SIZE, BLOCKS, FRAME_HEIGHT, FRAME_WIDTH, DecodeDepth, Motion
from monitors.incidents import IncidentChange, IncidentOpened
from monitors.measurement import (
    CachedSegment,
    Interval,
    ProbeContext,
    SegmentMeasurement,
    StillRun,
)
from tests.media.decoding.decoder.drawn import film
from tests.monitors.media_timeline import segment_position

Picture = NDArray[np.uint8]

FPS = 10
ROWS, COLUMNS = FRAME_HEIGHT // BLOCK_SIZE, FRAME_WIDTH // BLOCK_SIZE


@lru_cache(maxsize=4096)
def drawing(seed: int) -> Picture:
    """Return a picture of squares that is like no other."""
    squares = np.random.default_rng(seed).integers(40, 216, (ROWS, COLUMNS))
    picture = squares.repeat(BLOCK_SIZE, 0).repeat(BLOCK_SIZE, 1).astype(np.uint8)
    picture.flags.writeable = False
    return picture


def moving(seed: int, frame: int) -> Picture:
    return drawing(1000 * seed + frame)


def still(seed: int, frame: int) -> Picture:
    return drawing(seed)


def flickering(seed: int, frame: int) -> Picture:
    """A still picture whose keyframes and what follows differ as much as a freeze may."""
    return drawing(seed) + np.uint8(7 * (frame // 7 % 2))


def drawings(seed: int, frame: int) -> Picture:
    """Drawings that are held for half a second up to five."""
    return drawing(1000 * seed + frame // (5 + seed % 46))


def pan(seed: int, frame: int) -> Picture:
    return np.roll(drawing(seed), frame // (1 + seed % 20), 1)


def talking(seed: int, frame: int) -> Picture:
    picture = drawing(seed).copy()
    picture[10:14, 20:28] = 60 if frame % 40 > 32 else 60 + frame % 5 * 30
    return picture


def stumbling(seed: int, frame: int) -> Picture:
    """A still picture with a flaw of a moment now and then."""
    return drawing(seed + 1) if is_flaw(frame) else drawing(seed)


def is_flaw(frame: int) -> bool:
    return frame % 23 == 11


def blinking(seed: int, frame: int) -> Picture:
    """A still picture that is black for a moment now and then."""
    return black(seed, frame) if frame % (20 + seed) in (11, 12, 13) else drawing(seed)


def black(seed: int, frame: int) -> Picture:
    return np.full((FRAME_HEIGHT, FRAME_WIDTH), 3 + frame % 3, np.uint8)


def dark(seed: int, frame: int) -> Picture:
    return drawing(seed + frame) // 4


SCENES: dict[str, Callable[[int, int], Picture]] = {
    each.__name__: each
    for each in (
        moving,
        still,
        flickering,
        drawings,
        pan,
        talking,
        stumbling,
        blinking,
        black,
        dark,
    )
}


@dataclass(frozen=True)
class Shown:
    """A segment of a programme.

    Attributes:
        pictures: shape (n, height, width), `FPS` a second.
        keyframes: which of them are.
        is_lost: nobody can fetch or decode it.
        restarts: another worker goes on before it.
        has_room: whether the cache has room for more when it comes.
    """

    position: SegmentPosition
    pictures: Picture
    keyframes: tuple[int, ...]
    silent: tuple[Interval, ...] = ()
    is_lost: bool = False
    restarts: bool = False
    has_room: bool = True
    thresholds: Thresholds = field(default_factory=Thresholds)

    @property
    def duration_sec(self) -> float:
        return self.position.duration_sec

    def measured(self, context: ProbeContext) -> SegmentMeasurement:
        """What a decoder measures, as a watch gets it."""
        found = SegmentMeasurement(duration_sec=self.duration_sec, silent=list(self.silent))
        movement = Movement(context.reference or bytes(BLOCKS))
        frames = film(*self.pictures)
        movement.begin(frames.pixels[0].tobytes())
        if context.depth is DecodeDepth.MOVEMENT:
            times = (np.arange(len(self.pictures)) / FPS).tolist()
            movement.look_at([each.tobytes() for each in frames.pixels], times)
            motion = Motion.STATIC if not movement.is_dark else Motion.UNKNOWN
            found.motion = Motion.MOVING if movement.is_proven else motion
        found.keyframe = movement.keyframe
        is_sampled = context.depth is DecodeDepth.KEYFRAME and not movement.is_dark
        if is_sampled or found.motion is Motion.MOVING:
            cached = CachedSegment(str(self.position.sequence).encode())
            return found.model_copy(update={"is_skimmed": True, "cached": cached})
        moments = np.arange(len(self.pictures)) / FPS
        blackness = find_black(frames, moments, self.duration_sec)
        runs = still_runs(frames, moments, self.duration_sec)
        still = [StillRun(start=a, end=b, picture=picture) for a, b, picture in runs]
        seen = {
            "black": [Interval(start=a, end=b) for a, b in blackness.spans],
            "lights_change": blackness.lights_change,
            "lights": blackness.lights,
            "still": still,
        }
        return found.model_copy(update=seen)


def cut(
    scenes: Sequence[tuple[str, int, int]], lengths: Iterator[int], keyframes_apart: int
) -> list[Shown]:
    """Cut a programme into segments.

    Args:
        scenes: kind, seed and length in pictures.
        lengths: of segments, in pictures.
        keyframes_apart: pictures from one keyframe to the next; each segment begins with one.
    """
    shown = [SCENES[kind](seed, frame) for kind, seed, count in scenes for frame in range(count)]
    pictures, segments, start = np.stack(shown), list[Shown](), 0
    while start < len(pictures):
        stop = min(start + next(lengths), len(pictures))
        segments.append(
            Shown(
                position=segment_position(len(segments), start / FPS, (stop - start) / FPS),
                pictures=pictures[start:stop],
                keyframes=tuple(range(0, stop - start, keyframes_apart)),
            )
        )
        start = stop
    return segments


class Watched(NamedTuple):
    """What came of watching a programme.

    Attributes:
        told: what changed, and in which segment it was noticed.
        depths: how much of each segment was decoded first.
        skimmed: whether its frames were not judged at once.
        measured_again: how many deferred segments were decoded in full before it.
        deferred: how many were deferred after it.
    """

    told: list[tuple[int, IncidentChange]]
    depths: list[DecodeDepth]
    skimmed: list[bool]
    measured_again: list[int]
    deferred: list[int]


AtHand = Callable[[int, int], bool]
"""Whether a deferred segment can be had when another is measured, by their sequence numbers."""


def watched(
    programme: Sequence[Shown], *, skims: bool, at_hand: AtHand = lambda *_: True
) -> Watched:
    """Watch a programme."""
    detectors, seen = MediaDetectors(), Watched([], [], [], [], [])
    by_sequence = {each.position.sequence: each for each in programme}
    for segment in programme:
        if segment.restarts:
            detectors = MediaDetectors.model_validate_json(detectors.model_dump_json())
        if segment.is_lost:
            detectors.skip(segment.duration_sec)
            continue
        context = detectors.probe_context(
            segment.duration_sec, segment.thresholds, has_room=segment.has_room
        )
        measurement = segment.measured(context if skims else ProbeContext())
        due = detectors.video.due_before(measurement)
        again = [
            by_sequence[each.position.sequence].measured(ProbeContext())
            if at_hand(each.position.sequence, segment.position.sequence)
            else None
            for each in due
        ]
        detectors.video.judge_deferred(again, segment.thresholds)
        seen.depths.append(context.depth)
        seen.skimmed.append(may_defer(measurement))
        seen.measured_again.append(sum(each.measurement.is_skimmed for each in due))
        for change in detectors.feed(measurement, segment.position, segment.thresholds):
            seen.told.append((segment.position.sequence, _rounded(change)))
        seen.deferred.append(len(detectors.video.deferred))
    return seen


def _rounded(change: IncidentChange) -> IncidentChange:
    """Return a change without the noise of sums that were made in another order."""
    name = "duration_sec" if isinstance(change, IncidentOpened) else "total_duration_sec"
    return change.model_copy(update={name: round(getattr(change, name), 6)})


def lengths_around(frames: int, chance: random.Random) -> Iterator[int]:
    while True:
        yield max(5, frames + chance.choice((0, 0, 0, -3, 2)))
