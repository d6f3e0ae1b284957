"""How a decoder process and its pool talk.

The pool sends jobs: a head of fixed size and the material. The decoder answers once when it is
ready and once for each job: a length in 4 bytes and that much JSON. The answers come from a process
that hostile media may have taken over: they are bounded in size, read as JSON of a known shape, and
must carry the number of the job (`media.decoding.decoder_probe`). So nothing that was said before a
job was sent is taken for its answer.
"""

import struct
from typing import NamedTuple

from monitors.frames import BLOCKS, DecodeDepth
from monitors.pictures import MOST_PICTURE_BYTES
from monitors.sound import most_sound_blocks

MAX_ANSWER_BYTES = 16 * 1024 * 1024

ANSWER_BASE_BYTES = 64 * 1024  # 500 black stretches are half: a second may have 1,000 pictures
ANSWER_BYTES_PER_SEC = 32 * 1024
"""For each second of a segment. Two still frames, 65 black stretches and 50 that are silent or
without sound, the most that a second can hold, take half of it."""

PICTURE_ANSWER_BYTES = MOST_PICTURE_BYTES * 4 // 3 + 64  # as base64
ALL_SOUNDS_FACTOR = 4  # where all audio tracks are measured
_HEAD = struct.Struct(f">QIIIIddIIBB???{BLOCKS}s")
HEAD_BYTES = _HEAD.size


class Material(NamedTuple):
    """What is decoded."""

    slates: bytes  # that are looked for; see `monitors.measurement.ReferenceSlates`
    # of earlier segments, for one that has none; see `Findings.parameter_sets`
    parameter_sets: bytes
    lead: bytes  # the segments since the last keyframe, for one that does not begin with one
    segment: bytes


class JobHead(NamedTuple):
    """What comes before the material."""

    number: int
    # sizes of the parts of a `Material`
    slates_bytes: int
    sets_bytes: int
    lead_bytes: int
    segment_bytes: int
    duration_sec: float  # what its playlist says of it (EXTINF)
    silence_db: float  # sound that stays under this level is silence, in dBFS
    max_frames: int  # further pictures are not looked at
    cpu_sec: int  # CPU time until the kernel kills the decoder
    sound_checks: int  # what else is measured of the sound; see `monitors.sound.SoundChecks`
    depth: int = DecodeDepth.EVERYTHING
    all_sounds: bool = False  # whether the additional audio tracks are measured, too
    # see `monitors.measurement.ProbeContext`; zeros for none
    with_signatures: bool = False
    with_picture: bool = False
    reference: bytes = bytes(BLOCKS)

    @property
    def most_answer_bytes(self) -> int:
        wanted = ANSWER_BASE_BYTES + int(ANSWER_BYTES_PER_SEC * self.duration_sec)
        wanted *= ALL_SOUNDS_FACTOR if self.all_sounds else 1
        wanted += PICTURE_ANSWER_BYTES if self.with_picture else 0
        return min(wanted, MAX_ANSWER_BYTES)

    @property
    def most_sound_blocks(self) -> int:
        return most_sound_blocks(self.duration_sec)

    def pack(self) -> bytes:
        return _HEAD.pack(*self)

    @classmethod
    def unpack(cls, head: bytes) -> "JobHead":
        return cls(*_HEAD.unpack(head))
