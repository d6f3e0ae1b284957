"""How closely a segment's picture is looked at, and what that tells of it."""

from enum import IntEnum, StrEnum


class Depth(IntEnum):
    """How much of a segment's picture is looked at; all of it where it is dark or broken.

    Attributes:
        KEYFRAMES: the keyframes, and what shows that one that differs is no flaw.
        MOVEMENT: as much as shows that it moves; all of it where it does not.
        EVERYTHING: each picture.
    """

    KEYFRAMES = 0
    MOVEMENT = 1
    EVERYTHING = 2


class Motion(StrEnum):
    """What landmarks (`media.decoding.decoder.reference_frames`) tell of a segment.

    Attributes:
        MOVES: it begins with a keyframe, has no dark one, and has landmarks enough.
        STANDS: the same, but without landmarks, as far as was looked.
        UNCLEAR: anything else.
    """

    MOVES = "moves"
    STANDS = "stands"
    UNCLEAR = "unclear"
