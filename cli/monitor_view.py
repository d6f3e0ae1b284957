"""How monitors look to a person: rows of a list, a card of one."""

import json
from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Any

import typer
from rich import filesize
from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from cli.command import STYLES, moment, print_table, printable
from monitors.status import ACTIVE_STATUSES, IncidentKind, Severity

COLUMNS = ("NAME", "HEALTH", "INCIDENTS", "STATUS", "ID", "STREAM")
WORST_FIRST = ("error", "warning", "unknown", "ok", "-")
LESSER = frozenset(kind.value for kind in IncidentKind if kind.severity is Severity.WARNING)
SHORTEST_ID = len("mon-019a0b1c")


def name(monitor: dict[str, Any]) -> str:
    return printable(monitor["name"] or monitor["title"] or "-")


def worst_health(monitor: dict[str, Any]) -> str:
    """Return `error`, `warning`, `unknown` or `ok`; `-` for a monitor that has ended."""
    if monitor["status"] not in ACTIVE_STATUSES:
        return "error" if monitor["status"] == "error" else "-"
    words: set[str] = {monitor["health"]["video"], monitor["health"]["audio"]}
    if words > {"unknown"}:  # a stream without sound, or without picture
        words.discard("unknown")
    words |= {"warning" if kind in LESSER else "error" for kind in _kinds(monitor)}
    return min(words, key=WORST_FIRST.index)


def _kinds(monitor: dict[str, Any]) -> list[str]:
    """Return the kinds of the open incidents; a list names them, `show` gives more of each."""
    incidents = monitor["open_incidents"]
    return [each["kind"] if isinstance(each, dict) else each for each in incidents]


def urgency(monitor: dict[str, Any]) -> tuple[int, int, str]:
    incidents = len(monitor["open_incidents"])
    return WORST_FIRST.index(worst_health(monitor)), -incidents, name(monitor)


def row(monitor: dict[str, Any], *, id_chars: int | None = None) -> tuple[str, ...]:
    """Return the cells of `COLUMNS`, the id cut to `id_chars`."""
    return (
        name(monitor),
        worst_health(monitor),
        ", ".join(monitor["open_incidents"]) or "-",
        monitor["status"],
        monitor["monitor_id"][:id_chars],
        printable(monitor["stream_url"]),
    )


def id_chars(ids: Collection[str]) -> int:
    chars = SHORTEST_ID
    while len({each[:chars] for each in ids}) < len(set(ids)):
        chars += 1
    return chars


def print_monitors(monitors: Sequence[dict[str, Any]]) -> None:
    """Print a list of monitors; a terminal shows ids as short as they may be typed."""
    chars = id_chars([each["monitor_id"] for each in monitors]) if Console().is_terminal else None
    print_table(COLUMNS, [row(monitor, id_chars=chars) for monitor in monitors])


def print_events(events: Sequence[dict[str, Any]]) -> None:
    chars = id_chars([event["event_id"] for event in events]) if Console().is_terminal else None
    rows = [
        (
            moment(event["created_at"]),
            event["event_type"],
            event["webhook_status"],
            str(event["webhook_attempts"]),
            event["event_id"][:chars],
            printable(event["webhook_last_error"] or ""),
        )
        for event in events
    ]
    print_table(("TIME", "EVENT", "WEBHOOK", "ATTEMPTS", "ID", "LAST ERROR"), rows)


def print_card(monitor: dict[str, Any]) -> None:
    """Print a monitor: a card on a terminal, a line a field elsewhere."""
    rows = card_rows(monitor)
    console = Console()
    if not console.is_terminal:
        for label, value in rows:
            typer.echo(f"{label}: {value}")
        return
    title = name(monitor) if name(monitor) != "-" else printable(monitor["stream_url"])
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim")
    grid.add_column(overflow="fold")
    for label, value in rows:
        grid.add_row(label, Text(value, style=_style(label, value, monitor)))
    console.print(Panel(grid, title=Text(title), title_align="left", expand=False))


def card_rows(monitor: dict[str, Any]) -> list[tuple[str, str]]:
    """Return what there is to say of a monitor, the most important first."""
    health = monitor["health"]
    rows = [
        ("name", name(monitor)),
        ("health", f"video {health['video']}, audio {health['audio']}"),
        (_reason_label(health), health["reason"]),
        ("incidents", "; ".join(map(_incident, monitor["open_incidents"])) or "none"),
        ("status", f"{monitor['status']}, stream {monitor['stream_status']}"),
        ("error", _reasoned(monitor["error_reason"], monitor["error_message"])),
        ("stop reason", monitor["stop_reason"]),
        ("doing", monitor["doing"]),
        ("stream", monitor["stream_url"]),
        ("title", monitor["title"]),
        ("labels", ", ".join(f"{key}:{value}" for key, value in monitor["labels"].items())),
        ("webhooks", monitor["callback_url"]),
        ("segments", _segments(monitor["statistics"])),
        ("events", _event_counts(monitor["statistics"])),
        ("config", _not_default(monitor["config"])),
        ("metadata", json.dumps(monitor["metadata"]) if monitor["metadata"] else None),
        ("created", moment(monitor["created_at"])),
        ("finished", moment(monitor["finished_at"])),
        ("as of", f"{moment(monitor['as_of'])}, from the {monitor['source']}"),
        ("id", monitor["monitor_id"]),
    ]
    return [(label, printable(value)) for label, value in rows if value]


def _reason_label(health: dict[str, Any]) -> str:
    return "not observed" if health["video"] == health["audio"] == "unknown" else "seen"


def _incident(incident: dict[str, Any]) -> str:
    return f"{incident['kind']} since {moment(incident['started_at'])}"


def _reasoned(reason: str | None, message: str | None) -> str | None:
    return f"{reason}: {message}" if message else reason


def _segments(counted: dict[str, Any]) -> str:
    return (
        f"{counted['total_segments_analyzed']:,} measured, {counted['segments_failed']:,} failed, "
        f"{counted['segments_missed']:,} missed; {timedelta(seconds=int(counted['analyzed_sec']))} "
        f"of media, {filesize.decimal(counted['downloaded_bytes'])}"
    )


def _event_counts(counted: dict[str, Any]) -> str:
    return ", ".join(
        f"{count:,} {field.removesuffix('_events')}"
        for field, count in counted.items()
        if field.endswith("_events") and count
    )


def _not_default(config: dict[str, Any]) -> str:
    from monitors.config import MonitorConfig

    default = MonitorConfig().model_dump(mode="json")
    return ", ".join(
        f"{field} {json.dumps(value)}"
        for field, value in config.items()
        if value != default.get(field)
    )


def _style(label: str, value: str, monitor: dict[str, Any]) -> str:
    if label == "health":
        return STYLES.get(worst_health(monitor), "")
    is_bad = label in ("error", "not observed") or (label == "incidents" and value != "none")
    return "bold red" if is_bad else ""
