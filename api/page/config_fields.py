"""The fields of a monitor's config as forms show them. Pure.

Limits, defaults and choices come from the config itself, so a new field is on the page before it
has words of its own.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel

from monitors.config import ChangeableConfig, MonitorConfig

_GROUPS: Final = {
    "picture": (
        *("blackout_threshold_sec", "freeze_threshold_sec", "slate_threshold_sec"),
        *("test_signal_threshold_sec", "loop_threshold_sec"),
    ),
    "sound": (
        *("silence_threshold_sec", "silence_db_threshold", "channel_loss_threshold_sec"),
        *("loudness_target_lufs", "loudness_tolerance_lu", "loudness_window_sec"),
        *("true_peak_max_dbtp", "clipping_threshold_sec", "phase_threshold_sec", "audio_tracks"),
    ),
    "stream": (
        *("suspend_threshold_sec", "segment_error_threshold_sec", "expect", "request_headers"),
    ),
    "telling": ("recovery_sec", "flapping_recovery_factor", "on_delivery_failure"),
    "time": (
        *("scheduled_start_time", "scheduled_end_time", "start_delay_tolerance_sec"),
        *("check_interval_sec",),
    ),
}
_OTHER: Final = "other"
_AUTOMATIC: Final = frozenset({"suspend_threshold_sec", "check_interval_sec"})
_UNITS: Final = {
    "_sec": "s",
    "_lufs": "LUFS",
    "_lu": "LU",
    "_dbtp": "dBTP",
    "silence_db_threshold": "dBFS",
}


@dataclass(frozen=True)
class ConfigField:
    """One field of a form.

    Attributes:
        kind: `number`, `choice`, `switch`, `moment` or `headers`.
        unit: behind the input; empty for none.
        least, most: what a number may be; None: not bounded.
        is_optional: whether it may be left empty, which is null.
        is_automatic: whether null is a value that is found by itself, not that it is off.
        choices: of a `choice`.
        description: the API's own words, where the page has none.
    """

    name: str
    kind: str
    value: Any
    unit: str
    least: float | None
    most: float | None
    is_optional: bool
    is_automatic: bool
    choices: tuple[str, ...]
    description: str


@dataclass(frozen=True)
class FieldGroup:
    name: str
    fields: tuple[ConfigField, ...]


def changeable_fields(config: MonitorConfig) -> list[FieldGroup]:
    """Return what may change while a monitor runs, as it is now."""
    return _grouped(ChangeableConfig, config)


def creation_fields() -> list[FieldGroup]:
    """Return what a new monitor may be given, with the defaults, but for what is kept."""
    return _grouped(MonitorConfig, MonitorConfig(), without=("evidence",))


def evidence_field() -> ConfigField:
    """Return what is kept of the incidents of a new monitor: a choice that is not hidden."""
    schema = MonitorConfig.model_json_schema()
    (field,) = _fields(("evidence",), schema["properties"], schema["$defs"], MonitorConfig())
    return field


def _grouped(
    model: type[BaseModel], config: MonitorConfig, *, without: Collection[str] = ()
) -> list[FieldGroup]:
    schema = model.model_json_schema()
    properties = schema["properties"].items()
    described = {name: each for name, each in properties if name not in without}
    grouped = {name for names in _GROUPS.values() for name in names}
    groups = {**_GROUPS, _OTHER: tuple(name for name in described if name not in grouped)}
    found = [
        FieldGroup(group, _fields(names, described, schema.get("$defs", {}), config))
        for group, names in groups.items()
    ]
    return [group for group in found if group.fields]


def _fields(
    names: Collection[str],
    described: Mapping[str, Any],
    definitions: Mapping[str, Any],
    config: MonitorConfig,
) -> tuple[ConfigField, ...]:
    return tuple(
        _field(name, described[name], definitions, getattr(config, name))
        for name in names
        if name in described
    )


def _field(
    name: str, schema: Mapping[str, Any], definitions: Mapping[str, Any], value: Any
) -> ConfigField:
    variants = [_resolved(each, definitions) for each in schema.get("anyOf", [schema])]
    shape = next(each for each in variants if each.get("type") != "null")
    return ConfigField(
        name=name,
        kind=_kind(shape),
        value=value,
        unit=next((unit for suffix, unit in _UNITS.items() if name.endswith(suffix)), ""),
        least=shape.get("minimum", shape.get("exclusiveMinimum")),
        most=shape.get("maximum"),
        is_optional=len(variants) > 1,
        is_automatic=name in _AUTOMATIC,
        choices=tuple(shape.get("enum", ())),
        description=schema.get("description", ""),
    )


def _resolved(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = schema.get("$ref", "")
    return definitions[reference.rpartition("/")[2]] if reference else schema


def _kind(shape: Mapping[str, Any]) -> str:
    if "enum" in shape:
        return "choice"
    if shape.get("format") == "date-time":
        return "moment"
    return {"object": "headers", "boolean": "switch"}.get(shape.get("type", ""), "number")
