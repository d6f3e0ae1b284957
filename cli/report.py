"""`stream-tracker report`: how available streams were."""

from collections.abc import Mapping
from typing import Any

import typer

from cli.client import RestClient
from cli.monitor_view import print_answer, print_table, printable

PATH = "/reports/availability"
COLUMNS = ("NAME", "LOW %", "HIGH %", "LIVE", "FAULTY", "UNKNOWN", "UNWATCHED", "ID")
LIVE = ("ok_sec", "faulty_sec", "unknown_sec", "unwatched_sec")


def print_report(
    client: RestClient, query: Mapping[str, Any], *, as_csv: bool, as_json: bool
) -> None:
    if as_csv:
        typer.echo(client.text(PATH, {**query, "format": "csv"}), nl=False)
        return
    report = client.call("GET", PATH, query=query)
    rows = [_row(each) for each in report["monitors"]]
    print_answer(report, as_json=as_json, plainly=lambda: print_table(COLUMNS, rows))


def _row(monitor: dict[str, Any]) -> tuple[str, ...]:
    seconds = [sum(monitor[each] for each in LIVE), *(monitor[each] for each in LIVE[1:])]
    return (
        printable(monitor["name"] or "-"),
        *(_percent(monitor[f"availability_{end}"]) for end in ("low", "high")),
        *map(_duration, seconds),
        monitor["monitor_id"],
    )


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _duration(sec: float) -> str:
    """Return hours, minutes and seconds; the latter to the millisecond where it matters."""
    minutes, rest = divmod(round(sec, 3), 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours}:{minutes:02}:{rest:06.3f}".removesuffix(".000")
