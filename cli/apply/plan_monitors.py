"""Which steps make the monitors what a file says: pure, from two states to steps."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cli.apply.document import ApplyFile, MonitorEntry
from cli.apply.plan_steps import Action, Difference, Kind, Options, Step, difference
from monitors.config import ChangeableConfig, MonitorConfig
from monitors.stream_url import parse_stream_url

HEADERS = "config.request_headers"
UNSHOWN = frozenset({HEADERS, "callback_url", "metadata"})
FIXED = frozenset({"callback_url"})
FIELDS = ("name", "callback_url", "labels", "destinations", "metadata", "applied_by")


def plan_monitors(
    file: ApplyFile, existing: Sequence[Mapping[str, Any]], options: Options
) -> Iterator[Step]:
    """Yield a step for each monitor of the file, and for each that it no longer names.

    `existing` has the active monitors as the list of the API has them, with their settings, and
    with the names of their destinations.
    """
    by_stream = {parse_stream_url(each["stream_url"]).key: each for each in existing}
    for entry in file.monitors:
        yield _step(entry, by_stream.pop(entry.stream_key, None), file.set, options)
    for monitor in by_stream.values() if options.prune else ():
        if monitor["settings"]["applied_by"] == file.set:
            name = monitor["name"] or monitor["stream_url"]
            yield Step(Action.REMOVE, Kind.MONITOR, name, item_id=monitor["monitor_id"])


def _step(
    entry: MonitorEntry, monitor: Mapping[str, Any] | None, set_name: str, options: Options
) -> Step:
    name = entry.name or entry.stream_url
    applied_by = {"applied_by": set_name}
    creation = entry.model_dump(mode="json", exclude_unset=True) | applied_by
    if monitor is None:
        return Step(Action.CREATE, Kind.MONITOR, name, body=creation)
    wanted = entry.model_dump() | applied_by
    differences = list(_differences(monitor["settings"], wanted))
    monitor_id = monitor["monitor_id"]
    if any(each.is_fixed for each in differences):
        before = _before(entry, monitor)
        return Step(Action.REPLACE, Kind.MONITOR, name, differences, monitor_id, creation, before)
    if options.send_secrets and entry.config.request_headers:
        differences.append(Difference(HEADERS, f"{HEADERS} sent again"))
    action = Action.CHANGE if differences else Action.KEEP
    body = _change(entry, set_name, {each.name for each in differences})
    return Step(action, Kind.MONITOR, name, differences, monitor_id, body)


def _before(entry: MonitorEntry, monitor: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body that makes a monitor again; the values of its headers only the file has."""
    settings = monitor["settings"]
    headers = {**settings["config"]["request_headers"], **entry.config.request_headers}
    known = {name: settings[name] for name in FIELDS} | {"stream_url": monitor["stream_url"]}
    return known | {"config": {**settings["config"], "request_headers": headers}}


def _differences(settings: Mapping[str, Any], wanted: Mapping[str, Any]) -> Iterator[Difference]:
    before = {name: settings[name] for name in FIELDS}
    after = {name: wanted[name] for name in FIELDS}
    for values in (before, after):
        values["destinations"] = sorted(values["destinations"])
    before |= _config(MonitorConfig.model_validate(settings["config"]))
    after |= _config(MonitorConfig.model_validate(wanted["config"]))
    changeable = {f"config.{name}" for name in ChangeableConfig.model_fields}
    for name, old in before.items():
        if old != after[name]:
            is_fixed = name in FIXED or (name.startswith("config.") and name not in changeable)
            yield difference(
                name, old, after[name], is_fixed=is_fixed, is_shown=name not in UNSHOWN
            )


def _config(config: MonitorConfig) -> dict[str, Any]:
    """Return the fields of a config by their paths, with masks for secrets."""
    masked = config.with_request_headers(config.request_headers)
    return {f"config.{name}": value for name, value in masked}


def _change(entry: MonitorEntry, set_name: str, names: set[str]) -> dict[str, Any]:
    """Return the body that gives a monitor these fields of the file."""
    fields = {name.removeprefix("config.") for name in names if name.startswith("config.")}
    body = entry.model_dump(mode="json", include=names)
    if "applied_by" in names:
        body["applied_by"] = set_name
    if fields:
        body["config"] = entry.config.model_dump(mode="json", include=fields)
    return body
