"""`stream-tracker silences`: times in which incidents notify nobody."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.client import open_gateway
from cli.command import (
    LOCAL_GATEWAY,
    AsJson,
    DataDir,
    GatewayUrl,
    labels,
    moment,
    print_answer,
    print_table,
    printable,
)

app = typer.Typer(help="Announce times in which incidents notify nobody.", no_args_is_help=True)


@app.command("add")
def add(
    minutes: Annotated[int, typer.Argument(help="How long, from now.")],
    monitor: Annotated[
        list[str] | None, typer.Option(help="A monitor's id; may be given several times.")
    ] = None,
    label: Annotated[
        list[str] | None, typer.Option(help="KEY:VALUE; monitors that have all of them.")
    ] = None,
    all_monitors: Annotated[bool, typer.Option("--all", help="All monitors.")] = False,
    kind: Annotated[
        list[str] | None, typer.Option(help="Only these incidents, such as blackout.")
    ] = None,
    note: Annotated[str | None, typer.Option(help="Why.")] = None,
    url: GatewayUrl = LOCAL_GATEWAY,
    data_dir: DataDir = Path("data"),
    as_json: AsJson = False,
) -> None:
    """Begin a silence now; print its id. Incidents still open at its end are reported then."""
    ends_at = datetime.now(UTC) + timedelta(minutes=minutes)
    with open_gateway(url, data_dir) as client:
        body = {
            "monitor_ids": [client.find_id("/monitors", each) for each in monitor or ()] or None,
            "labels": labels(label) or None,
            "all": all_monitors,
            "kinds": kind or None,
            "ends_at": ends_at.isoformat(),
            "note": note,
        }
        made = client.call("POST", "/silences", body=body)
    print_answer(made, as_json=as_json, plainly=lambda: typer.echo(made["silence_id"]))


@app.command("list")
def list_silences(
    url: GatewayUrl = LOCAL_GATEWAY, data_dir: DataDir = Path("data"), as_json: AsJson = False
) -> None:
    """List silences that have not ended, the first to end first."""
    with open_gateway(url, data_dir) as client:
        found = client.all("/silences")
    columns = ("MONITORS", "KINDS", "FROM", "TO", "ID", "NOTE")
    rows = [
        (
            printable(_subject(each)),
            ", ".join(each["kinds"] or ["all"]),
            moment(each["starts_at"]),
            moment(each["ends_at"]),
            each["silence_id"],
            printable(each["note"] or ""),
        )
        for each in found
    ]
    answer = {"silences": found}
    print_answer(answer, as_json=as_json, plainly=lambda: print_table(columns, rows))


@app.command("remove")
def remove(
    silence_id: Annotated[str, typer.Argument(help="A silence's id, or an unambiguous beginning.")],
    url: GatewayUrl = LOCAL_GATEWAY,
    data_dir: DataDir = Path("data"),
) -> None:
    """End a silence now."""
    with open_gateway(url, data_dir) as client:
        client.call("DELETE", client.find_path("/silences", silence_id))
    typer.echo("ended")


def _subject(silence: dict[str, Any]) -> str:
    if silence["monitor_ids"]:
        return ", ".join(silence["monitor_ids"])
    if silence["labels"]:
        return ", ".join(f"{key}:{value}" for key, value in silence["labels"].items())
    return "all"
