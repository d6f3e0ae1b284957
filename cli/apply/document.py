"""What a file of `stream-tracker apply` may say."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from cli.apply.yaml_file import FileRefused, YamlFile, read_yaml
from monitors.config import MonitorConfig
from monitors.labels import AppliedBy, Labels
from monitors.status import IncidentKind, Severity
from monitors.stream_url import InvalidStreamUrl, parse_stream_url
from notifications.notification import DestinationType, Language

Name = Annotated[str, Field(min_length=1, max_length=120)]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid")


class MonitorEntry(_Entry):
    """A monitor, with the fields of `POST /monitors`; it names destinations by their names."""

    stream_url: str
    callback_url: str | None = None
    destinations: Annotated[list[str], Field(max_length=10)] = []
    name: Name | None = None
    labels: Labels = {}
    config: MonitorConfig = MonitorConfig()
    metadata: dict[str, Any] = {}

    @property
    def stream_key(self) -> str:
        return parse_stream_url(self.stream_url).key


class DestinationEntry(_Entry):
    """A destination, with the fields of `POST /destinations`; its name tells it apart."""

    name: Name
    type: DestinationType
    url: Annotated[str, Field(min_length=1)]
    events: Annotated[list[str], Field(min_length=1)] = ["*"]
    min_severity: Severity | None = None
    remind_every_sec: int | None = None
    group_window_sec: int = 0
    retry: Literal["short", "long"] = "short"
    language: Language = Language.ENGLISH
    enabled: bool = True
    ed25519: bool = False


class SilenceEntry(_Entry):
    """A silence, with the fields of `POST /silences`; all of them tell it apart.

    `starts_at` is required: "now" would be another silence each time.
    """

    monitor_ids: list[str] | None = None
    labels: Labels | None = None
    all: bool = False
    kinds: list[IncidentKind] | None = None
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    note: str | None = None


class ApplyFile(_Entry):
    set: AppliedBy = "default"
    """Tells apart what several files make: the service keeps it as `applied_by`."""

    destinations: list[DestinationEntry] = []
    monitors: list[MonitorEntry] = []
    silences: list[SilenceEntry] = []


@dataclass(frozen=True)
class ApplyDocument:
    content: YamlFile
    file: ApplyFile

    def check_destinations(self, known: Collection[str]) -> None:
        """Refuse the file if a monitor names a destination that is neither known nor made by it."""
        names = {*known, *(each.name for each in self.file.destinations)}
        self._refuse(
            self.content.problem(("monitors", index, "destinations", at), f"there is no {name!r}")
            for index, entry in enumerate(self.file.monitors)
            for at, name in enumerate(entry.destinations)
            if name not in names
        )

    def check_identities(self) -> None:
        """Refuse the file if it names something twice, or a URL that is that of no stream."""
        self._refuse([*self._stream_problems(), *self._name_problems()])

    def _refuse(self, problems: Iterator[str] | list[str]) -> None:
        if found := list(problems):
            raise FileRefused("\n".join(found))

    def _stream_problems(self) -> Iterator[str]:
        first: dict[str, int] = {}
        for index, entry in enumerate(self.file.monitors):
            at = ("monitors", index, "stream_url")
            try:
                key = entry.stream_key
            except InvalidStreamUrl as error:
                yield self.content.problem(at, str(error))
                continue
            if first.setdefault(key, index) != index:
                yield self.content.problem(at, f"is the stream of monitors.{first[key]}")

    def _name_problems(self) -> Iterator[str]:
        first: dict[str, int] = {}
        for index, entry in enumerate(self.file.destinations):
            if first.setdefault(entry.name, index) != index:
                at = ("destinations", index, "name")
                yield self.content.problem(at, f"is that of destinations.{first[entry.name]}")


def read_document(path: Path) -> ApplyDocument:
    """Read a file; raises FileRefused if it breaks a rule."""
    content = read_yaml(path)
    document = ApplyDocument(content, content.as_model(ApplyFile))
    document.check_identities()
    return document
