"""`stream-tracker monitors`: register, inspect and stop monitors."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.client import RestClient, open_gateway
from cli.command import (
    LOCAL_GATEWAY,
    MISUSED,
    AsJson,
    DataDir,
    GatewayUrl,
    LabelFilter,
    RequestHeader,
    fail,
    labels,
    print_answer,
    request_headers,
)
from cli.monitor_view import print_card, print_events, print_monitors
from monitors.status import ACTIVE_STATUSES

MonitorId = Annotated[
    str, typer.Argument(metavar="MONITOR_ID", help="A monitor's id, or an unambiguous beginning.")
]
Limit = Annotated[int, typer.Option(help="At most this many.")]
Offset = Annotated[int, typer.Option(help="Skip this many.")]

app = typer.Typer(help="Register, inspect and stop monitors.", no_args_is_help=True)


@app.command("add")
def add(
    stream_url: Annotated[str, typer.Argument(help="What to watch.")],
    callback_url: Annotated[
        str, typer.Argument(help="Where events go; may be left out with --destination.")
    ] = "",
    destination: Annotated[
        list[str] | None,
        typer.Option(help="A destination's id; may be given several times."),
    ] = None,
    name: Annotated[str, typer.Option(help="What lists call it; default: the title.")] = "",
    label: Annotated[
        list[str] | None, typer.Option(help="KEY:VALUE; may be given several times.")
    ] = None,
    config: Annotated[str, typer.Option(help="The `config` object, as JSON.")] = "{}",
    metadata: Annotated[str, typer.Option(help="The `metadata` object, as JSON.")] = "{}",
    header: RequestHeader = None,
    url: GatewayUrl = LOCAL_GATEWAY,
    data_dir: DataDir = Path("data"),
    as_json: AsJson = False,
) -> None:
    """Register a monitor and print its id."""
    headers = request_headers(header)
    body = {
        "stream_url": stream_url,
        "callback_url": callback_url or None,
        "config": _object("--config", config) | ({"request_headers": headers} if headers else {}),
        "metadata": _object("--metadata", metadata),
        "labels": labels(label),
    } | ({"name": name} if name else {})
    with open_gateway(url, data_dir) as client:
        ids = [client.find_id("/destinations", each) for each in destination or ()]
        answer = client.call("POST", "/monitors", body=body | {"destinations": ids})
    _print(answer, answer["monitor_id"], as_json=as_json)


@app.command("list")
def list_monitors(
    status: Annotated[str | None, typer.Option(help="Only those in this status.")] = None,
    health: Annotated[
        str | None, typer.Option(help="Only active ones that are error, warning, unknown or ok.")
    ] = None,
    label: LabelFilter = None,
    search: Annotated[
        str | None, typer.Option(help="Only those with this in name, title or URL.")
    ] = None,
    limit: Limit = 50,
    offset: Offset = 0,
    url: GatewayUrl = LOCAL_GATEWAY,
    data_dir: DataDir = Path("data"),
    as_json: AsJson = False,
) -> None:
    """List monitors, newest first."""
    filters = {"status": status, "health": health, "label": label, "q": search}
    query = {**filters, "limit": limit, "offset": offset}
    with open_gateway(url, data_dir) as client:
        answer = client.call("GET", "/monitors", query=query)
    print_answer(answer, as_json=as_json, plainly=lambda: print_monitors(answer["monitors"]))


@app.command("show")
def show(
    monitor_id: MonitorId,
    url: GatewayUrl = LOCAL_GATEWAY,
    data_dir: DataDir = Path("data"),
    as_json: AsJson = False,
) -> None:
    """Show one monitor."""
    with open_gateway(url, data_dir) as client:
        answer = client.call("GET", client.find_path("/monitors", monitor_id))
    print_answer(answer, as_json=as_json, plainly=lambda: print_card(answer))


@app.command("events")
def events(
    monitor_id: MonitorId,
    limit: Limit = 50,
    offset: Offset = 0,
    url: GatewayUrl = LOCAL_GATEWAY,
    data_dir: DataDir = Path("data"),
    as_json: AsJson = False,
) -> None:
    """List the events of a monitor and what became of their webhooks."""
    query = {"limit": limit, "offset": offset}
    with open_gateway(url, data_dir) as client:
        path = client.find_path("/monitors", monitor_id) + "/events"
        answer = client.call("GET", path, query=query)
    print_answer(answer, as_json=as_json, plainly=lambda: print_events(answer["events"]))


@app.command("redeliver")
def redeliver(
    monitor_id: MonitorId,
    event_id: Annotated[str, typer.Argument(help="An event's id, or an unambiguous beginning.")],
    url: GatewayUrl = LOCAL_GATEWAY,
    data_dir: DataDir = Path("data"),
    as_json: AsJson = False,
) -> None:
    """Send an event once more, also when its monitor has ended; `events` shows the result."""
    with open_gateway(url, data_dir) as client:
        monitor = client.find_id("/monitors", monitor_id)
        event = client.find_id(f"/monitors/{monitor}/events", event_id)
        answer = client.call("POST", f"/monitors/{monitor}/events/{event}/redeliver")
    _print(answer, answer["webhook_status"], as_json=as_json)


@app.command("stop")
def stop(
    monitor_id: Annotated[
        str, typer.Argument(help="A monitor's id, or an unambiguous beginning.")
    ] = "",
    label: LabelFilter = None,
    confirm: Annotated[
        int | None, typer.Option(help="With --label: how many are stopped; else you are asked.")
    ] = None,
    url: GatewayUrl = LOCAL_GATEWAY,
    data_dir: DataDir = Path("data"),
    as_json: AsJson = False,
) -> None:
    """Stop a monitor, or all with a label; what is queued is still delivered."""
    if bool(monitor_id) == bool(label):
        fail("Name either MONITOR_ID or --label", MISUSED)
    with open_gateway(url, data_dir) as client:
        if label:
            count = _confirmed(client, label) if confirm is None else confirm
            answer = client.call("DELETE", "/monitors", query={"label": label, "confirm": count})
            plain = "\n".join([f"{len(answer['stopped'])} stopped", *answer["stopped"]])
        else:
            answer = client.call("DELETE", client.find_path("/monitors", monitor_id))
            plain = f"stopped at {answer['stopped_at']}"
    _print(answer, plain, as_json=as_json)


def _confirmed(client: RestClient, label: list[str]) -> int:
    """Show which monitors would be stopped, and return how many, once the user agrees."""
    monitors = client.all("/monitors", label=label)
    active = [each for each in monitors if each["status"] in ACTIVE_STATUSES]
    if active:
        print_monitors(active)
        typer.confirm(f"Stop these {len(active)} monitors?", abort=True, err=True)
    return len(active)


def _object(option: str, text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError as error:
        fail(f"{option}: is not JSON: {error}", MISUSED)
    if not isinstance(value, dict):
        fail(f"{option}: must be a JSON object", MISUSED)
    return value


def _print(answer: dict[str, Any], plain: str, *, as_json: bool) -> None:
    print_answer(answer, as_json=as_json, plainly=lambda: typer.echo(plain))
