"""`stream-tracker incidents`: what was wrong, and who takes care."""

from pathlib import Path
from typing import Annotated, Any

import typer

from cli.client import open_gateway
from cli.evidence_view import print_evidence, save_evidence, show_pictures
from cli.monitor_view import moment, print_answer, print_events, print_table, printable
from cli.options import LOCAL_GATEWAY, AsJson, DataDir, GatewayUrl, LabelFilter

COLUMNS = ("NAME", "KIND", "SEVERITY", "STATUS", "SINCE", "SECONDS", "ID", "REASON")

IncidentId = Annotated[
    str,
    typer.Argument(metavar="INCIDENT_ID", help="An incident's id, or an unambiguous beginning."),
]

app = typer.Typer(help="List, inspect and acknowledge incidents.", no_args_is_help=True)


@app.command("list")
def list_incidents(
    status: Annotated[str | None, typer.Option(help="open or closed.")] = None,
    monitor: Annotated[str | None, typer.Option(help="Only those of this monitor.")] = None,
    kind: Annotated[str | None, typer.Option(help="blackout, silence, freeze, ...")] = None,
    severity: Annotated[str | None, typer.Option(help="critical or warning.")] = None,
    since: Annotated[str | None, typer.Option(help="Began then or later; ISO 8601.")] = None,
    until: Annotated[str | None, typer.Option(help="Began before; ISO 8601.")] = None,
    label: LabelFilter = None,
    limit: Annotated[int, typer.Option(help="At most this many.")] = 50,
    offset: Annotated[int, typer.Option(help="Skip this many.")] = 0,
    url: GatewayUrl = LOCAL_GATEWAY,
    data_dir: DataDir = Path("data"),
    as_json: AsJson = False,
) -> None:
    """List incidents, newest first."""
    filters = {"status": status, "kind": kind, "severity": severity, "label": label}
    query = {**filters, "since": since, "until": until, "limit": limit, "offset": offset}
    with open_gateway(url, data_dir) as client:
        if monitor:
            query["monitor_id"] = client.find_id("/monitors", monitor)
        answer = client.call("GET", "/incidents", query=query)
    rows = [_row(each) for each in answer["incidents"]]
    print_answer(answer, as_json=as_json, plainly=lambda: print_table(COLUMNS, rows))


@app.command("show")
def show(
    incident_id: IncidentId,
    save: Annotated[
        Path | None, typer.Option(help="Folder that its pictures, clip and capsule are saved in.")
    ] = None,
    url: GatewayUrl = LOCAL_GATEWAY,
    data_dir: DataDir = Path("data"),
    as_json: AsJson = False,
) -> None:
    """Show one incident, its events and its evidence; in a terminal, its pictures."""
    with open_gateway(url, data_dir) as client:
        answer = client.call("GET", client.find_path("/incidents", incident_id))
        print_answer(answer, as_json=as_json, plainly=lambda: _print_all(answer))
        if save:
            save_evidence(client, answer["evidence"], save)
        if not as_json:
            show_pictures(client, answer["evidence"])


@app.command("ack")
def acknowledge(
    incident_id: IncidentId,
    note: Annotated[str | None, typer.Option(help="What the others should know.")] = None,
    url: GatewayUrl = LOCAL_GATEWAY,
    data_dir: DataDir = Path("data"),
    as_json: AsJson = False,
) -> None:
    """Acknowledge an incident: no more reminders are sent."""
    with open_gateway(url, data_dir) as client:
        path = client.find_path("/incidents", incident_id) + "/acknowledge"
        answer = client.call("POST", path, body={"note": note})
    print_answer(answer, as_json=as_json, plainly=lambda: _print(answer))


def _row(incident: dict[str, Any]) -> tuple[str, ...]:
    lasted_sec = incident["duration_sec"]
    return (
        printable(incident["name"] or "-"),
        incident["kind"],
        incident["severity"],
        _status(incident),
        moment(incident["started_at"]),
        "-" if lasted_sec is None else f"{lasted_sec:.1f}",
        incident["incident_id"],
        printable(incident["reason"] or ""),
    )


def _status(incident: dict[str, Any]) -> str:
    marks = {"acknowledged": incident["acknowledged_at"], "silenced": incident["silenced"]}
    marks["flapping"] = incident["flapping"]
    return ", ".join([incident["status"], *(mark for mark, is_set in marks.items() if is_set)])


def _print_all(incident: dict[str, Any]) -> None:
    _print(incident)
    print_events(incident["events"])
    print_evidence(incident["evidence"])


def _print(incident: dict[str, Any]) -> None:
    print_table(COLUMNS, [_row(incident)])
    if incident["note"]:
        typer.echo(f"note: {printable(incident['note'])}")
