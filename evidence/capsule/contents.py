"""The files of a capsule beside its media, and how they are written and read."""

from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import AwareDatetime, BaseModel

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
