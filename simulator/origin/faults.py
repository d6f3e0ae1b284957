"""Scripted faults of the answers: what goes wrong, with which resource, and when.

Faults of the schedule (stall, restart, jump, end) are `simulator.origin.publication.Change`.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import BaseModel, Field, model_validator


class FaultKind(StrEnum):
    STATUS = "status"  # another status, no media
    TRUNCATE = "truncate"  # a complete answer with the first part of the file
    CORRUPT = "corrupt"  # some bytes are wrong
    GARBAGE = "garbage"  # random bytes instead of media
    EMPTY = "empty"  # 200 and no body
    ENDLESS = "endless"  # a body that never ends, no Content-Length
    DRIP = "drip"  # the right body at `bytes_per_sec`
    DELAY = "delay"  # the right answer after `delay_sec`
    HANG = "hang"
    """No answer; with `keep_ratio` above 0 the head and that part of the body, then nothing."""
    RESET = "reset"
    """The connection is reset; with `keep_ratio` above 0 after that part of the body."""
    CUT = "cut"  # Content-Length is right, the connection closes after `keep_ratio` of the body
    STALE = "stale"  # the playlist as it was `age_sec` ago, as a cache that lags behind has it
    FROZEN = "frozen"  # the playlist as it was at `from_sec`, as a packager leaves it that hangs
    ENDED = "ended"  # the same, with EXT-X-ENDLIST
    GZIP_BOMB = "gzip_bomb"  # a small gzip body that unpacks to `size_bytes`


class Target(StrEnum):
    ANY = "any"
    MASTER = "master"
    PLAYLIST = "playlist"
    SEGMENT = "segment"
    INIT = "init"


_DEFAULTS: dict[str, dict[str, Any]] = {
    FaultKind.TRUNCATE: {"keep_ratio": 0.5},
    FaultKind.CUT: {"keep_ratio": 0.5},
    FaultKind.STALE: {"target": Target.PLAYLIST},
    FaultKind.FROZEN: {"target": Target.PLAYLIST, "from_sec": 0.0},
    FaultKind.ENDED: {"target": Target.PLAYLIST, "from_sec": 0.0},
    FaultKind.GZIP_BOMB: {"target": Target.PLAYLIST},
}


class Fault(BaseModel, frozen=True, extra="forbid"):
    """One fault. Conditions left out do not restrict it."""

    kind: FaultKind
    target: Target = Target.SEGMENT  # segments, unless the kind is one of playlists
    label: str | None = None  # only this rendition (`v0`, `v1`, ..., `audio`)
    # stream time; a segment is hit when it overlaps, a playlist when the stream's present position
    # is inside
    from_sec: float | None = None
    to_sec: float | None = None
    # media sequence, inclusive; of a playlist its newest
    first_sequence: int | None = None
    last_sequence: int | None = None
    skip_requests: Annotated[int, Field(ge=0)] = 0  # matching requests that are answered well first
    # matching requests that are hit afterwards
    max_requests: Annotated[int, Field(ge=1)] | None = None
    every: Annotated[int, Field(ge=1)] = 1  # hit only every n-th matching request
    # wall time after which a fault that was switched on is over
    for_sec: Annotated[float, Field(gt=0)] | None = None
    status: Annotated[int, Field(ge=200, le=599)] = 404
    # how much of the body arrives: half of it for truncate and cut, nothing for hang and reset,
    # when left out
    keep_ratio: Annotated[float, Field(ge=0, lt=1)] = 0.0
    # how many of the bytes are wrong (corrupt)
    damage_ratio: Annotated[float, Field(gt=0, le=1)] = 0.02
    delay_sec: Annotated[float, Field(gt=0)] = 5.0
    bytes_per_sec: Annotated[int, Field(gt=0)] = 1000
    size_bytes: Annotated[int, Field(gt=0)] = 100 * 1024 * 1024
    age_sec: Annotated[float, Field(gt=0)] = 10.0

    @model_validator(mode="before")
    @classmethod
    def _defaults_of_the_kind(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        return _DEFAULTS.get(str(given.get("kind")), {}) | given

    @model_validator(mode="after")
    def _playlists_only(self) -> Self:
        if self.kind is FaultKind.STALE and self.target is not Target.PLAYLIST:
            raise ValueError("only a playlist can be stale: target must be playlist")
        return self

    def concerns(self, resource: "Resource") -> bool:
        """Tell whether the conditions on the resource are met; counts and clocks aside."""
        return (
            self.target in (Target.ANY, resource.target)
            and self.label in (None, resource.label)
            and _at_least(resource.sequence, self.first_sequence)
            and _at_most(resource.sequence, self.last_sequence)
            and self._overlaps(resource.start_sec, resource.end_sec)
        )

    def _overlaps(self, start_sec: float, end_sec: float) -> bool:
        if self.to_sec is not None and start_sec >= self.to_sec:
            return False
        return self.from_sec is None or end_sec > self.from_sec or start_sec >= self.from_sec


@dataclass(frozen=True, slots=True)
class Resource:
    """What a request asks for."""

    target: Target
    label: str | None
    sequence: int | None  # of a playlist its newest; None before the first segment
    # stream time of a segment; of everything else the present position
    start_sec: float
    end_sec: float


def drop(sequence: int, last: int | None = None) -> Fault:
    """Return the fault of segments that are listed but were never stored: 404."""
    return Fault(
        kind=FaultKind.STATUS,
        first_sequence=sequence,
        last_sequence=sequence if last is None else last,
    )


def disappear() -> Fault:
    """Return the fault of a channel that is gone: everything is 404."""
    return Fault(kind=FaultKind.STATUS, target=Target.ANY)


def damaged(fault: Fault, body: bytes, seed: int) -> bytes:
    """Return the body as the fault leaves it, the same for the same seed."""
    match fault.kind:
        case FaultKind.TRUNCATE:
            return kept(fault, body)
        case FaultKind.CORRUPT:
            return _corrupted(body, fault.damage_ratio, random.Random(seed))
        case FaultKind.GARBAGE:
            return random.Random(seed).randbytes(len(body))
        case FaultKind.EMPTY:
            return b""
        case FaultKind.ENDED:
            return body + b"#EXT-X-ENDLIST\n"
    return body


def kept(fault: Fault, body: bytes) -> bytes:
    return body[: int(len(body) * fault.keep_ratio)]


def _corrupted(body: bytes, ratio: float, chance: random.Random) -> bytes:
    if not body:
        return body
    changed = bytearray(body)
    for place in chance.sample(range(len(body)), max(1, int(len(body) * ratio))):
        changed[place] ^= chance.randrange(1, 256)
    return bytes(changed)


def _at_least(value: int | None, bound: int | None) -> bool:
    return bound is None or (value is not None and value >= bound)


def _at_most(value: int | None, bound: int | None) -> bool:
    return bound is None or (value is not None and value <= bound)


class FaultSet:
    """The faults of one channel, in the order in which they are asked."""

    def __init__(self) -> None:
        self._active: dict[int, _ActiveFault] = {}
        self._next_id = 1

    def __iter__(self) -> Iterator[tuple[int, Fault]]:
        return iter([(number, active.fault) for number, active in self._active.items()])

    def add(self, fault: Fault, now: float) -> int:
        """Switch a fault on and return the number that `remove` takes."""
        number, self._next_id = self._next_id, self._next_id + 1
        expires_at = None if fault.for_sec is None else now + fault.for_sec
        self._active[number] = _ActiveFault(fault, expires_at)
        return number

    def remove(self, number: int) -> bool:
        return self._active.pop(number, None) is not None

    def clear(self) -> None:
        self._active.clear()

    def strike(self, resource: Resource, now: float) -> Fault | None:
        """Return the first fault that hits this request. Counts the request."""
        for number, active in list(self._active.items()):
            if active.expires_at is not None and now >= active.expires_at:
                self.remove(number)
            elif active.fault.concerns(resource) and active.hits():
                return active.fault
        return None


@dataclass
class _ActiveFault:
    fault: Fault
    expires_at: float | None
    seen: int = 0
    hit: int = 0

    def hits(self) -> bool:
        """Count a matching request and tell whether it is hit."""
        self.seen += 1
        number = self.seen - self.fault.skip_requests
        if number <= 0 or number % self.fault.every:
            return False
        if self.fault.max_requests is not None and self.hit >= self.fault.max_requests:
            return False
        self.hit += 1
        return True
