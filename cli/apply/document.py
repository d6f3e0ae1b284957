"""What a file of `stream-tracker apply` may say."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from cli.apply.yaml_file import FileRefused, YamlFile, read_yaml
from monitors.config import MonitorConfig
from monitors.labels import AppliedBy, Labels
from monitors.stream_url import InvalidStreamUrl, parse_stream_url


class MonitorEntry(BaseModel):
    """A monitor, with the fields of `POST /monitors`.

    Attributes:
        destinations: their names.
    """

    model_config = ConfigDict(extra="forbid")

    stream_url: str
    callback_url: str | None = None
    destinations: Annotated[list[str], Field(max_length=10)] = []
    name: Annotated[str, Field(min_length=1, max_length=120)] | None = None
    labels: Labels = {}
    config: MonitorConfig = MonitorConfig()
    metadata: dict[str, Any] = {}

    @property
    def stream_key(self) -> str:
        return parse_stream_url(self.stream_url).key


class ApplyFile(BaseModel):
    """A whole file.

    Attributes:
        set: tells apart what several files make: the service keeps it as `applied_by`.
    """

    model_config = ConfigDict(extra="forbid")

    set: AppliedBy = "default"
    monitors: list[MonitorEntry] = []


def read_document(path: Path) -> ApplyFile:
    """Read a file.

    Raises:
        FileRefused: it breaks a rule.
    """
    content = read_yaml(path)
    document = content.as_model(ApplyFile)
    if problems := list(_stream_problems(content, document)):
        raise FileRefused("\n".join(problems))
    return document


def _stream_problems(content: YamlFile, document: ApplyFile) -> Iterator[str]:
    first: dict[str, int] = {}
    for index, entry in enumerate(document.monitors):
        at = ("monitors", index, "stream_url")
        try:
            key = entry.stream_key
        except InvalidStreamUrl as error:
            yield content.problem(at, str(error))
            continue
        if first.setdefault(key, index) != index:
            yield content.problem(at, f"is the stream of monitors.{first[key]}")
