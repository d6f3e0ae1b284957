"""What is measured of sound, and how far it may be from the pictures that it belongs to.

A multiplexer sends pictures up to a second ahead of sound, and who cuts a stream at its pictures
cuts the sound elsewhere. Timestamps further apart belong to no common clock.
"""

from enum import IntFlag

LONGEST_LEAD_SEC = 3.0  # sound may come this much earlier in a segment than its first picture

SHORT_GAP_SEC = 0.25
"""Time without samples up to this long is an artefact of cutting and decoding, if no silence is
beside it: an encoder's priming, a frame that is cut off, frames that need the one before."""

LONGEST_HOLE_SEC = 60.0
"""A longer jump in the timestamps of separate audio is another clock. Audio that stops for longer
is missing by wall-clock time; see `monitors.detectors.stream_faults`."""

LONGEST_AHEAD_SEC = 60.0  # so much sound of later segments may come in one that has few pictures

BLOCK_SEC = 0.1  # figures are of blocks this long

MOST_BLOCKS = 72_000
MOST_CHANNELS = 64


def most_sound_blocks(duration_sec: float) -> int:
    """Return how many blocks are measured of a segment that declares this duration."""
    return min(MOST_BLOCKS, int((duration_sec + LONGEST_AHEAD_SEC) / BLOCK_SEC))


class SoundChecks(IntFlag):
    """What is measured only where somebody asks for it."""

    LOUDNESS = 1
    PEAKS = 2
    PHASE = 4
