"""What a programme of the corpus is: pictures, sound, and what a viewer says of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
"""RGB, shape (height, width, 3)."""

Samples = NDArray[np.float32]
"""Shape (channels, n), full scale is 1."""


@dataclass(frozen=True)
class Canvas:
    """The size of pictures and how many there are in a second."""

    width: int = 192
    height: int = 108
    fps: int = 10


Picture = Callable[[float, Canvas], Image]
"""What is shown at a moment, in seconds from the programme's first frame. Always the same."""

Sound = Callable[[NDArray[np.float64], int], Samples]
"""What is heard at moments, which follow each other at a sample rate."""


@dataclass(frozen=True)
class Fault:
    """What a viewer sees or hears from `start_sec` to `end_sec`.

    Attributes:
        kind: of the incident that it is when it lasts long enough.
        is_certain: False where one viewer says so and another does not: both answers are right.
        is_sharp: False where an encoder blurs a beginning or an end: it lets what was loud sound on
            for a frame (0.043 s of AAC at 24 kHz), or delays everything by one.
    """

    kind: str
    start_sec: float
    end_sec: float
    is_certain: bool = True
    is_sharp: bool = field(default=True, repr=False)  # no other media: the cache goes by repr


@dataclass(frozen=True)
class Coding:
    """How a programme is encoded.

    Attributes:
        video, audio: further arguments of ffmpeg.
        scale: width and height of the rendition; None is that of the canvas.
        container: `mpegts` or `fmp4`.
        sample_rate: in Hz.
        channels: of sound.
    """

    video: tuple[str, ...] = ("-c:v", "libx264", "-preset", "veryfast", "-b:v", "120k")
    audio: tuple[str, ...] = ("-c:a", "aac", "-b:a", "64k")
    scale: tuple[int, int] | None = None
    container: str = "mpegts"
    sample_rate: int = 24_000
    channels: int = 1


@dataclass(frozen=True, kw_only=True)
class Programme:
    """A programme of the corpus.

    Attributes:
        group: of programmes like it: a row of the table.
        picture, sound: None where there is no such track.
        config: of its monitor, beside the thresholds.
        slates: that were uploaded, by name.
    """

    name: str
    group: str
    seconds: float
    picture: Picture | None
    sound: Sound | None
    faults: tuple[Fault, ...] = ()
    canvas: Canvas = Canvas()
    coding: Coding = Coding()
    config: Mapping[str, Any] = field(default_factory=dict)
    slates: Mapping[str, Picture] = field(default_factory=dict)
