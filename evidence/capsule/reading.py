"""Reading a capsule. Strangers may have made it: all that it says is checked and bounded."""

from collections.abc import Iterator
from typing import Any, BinaryIO, TypeVar

from pydantic import TypeAdapter, ValidationError

from evidence.capsule.archive import MOST_BYTES, InvalidCapsule, content_of, read_archive
from evidence.capsule.contents import (
    CONFIG,
    EVENT,
    JOURNAL,
    MOST_JSON_BYTES,
    STATE,
    VERSIONS,
    CapsuleEvent,
    PlaylistLine,
    StepLine,
)
from evidence.capsule.manifest import read_manifest
from monitors.config import MonitorConfig

_LINE: TypeAdapter[StepLine | PlaylistLine] = TypeAdapter(StepLine | PlaylistLine)
_STATE: TypeAdapter[dict[str, Any]] = TypeAdapter(dict[str, Any])
_VERSIONS: TypeAdapter[dict[str, str]] = TypeAdapter(dict[str, str])
MOST_LINES = 50_000

ValueT = TypeVar("ValueT")


class Capsule:
    """A capsule whose files are those that its manifest lists; who signed it is not asked.

    It raises `InvalidCapsule` for what is none.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        members = read_archive(file)
        self._members = {each.name: each for each in members}
        self.manifest, _ = read_manifest(file, members)
        self.event: CapsuleEvent = self._value(EVENT, TypeAdapter(CapsuleEvent))
        self.config: MonitorConfig = self._value(CONFIG, TypeAdapter(MonitorConfig))
        self.versions = self._value(VERSIONS, _VERSIONS)
        self.state = self._value(STATE, _STATE)

    def content(self, path: str, most_bytes: int = MOST_BYTES) -> bytes:
        if path not in self._members:
            raise InvalidCapsule(f"{path} is missing")
        return content_of(self._file, self._members[path], most_bytes)

    def steps(self) -> Iterator[StepLine]:
        """Yield the steps of the journal.

        Raises:
            InvalidCapsule: a line of it is none.
        """
        lines = self.content(JOURNAL, MOST_JSON_BYTES).splitlines()
        if len(lines) > MOST_LINES:
            raise InvalidCapsule(f"{JOURNAL} has too many lines")
        for number, text in enumerate(lines, 1):
            line = _parsed(text, _LINE, f"line {number} of {JOURNAL}")
            if isinstance(line, StepLine):
                yield line

    def _value(self, path: str, kind: TypeAdapter[ValueT]) -> ValueT:
        return _parsed(self.content(path, MOST_JSON_BYTES), kind, path)


def _parsed(text: bytes, kind: TypeAdapter[ValueT], name: str) -> ValueT:
    try:
        return kind.validate_json(text)
    except ValidationError:
        raise InvalidCapsule(f"{name} is not of this format") from None
