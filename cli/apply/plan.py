"""What has to be done so that the service is as a file says: pure, from two states to steps."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from cli.apply.document import APPLIED_BY, ApplyFile, MonitorEntry
from monitors.config import ChangeableConfig, MonitorConfig
from monitors.stream_url import parse_stream_url

HEADERS = "config.request_headers"
UNPRINTED = frozenset({HEADERS, "callback_url", "metadata"})
"""Fields whose values are not shown: they may be secret, or long."""


class Action(StrEnum):
    """What a step does, by the sign that stands for it."""

    CREATE = "+"
    CHANGE = "~"
    REPLACE = "±"
    STOP = "-"
    KEEP = "="


@dataclass(frozen=True)
class Options:
    """What else to do than the differences ask for.

    Attributes:
        prune: stop what an earlier file of the same set made and this one does not name.
        send_secrets: send secrets that cannot be compared: the service does not give them back.
    """

    prune: bool = False
    send_secrets: bool = False


@dataclass(frozen=True)
class Difference:
    """A field that is not as the file has it.

    Attributes:
        is_fixed: whether it cannot change while a monitor runs.
    """

    name: str
    text: str
    is_fixed: bool


@dataclass(frozen=True)
class Step:
    """What is done to one monitor.

    Attributes:
        what: names it to a person.
        monitor_id: of the one that exists.
        body: of the request that creates or changes it.
    """

    action: Action
    what: str
    differences: Sequence[Difference] = ()
    monitor_id: str | None = None
    body: Mapping[str, Any] = field(default_factory=dict, repr=False)


def plan_monitors(
    document: ApplyFile, existing: Sequence[Mapping[str, Any]], options: Options
) -> Iterator[Step]:
    """Yield a step for each monitor of the file, and for each that it no longer names.

    Args:
        document: the file.
        existing: the active monitors as the list of the API has them, with their settings.
        options: what else to do than the differences ask for.
    """
    by_stream = {parse_stream_url(each["stream_url"]).key: each for each in existing}
    for entry in document.monitors:
        yield _step(entry, by_stream.pop(entry.stream_key, None), document.set, options)
    for monitor in by_stream.values() if options.prune else ():
        if monitor["labels"].get(APPLIED_BY) == document.set:
            what = monitor["name"] or monitor["stream_url"]
            yield Step(Action.STOP, what, monitor_id=monitor["monitor_id"])


def _step(
    entry: MonitorEntry, monitor: Mapping[str, Any] | None, set_name: str, options: Options
) -> Step:
    what = entry.name or entry.stream_url
    labels = {**entry.labels, APPLIED_BY: set_name}
    creation = {
        **entry.model_dump(mode="json", exclude_unset=True),
        "labels": labels,
    }
    if monitor is None:
        return Step(Action.CREATE, what, body=creation)
    wanted = {**entry.model_dump(exclude={"stream_url"}), "labels": labels}
    differences = list(_differences(monitor["settings"], wanted))
    if any(each.is_fixed for each in differences):
        return Step(Action.REPLACE, what, differences, monitor["monitor_id"], creation)
    if options.send_secrets and entry.config.request_headers:
        differences.append(Difference(HEADERS, f"{HEADERS} sent again", is_fixed=False))
    names = {each.name for each in differences}
    action = Action.CHANGE if differences else Action.KEEP
    return Step(action, what, differences, monitor["monitor_id"], _change(entry, labels, names))


def _differences(settings: Mapping[str, Any], wanted: Mapping[str, Any]) -> Iterator[Difference]:
    for name in ("name", "callback_url", "labels", "metadata"):
        if settings[name] != wanted[name]:
            yield _difference(name, settings[name], wanted[name], is_fixed=name == "callback_url")
    before = MonitorConfig.model_validate(settings["config"])
    after = MonitorConfig.model_validate(wanted["config"])
    after = after.with_request_headers(after.request_headers)  # masked, as those before are
    for name in MonitorConfig.model_fields:
        old, new = getattr(before, name), getattr(after, name)
        if old != new:
            is_fixed = name not in ChangeableConfig.model_fields
            yield _difference(f"config.{name}", old, new, is_fixed=is_fixed)


def _difference(name: str, old: Any, new: Any, *, is_fixed: bool) -> Difference:
    text = name if name in UNPRINTED else f"{name} {_shown(old)} → {_shown(new)}"
    return Difference(name, text, is_fixed)


def _shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _change(entry: MonitorEntry, labels: dict[str, str], names: set[str]) -> dict[str, Any]:
    """Return the body that gives a monitor these fields of the file."""
    fields = {name.removeprefix("config.") for name in names if name.startswith("config.")}
    body = entry.model_dump(mode="json", include=names)
    if "labels" in names:
        body["labels"] = labels
    if fields:
        body["config"] = entry.config.model_dump(mode="json", include=fields)
    return body
