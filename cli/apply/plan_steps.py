"""The steps that make the service what a file says."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    MONITOR = "monitor"
    DESTINATION = "destination"
    SILENCE = "silence"

    @property
    def path(self) -> str:
        return f"/{self}s"


class Action(StrEnum):
    """What a step does, by the sign that stands for it."""

    CREATE = "+"
    CHANGE = "~"
    REPLACE = "±"
    REMOVE = "-"
    KEEP = "="


@dataclass(frozen=True)
class Options:
    """What else to do than the differences ask for.

    Attributes:
        prune: remove what an earlier file of the same set made and this one does not name.
        send_secrets: send secrets that cannot be compared: the service does not give them back.
    """

    prune: bool = False
    send_secrets: bool = False


@dataclass(frozen=True)
class Difference:
    """A field that is not as the file has it.

    Attributes:
        is_fixed: whether it cannot change, so that a new one has to be made.
    """

    name: str
    text: str
    is_fixed: bool = False


@dataclass(frozen=True)
class Step:
    """What is done to one monitor, destination or silence.

    Attributes:
        name: what a person calls it.
        item_id: of the one that exists.
        body: of the request that creates or changes it; monitors name destinations in it by name.
        before: of the request that makes again what is replaced.
    """

    action: Action
    kind: Kind
    name: str
    differences: Sequence[Difference] = ()
    item_id: str | None = None
    body: Mapping[str, Any] = field(default_factory=dict, repr=False)
    before: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def __str__(self) -> str:
        reasons = ", ".join(each.text for each in self.differences)
        return f"{self.action} {self.kind} {self.name}" + (f": {reasons}" if reasons else "")


def difference(name: str, old: Any, new: Any, *, is_fixed: bool, is_shown: bool) -> Difference:
    """Return a difference with both values, unless they may be secret or are long."""
    text = f"{name} {_json(old)} → {_json(new)}" if is_shown else name
    return Difference(name, text, is_fixed)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
