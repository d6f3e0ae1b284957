"""Which steps make the service what a file says: pure, from two states to steps."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from cli.apply.document import ApplyFile, DestinationEntry, MonitorEntry, SilenceEntry
from monitors.config import ChangeableConfig, MonitorConfig
from monitors.stream_url import parse_stream_url

HEADERS = "config.request_headers"
UNSHOWN = frozenset({HEADERS, "callback_url", "metadata"})  # values that may be secret, or are long
FIXED = frozenset({"callback_url", "type", "ed25519"})
CHANGEABLE = frozenset(f"config.{name}" for name in ChangeableConfig.model_fields)
FIELDS = ("name", "callback_url", "labels", "destinations", "metadata", "applied_by")


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
    """What else to do than the differences ask for."""

    prune: bool = False
    """Remove what an earlier file of the same set made and this one does not name."""

    send_secrets: bool = False
    """Send secrets that cannot be compared: the service does not give them back."""


@dataclass(frozen=True)
class Difference:
    """A field that is not as the file has it; one that `is_fixed` needs a new thing."""

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


def plan_monitors(
    file: ApplyFile, existing: Sequence[Mapping[str, Any]], options: Options
) -> Iterator[Step]:
    """Yield a step for each monitor of the file, and for each that it no longer names.

    `existing` has the active monitors as the list of the API has them, with their settings, and
    with the names of their destinations.
    """
    by_stream = {parse_stream_url(each["stream_url"]).key: each for each in existing}
    for entry in file.monitors:
        yield _monitor_step(entry, by_stream.pop(entry.stream_key, None), file.set, options)
    for monitor in by_stream.values() if options.prune else ():
        if monitor["settings"]["applied_by"] == file.set:
            name = monitor["name"] or monitor["stream_url"]
            yield Step(Action.REMOVE, Kind.MONITOR, name, item_id=monitor["monitor_id"])


def _monitor_step(
    entry: MonitorEntry, monitor: Mapping[str, Any] | None, set_name: str, options: Options
) -> Step:
    name = entry.name or entry.stream_url
    applied_by = {"applied_by": set_name}
    creation = entry.model_dump(mode="json", exclude_unset=True) | applied_by
    if monitor is None:
        return Step(Action.CREATE, Kind.MONITOR, name, body=creation)
    wanted = entry.model_dump() | applied_by
    differences = _differences(_compared(monitor["settings"]), _compared(wanted))
    monitor_id = monitor["monitor_id"]
    if any(each.is_fixed for each in differences):
        before = _before(entry, monitor)
        return Step(Action.REPLACE, Kind.MONITOR, name, differences, monitor_id, creation, before)
    if options.send_secrets and entry.config.request_headers:
        differences.append(Difference(HEADERS, f"{HEADERS} sent again"))
    action = Action.CHANGE if differences else Action.KEEP
    body = _monitor_change(entry, set_name, {each.name for each in differences})
    return Step(action, Kind.MONITOR, name, differences, monitor_id, body)


def _before(entry: MonitorEntry, monitor: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body that makes a monitor again; the values of its headers only the file has."""
    settings = monitor["settings"]
    headers = {**settings["config"]["request_headers"], **entry.config.request_headers}
    known = {name: settings[name] for name in FIELDS} | {"stream_url": monitor["stream_url"]}
    return known | {"config": {**settings["config"], "request_headers": headers}}


def _compared(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a monitor, those of its config by their paths, secrets masked."""
    config = MonitorConfig.model_validate(settings["config"])
    masked = config.with_request_headers(config.request_headers)
    return {
        **{name: settings[name] for name in FIELDS},
        "destinations": sorted(settings["destinations"]),
        **{f"config.{name}": value for name, value in masked},
    }


def _monitor_change(entry: MonitorEntry, set_name: str, names: set[str]) -> dict[str, Any]:
    fields = {name.removeprefix("config.") for name in names if name.startswith("config.")}
    body = entry.model_dump(mode="json", include=names)
    if "applied_by" in names:
        body["applied_by"] = set_name
    if fields:
        body["config"] = entry.config.model_dump(mode="json", include=fields)
    return body


def plan_destinations(
    file: ApplyFile, existing: Sequence[Mapping[str, Any]], options: Options
) -> Iterator[Step]:
    """Yield a step for each destination of the file, and for each that it no longer names.

    `existing` is in the order of the API: the newest first.
    """
    newest: dict[str, Mapping[str, Any]] = {}
    for each in existing:
        newest.setdefault(each["name"], each)
    for entry in file.destinations:
        yield _destination_step(entry, newest.get(entry.name), file.set, options)
    named = [newest.get(entry.name) for entry in file.destinations]
    # Others of the same name are what a failure left of an earlier replacement.
    others = [each for each in existing if all(each is not one for one in named)]
    for found in others if options.prune else ():
        if found["applied_by"] == file.set:
            item_id = found["destination_id"]
            yield Step(Action.REMOVE, Kind.DESTINATION, found["name"], item_id=item_id)


def _destination_step(
    entry: DestinationEntry, found: Mapping[str, Any] | None, set_name: str, options: Options
) -> Step:
    creation = entry.model_dump(mode="json", exclude_unset=True) | {"applied_by": set_name}
    if found is None:
        return Step(Action.CREATE, Kind.DESTINATION, entry.name, body=creation)
    # The service does not give the URL back.
    wanted = entry.model_dump(mode="json", exclude={"url"}) | {"applied_by": set_name}
    differences = _differences({**found, "ed25519": found["public_key"] is not None}, wanted)
    item_id = found["destination_id"]
    if any(each.is_fixed for each in differences):
        return Step(Action.REPLACE, Kind.DESTINATION, entry.name, differences, item_id, creation)
    body = {each.name: wanted[each.name] for each in differences}
    if options.send_secrets:
        differences.append(Difference("url", "url sent again"))
        body["url"] = entry.url
    action = Action.CHANGE if differences else Action.KEEP
    return Step(action, Kind.DESTINATION, entry.name, differences, item_id, body)


def plan_silences(
    file: ApplyFile, existing: Sequence[Mapping[str, Any]], options: Options, now: datetime
) -> Iterator[Step]:
    """Yield a step for each silence of the file that has not ended, and for each it lacks.

    `existing` has the silences that have not ended. A silence cannot change: what differs is
    another one, and the old one ends with `--prune`.
    """
    remaining = list(existing)
    for entry in file.silences:
        if entry.ends_at <= now:
            continue
        found = next((each for each in remaining if _is_same(entry, each)), None)
        if found:
            remaining.remove(found)
            yield Step(Action.KEEP, Kind.SILENCE, _silence_name(entry), item_id=found["silence_id"])
        else:
            body = entry.model_dump(mode="json", exclude_unset=True) | {"applied_by": file.set}
            yield Step(Action.CREATE, Kind.SILENCE, _silence_name(entry), body=body)
    for each in remaining if options.prune else ():
        if each["applied_by"] == file.set:
            name = each["note"] or f"until {each['ends_at']}"
            yield Step(Action.REMOVE, Kind.SILENCE, name, item_id=each["silence_id"])


def _is_same(entry: SilenceEntry, found: Mapping[str, Any]) -> bool:
    known = {name: found[name] for name in SilenceEntry.model_fields}
    return entry == SilenceEntry.model_validate(known)


def _silence_name(entry: SilenceEntry) -> str:
    return entry.note or f"until {entry.ends_at.isoformat()}"


def _differences(old: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[Difference]:
    return [_difference(name, old[name], new) for name, new in wanted.items() if old[name] != new]


def _difference(name: str, old: Any, new: Any) -> Difference:
    is_fixed = name in FIXED or (name.startswith("config.") and name not in CHANGEABLE)
    text = name if name in UNSHOWN else f"{name} {_json(old)} → {_json(new)}"
    return Difference(name, text, is_fixed)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
