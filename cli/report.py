"""`stream-tracker report`: how available streams were."""

from pathlib import Path
from typing import Annotated, Any

import typer

from cli.client import open_gateway
from cli.command import (
    LOCAL_GATEWAY,
    AsJson,
    DataDir,
    GatewayUrl,
    LabelFilter,
    print_answer,
    print_table,
    printable,
)

PATH = "/reports/availability"
COLUMNS = ("NAME", "LOW %", "HIGH %", "LIVE", "FAULTY", "UNKNOWN", "UNWATCHED", "ID")
LIVE = ("ok_sec", "faulty_sec", "unknown_sec", "unwatched_sec")


def report(
    since: Annotated[str, typer.Option("--from", help="ISO 8601 with offset; 30 days ago.")] = "",
    until: Annotated[str, typer.Option("--to", help="ISO 8601 with offset; now.")] = "",
    label: LabelFilter = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    url: GatewayUrl = LOCAL_GATEWAY,
    data_dir: DataDir = Path("data"),
    as_json: AsJson = False,
) -> None:
    """Show how available the stream of each monitor was."""
    query = {"from": since, "to": until, "label": label}
    with open_gateway(url, data_dir) as client:
        if as_csv:
            typer.echo(client.text(PATH, {**query, "format": "csv"}), nl=False)
            return
        answer = client.call("GET", PATH, query=query)
    rows = [_row(each) for each in answer["monitors"]]
    print_answer(answer, as_json=as_json, plainly=lambda: print_table(COLUMNS, rows))


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
