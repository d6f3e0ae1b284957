"""`stream-tracker destinations`: where notifications go."""

import json
import time
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from cli.client import RestClient, open_gateway
from cli.command import (
    FAILED,
    LOCAL_GATEWAY,
    AsJson,
    DataDir,
    GatewayUrl,
    fail,
    print_answer,
    print_table,
    printable,
    text_or_file,
)

TEST_SEC: Final = 60.0
TEST_POLL_SEC: Final = 0.5

DestinationId = Annotated[
    str,
    typer.Argument(
        metavar="DESTINATION_ID", help="A destination's id, or an unambiguous beginning."
    ),
]

app = typer.Typer(help="Say where notifications go.", no_args_is_help=True)


@app.command("add")
def add(
    name: Annotated[str, typer.Argument(help="What lists call it.")],
    type: Annotated[str, typer.Argument(help="webhook, apprise, pagerduty, alertmanager.")],
    address: Annotated[
        str,
        typer.Argument(
            help="Its URL; or @FILE, which nobody else on this machine reads from the list of "
            "processes."
        ),
    ],
    event: Annotated[
        list[str] | None, typer.Option(help="Pattern such as alert.*; may be given several times.")
    ] = None,
    min_severity: Annotated[str | None, typer.Option(help="critical: no warnings.")] = None,
    remind_every: Annotated[
        int | None, typer.Option(help="Seconds between reminders of what is open.")
    ] = None,
    group_window: Annotated[
        int,
        typer.Option(help="Incidents at one host within this many seconds are one notification."),
    ] = 0,
    retry: Annotated[str, typer.Option(help="short, or long: for about 75 hours.")] = "short",
    language: Annotated[str, typer.Option(help="en or ja.")] = "en",
    ed25519: Annotated[
        bool, typer.Option("--ed25519", help="Sign a webhook with an Ed25519 key as well.")
    ] = False,
    url: GatewayUrl = LOCAL_GATEWAY,
    data_dir: DataDir = Path("data"),
    as_json: AsJson = False,
) -> None:
    """Add a destination; print its id, and the keys of a webhook: its secret is shown this once."""
    body = {
        "name": name,
        "type": type,
        "url": text_or_file("ADDRESS", address).strip(),
        "min_severity": min_severity,
        "remind_every_sec": remind_every,
        "group_window_sec": group_window,
        "retry": retry,
        "language": language,
        "ed25519": ed25519,
    } | ({"events": event} if event else {})
    with open_gateway(url, data_dir) as client:
        made = client.call("POST", "/destinations", body=body)
    told = filter(None, (made["destination_id"], made["secret"], made["public_key"]))
    print_answer(made, as_json=as_json, plainly=lambda: typer.echo("\n".join(told)))


@app.command("list")
def list_destinations(
    url: GatewayUrl = LOCAL_GATEWAY, data_dir: DataDir = Path("data"), as_json: AsJson = False
) -> None:
    """List destinations, newest first."""
    with open_gateway(url, data_dir) as client:
        found = client.all("/destinations")
    columns = ("NAME", "TYPE", "ENABLED", "EVENTS", "ID", "URL")
    rows = [
        (
            printable(each["name"]),
            each["type"],
            "yes" if each["enabled"] else "no",
            ", ".join(each["events"]),
            each["destination_id"],
            printable(each["url"]),
        )
        for each in found
    ]
    answer = {"destinations": found}
    print_answer(answer, as_json=as_json, plainly=lambda: print_table(columns, rows))


@app.command("test")
def send_test(
    destination_id: DestinationId,
    url: GatewayUrl = LOCAL_GATEWAY,
    data_dir: DataDir = Path("data"),
    as_json: AsJson = False,
) -> None:
    """Send a test notification, and say what became of it."""
    with open_gateway(url, data_dir) as client:
        path = client.find_path("/destinations", destination_id)
        queued = client.call("POST", f"{path}/test")
        delivery = _outcome(client, path, queued["delivery_id"])
    if as_json:
        typer.echo(json.dumps(delivery, indent=2))
    elif delivery["status"] == "sent":
        typer.echo("sent")
    if delivery["status"] != "sent":
        fail(delivery["last_error"] or f"not sent within {TEST_SEC:g} s", FAILED)


@app.command("remove")
def remove(
    destination_id: DestinationId,
    url: GatewayUrl = LOCAL_GATEWAY,
    data_dir: DataDir = Path("data"),
) -> None:
    """Remove a destination; what waits for it is not sent."""
    with open_gateway(url, data_dir) as client:
        client.call("DELETE", client.find_path("/destinations", destination_id))
    typer.echo("removed")


def _outcome(client: RestClient, path: str, delivery_id: int) -> dict[str, Any]:
    deadline = time.monotonic() + TEST_SEC
    while True:
        newest = client.call("GET", f"{path}/deliveries", query={"limit": 200})["deliveries"]
        known: dict[str, Any] = next(each for each in newest if each["delivery_id"] == delivery_id)
        if known["status"] in ("sent", "failed") or time.monotonic() > deadline:
            return known
        time.sleep(TEST_POLL_SEC)
