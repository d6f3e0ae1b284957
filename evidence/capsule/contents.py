"""The files of a capsule beside its media: how they are written, and how they are read.

Strangers may have made a capsule: all that it says is checked and bounded.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Final, TypeVar

from pydantic import AwareDatetime, BaseModel, TypeAdapter, ValidationError

from evidence.capsule.archive import MOST_BYTES, InvalidCapsule, content_of, read_archive
from evidence.capsule.manifest import read_manifest
from monitors.config import MonitorConfig
from monitors.delivery import bounded_data
from monitors.events import EventDraft
from monitors.measurement import ProbeContext

EVENT: Final = "event.json"
CONFIG: Final = "config.json"
STATE: Final = "state.json"
JOURNAL: Final = "journal.jsonl"
VERSIONS: Final = "versions.json"
ELSEWHERE: Final[dict[str, Any]] = {"lead": b"", "slates": None, "parameter_sets": b""}
"""Of a `ProbeContext`, what has a file of its own."""

MOST_JSON_BYTES: Final = 16 * 1024 * 1024
MOST_LINES: Final = 50_000


class ProbedFile(BaseModel, extra="forbid", frozen=True):
    """What a probe was given, by the paths of what is in the capsule."""

    init: str | None  # initialization section, which comes before the segment; None: it has none
    segment: str | None  # None: there was no more room for it in the memory of the worker
    # lead, slates, parameter sets: see `ProbeContext`; None: there were none
    lead: str | None
    slates: str | None
    slate_names: tuple[str, ...] | None
    parameter_sets: str | None
    duration_sec: float
    silence_db: float
    context: ProbeContext | None  # without those three
    undecodable: str | None  # why it could not be decoded; None: it could


class StepLine(BaseModel, extra="forbid", frozen=True):
    """A step of the journal."""

    # of the state, that other things made since the step before (`media.watching.snapshots`)
    changes: list[tuple[list[str]] | tuple[list[str], Any]]
    step: dict[str, Any]  # see `media.watching.steps`
    # what its measurements are of: that of `measurement`, then those of `due`; or what could not be
    # decoded
    probed: list[ProbedFile | None]
    drafts: list[EventDraft]  # the data of the events that it drafted


class PlaylistLine(BaseModel, extra="forbid", frozen=True):
    at: AwareDatetime
    track: str
    playlist: str


class CapsuleEvent(BaseModel, extra="forbid", frozen=True):
    """The event that a capsule proves, as the watch made it."""

    monitor_id: str
    draft: EventDraft
    data: dict[str, Any]


@dataclass(frozen=True)
class CapsuleSubject:
    """Whose capsule it is."""

    monitor_id: str
    stream_url: str = field(repr=False)  # is named without its secrets
    release: str  # of the service


def config_text(config: MonitorConfig) -> bytes:
    """Return a monitor's config without its request headers, not even their names."""
    return config.model_dump_json(exclude={"request_headers"}, indent=1).encode()


def event_data(draft: EventDraft, monitor_id: str, config: MonitorConfig) -> dict[str, Any]:
    return {**draft.identity_in(monitor_id, config.evidence), **bounded_data(draft.data)}


_LINE: TypeAdapter[StepLine | PlaylistLine] = TypeAdapter(StepLine | PlaylistLine)
_STATE: TypeAdapter[dict[str, Any]] = TypeAdapter(dict[str, Any])
_VERSIONS: TypeAdapter[dict[str, str]] = TypeAdapter(dict[str, str])
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
