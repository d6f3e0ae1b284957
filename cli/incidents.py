"""`stream-tracker incidents`: what was wrong, and who takes care."""

import io
from pathlib import Path
from typing import Annotated, Any

import typer
from PIL import Image
from rich.console import Console
from rich.style import Style
from rich.text import Text

from cli.client import RestClient, open_gateway
from cli.command import (
    FAILED,
    LOCAL_GATEWAY,
    AsJson,
    DataDir,
    GatewayUrl,
    LabelFilter,
    fail,
    moment,
    print_answer,
    print_table,
    printable,
)
from cli.monitor_view import print_events

COLUMNS = ("NAME", "KIND", "SEVERITY", "STATUS", "SINCE", "SECONDS", "ID", "REASON")

EVIDENCE_COLUMNS = ("KIND", "MOMENT", "STATE", "BYTES", "TAKEN", "REASON")
SUFFIXES = {"image/jpeg": "jpg", "video/mp4": "mp4", "application/zip": "zip"}
PICTURE_COLUMNS = 64
MAX_PICTURE_BYTES = 1 << 20
MAX_PICTURE_PIXELS = 1280 * 1280
UPPER_HALF = "▀"

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
            _save_evidence(client, answer["evidence"], save)
        if not as_json:
            _show_pictures(client, answer["evidence"])


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


def print_evidence(evidence: list[dict[str, Any]]) -> None:
    """Print what there is, and below it the URLs: in a table a terminal would cut them."""
    if evidence:
        print_table(EVIDENCE_COLUMNS, [_evidence_row(each) for each in evidence])
    for each in evidence:
        if each["state"] != "failed":
            typer.echo(f"{each['kind']} {each['moment'] or ''}".rstrip() + f": {each['url']}")


def _save_evidence(client: RestClient, evidence: list[dict[str, Any]], folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for each in _ready(evidence):
            parts = (each["evidence_id"], each["kind"], each["moment"])
            name = "-".join(part for part in parts if part)
            path = folder / f"{name}.{SUFFIXES[each['content_type']]}"
            with path.open("wb") as file:
                for piece in client.pieces(f"/evidence/{each['evidence_id']}"):
                    file.write(piece)
            typer.echo(str(path), err=True)
    except OSError as error:
        fail(f"--save: {folder}: {error.strerror}", FAILED)


def _show_pictures(client: RestClient, evidence: list[dict[str, Any]]) -> None:
    console = Console()
    if not console.is_terminal:
        return
    for each in _ready(evidence):
        if each["kind"] == "picture" and each["size_bytes"] <= MAX_PICTURE_BYTES:
            picture = b"".join(client.pieces(f"/evidence/{each['evidence_id']}"))
            console.print(each["moment"].replace("_", " "))
            console.print(half_blocks(picture, min(PICTURE_COLUMNS, console.width)))


def _ready(evidence: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [each for each in evidence if each["state"] == "ready"]


def half_blocks(picture: bytes, columns: int) -> Text:
    """Return a JPEG as text: each character is two pixels, one above the other."""
    try:
        with Image.open(io.BytesIO(picture), formats=("JPEG",)) as opened:
            width, height = opened.size
            if width * height > MAX_PICTURE_PIXELS:
                return Text("(too large)")
            rows = max(1, round(columns * height / width / 2))
            small = opened.convert("RGB").resize((columns, 2 * rows), Image.Resampling.BOX)
    except (OSError, SyntaxError, ValueError):  # what Pillow raises
        return Text("(cannot be read)")
    pixels = small.tobytes()
    lines = [_pixel_row(pixels, columns, row) for row in range(rows)]
    return Text("\n").join(lines)


def _pixel_row(pixels: bytes, columns: int, row: int) -> Text:
    line = Text(no_wrap=True)
    for column in range(columns):
        upper, lower = (_colour(pixels, (2 * row + half) * columns + column) for half in (0, 1))
        line.append(UPPER_HALF, Style(color=upper, bgcolor=lower))
    return line


def _colour(pixels: bytes, index: int) -> str:
    return f"#{pixels[3 * index : 3 * index + 3].hex()}"


def _evidence_row(evidence: dict[str, Any]) -> tuple[str, ...]:
    return (
        evidence["kind"],
        evidence["moment"] or "-",
        evidence["state"],
        str(evidence["size_bytes"] or "-"),
        moment(evidence["taken_at"]),
        evidence["reason"] or "-",
    )
