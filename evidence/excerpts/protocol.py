"""How the process that makes pictures and clips and its owner talk.

The owner sends a job: a head as JSON, then the bytes of its pieces. The process answers once when
it is ready (JSON) and once for each job: the job's number, a word for what came of it, and up to
two files. Answers come from a process that hostile media may have taken over: they are bounded in
size and checked (`evidence.excerpt_maker`).
"""

import struct
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from media.processes.framing import LENGTH, pack_json
from monitors.pictures import MOST_PICTURE_BYTES

MOST_CLIP_BYTES = 64 * 1024 * 1024

NO_PICTURE = "no_picture"
UNDECODABLE = "undecodable"
TOO_LARGE = "too_large"

_ANSWER = struct.Struct(">Q24s?II")


class NothingMade(Exception):
    """Nothing can be made of the segments; `reason` is a stable word."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class JobKind(StrEnum):
    PICTURES = "pictures"  # the last picture before a moment, and the first one from then on
    CLIP = "clip"


class Piece(NamedTuple):
    """One segment of a job."""

    media: bytes
    starts_sec: float  # of its first moment, on a clock that all pieces of the job share
    duration_sec: float
    is_audio: bool = False  # whether it is of the playlist that carries the sound alone

    @property
    def ends_sec(self) -> float:
        return self.starts_sec + self.duration_sec

    @property
    def head(self) -> tuple[int, float, float, bool]:
        """What comes before its bytes; see `ExcerptJob.pieces`."""
        return len(self.media), self.starts_sec, self.duration_sec, self.is_audio


@dataclass(frozen=True)
class ExcerptJob:
    """What the process is asked for."""

    number: int  # of the job, which nobody can guess
    kind: JobKind
    moment_sec: float  # first moment of the fault, on the clock of the pieces
    cpu_sec: int  # until the kernel kills the process
    wall_sec: float  # until its owner does
    # size, `starts_sec`, `duration_sec` and `is_audio` of each
    pieces: list[tuple[int, float, float, bool]]

    @classmethod
    def read(cls, head: dict[str, Any]) -> "ExcerptJob":
        return cls(**{**head, "kind": JobKind(head["kind"])})

    def pack(self) -> bytes:
        return pack_json(asdict(self))

    @property
    def most_answer_bytes(self) -> int:
        most = MOST_CLIP_BYTES if self.kind is JobKind.CLIP else 2 * MOST_PICTURE_BYTES
        return _ANSWER.size + most


class ExcerptAnswer(NamedTuple):
    """What came of a job."""

    number: int
    failure: str = ""  # stable word; empty where something was made
    # two pictures, of which one may be missing (empty), or one clip
    files: tuple[bytes, bytes] = (b"", b"")
    is_cut: bool = False  # whether the clip lacks an end that was too costly

    def pack(self) -> bytes:
        first, second = self.files
        sizes = len(first), len(second)
        head = _ANSWER.pack(self.number, self.failure.encode(), self.is_cut, *sizes)
        return LENGTH.pack(len(head) + len(first) + len(second)) + head + first + second

    @classmethod
    def read(cls, body: bytes) -> "ExcerptAnswer":
        if len(body) < _ANSWER.size:
            raise ValueError("an answer that is too short")
        number, word, is_cut, first, second = _ANSWER.unpack_from(body)
        files = memoryview(body)[_ANSWER.size :]
        if len(files) != first + second:
            raise ValueError("an answer of another size than it says")
        failure = word.rstrip(b"\0").decode("ascii")
        return cls(number, failure, (bytes(files[:first]), bytes(files[first:])), is_cut)
