"""The frames of a segment, scaled down, and the spans in which they show something.

They are small enough to be looked at one by one at their full rate, and the averaging removes most
of what compression adds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from media.decoding.decoder.results import Span
from monitors.frames import BLOCK_SIZE, BLOCKS, FRAME_BYTES, FRAME_HEIGHT, FRAME_WIDTH, LUMA_BYTES

Flags = NDArray[np.bool_]  # one for each frame


@dataclass(frozen=True)
class SmallFrames:
    """`pixels` has the shape (n, `FRAME_BYTES`), see `monitors.frames`."""

    pixels: NDArray[np.uint8]

    @classmethod
    def of(cls, frames: Sequence[bytes]) -> Self:
        return cls.read(b"".join(frames))

    @classmethod
    def read(cls, data: bytes) -> Self:
        return cls(np.frombuffer(data, np.uint8).reshape(-1, FRAME_BYTES))

    def __len__(self) -> int:
        return len(self.pixels)

    def __getitem__(self, which: slice | Flags | NDArray[np.intp]) -> "SmallFrames":
        return SmallFrames(self.pixels[which])

    @property
    def luma(self) -> NDArray[np.uint8]:
        """Shape (n, pixels)."""
        return self.pixels[:, :LUMA_BYTES]

    @property
    def colours(self) -> NDArray[np.uint8]:
        """All of U and V, shape (n, values)."""
        return self.pixels[:, LUMA_BYTES:]

    @property
    def chroma(self) -> NDArray[np.uint8]:
        """U and V, shape (n, 2, blocks): a block has one of each."""
        return self.colours.reshape(-1, 2, BLOCKS)

    def block_sums(self) -> NDArray[np.int16]:
        """Return the sum of each block's luma, shape (n, blocks)."""
        pairs = self.luma.reshape(len(self), FRAME_HEIGHT, FRAME_WIDTH).view(np.uint16)
        lines = (pairs & 0xFF) + (pairs >> 8)
        sums: NDArray[np.uint16] = lines[:, ::BLOCK_SIZE] + lines[:, 1::BLOCK_SIZE]
        return sums.reshape(len(self), BLOCKS).view(np.int16)


def edges_of(times: NDArray[np.float64], end: float) -> list[float]:
    """Return n + 1 edges: each frame's start, and the end of the last one."""
    # The first frame counts from the segment's first moment, though its time may be later.
    inner = np.clip(np.maximum.accumulate(times[1:]), 0.0, end)
    return [0.0, *inner.tolist(), end]


def spans_of(flags: Flags, edges: Sequence[float]) -> list[Span]:
    return [Span(edges[first], edges[stop]) for first, stop in runs_of(flags)]


def runs_of(flags: Flags) -> list[tuple[int, int]]:
    """Return (first, stop) index pairs of the runs of True."""
    padded = np.zeros(len(flags) + 2, np.bool_)
    padded[1:-1] = flags
    changes = np.flatnonzero(padded[1:] != padded[:-1])
    return list(zip(changes[::2].tolist(), changes[1::2].tolist(), strict=True))


def middle_of(values: NDArray[np.generic]) -> float:
    """Return the median of one axis, the upper one of an even number."""
    # Not by `np.median`, which imports more when it is first called: too late in a confined
    # process.
    place = len(values) // 2
    return float(np.partition(values, place)[place])
