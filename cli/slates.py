"""`stream-tracker slates`: pictures that are not to be on air."""

from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import typer

from cli.client import open_gateway
from cli.command import (
    LOCAL_GATEWAY,
    AsJson,
    DataDir,
    GatewayUrl,
    moment,
    print_answer,
    print_table,
)

app = typer.Typer(help="Upload pictures that are not to be on air.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="Names the slate in incidents.")]


@app.command("add")
def add(
    name: Name,
    image: Annotated[
        Path, typer.Argument(help="PNG, JPEG or WebP.", exists=True, dir_okay=False, readable=True)
    ],
    url: GatewayUrl = LOCAL_GATEWAY,
    data_dir: DataDir = Path("data"),
) -> None:
    """Upload a slate, or another picture for it; watches look for it within a minute."""
    with open_gateway(url, data_dir) as client:
        client.upload(_path(name), image.read_bytes())
    typer.echo("uploaded")


@app.command("list")
def list_slates(
    url: GatewayUrl = LOCAL_GATEWAY, data_dir: DataDir = Path("data"), as_json: AsJson = False
) -> None:
    """List slates by name."""
    with open_gateway(url, data_dir) as client:
        found = client.call("GET", "/slates")
    rows = [(each["name"], moment(each["updated_at"])) for each in found["slates"]]
    columns = ("NAME", "UPLOADED")
    print_answer(found, as_json=as_json, plainly=lambda: print_table(columns, rows))


@app.command("remove")
def remove(name: Name, url: GatewayUrl = LOCAL_GATEWAY, data_dir: DataDir = Path("data")) -> None:
    """Remove a slate."""
    with open_gateway(url, data_dir) as client:
        client.call("DELETE", _path(name))
    typer.echo("removed")


def _path(name: str) -> str:
    return f"/slates/{quote(name, safe='')}"
