"""Evidence on the command line: a table, files, and small pictures in a terminal."""

import io
from pathlib import Path
from typing import Any, Final

import typer
from PIL import Image
from rich.console import Console
from rich.style import Style
from rich.text import Text

from cli.client import RestClient
from cli.monitor_view import moment, print_table
from cli.running import FAILED, fail

COLUMNS: Final = ("KIND", "MOMENT", "STATE", "BYTES", "TAKEN", "REASON")
SUFFIXES: Final = {"image/jpeg": "jpg", "video/mp4": "mp4", "application/zip": "zip"}
PICTURE_COLUMNS: Final = 64
MAX_PICTURE_BYTES: Final = 1 << 20
MAX_PICTURE_PIXELS: Final = 1280 * 1280
UPPER_HALF: Final = "▀"


def print_evidence(evidence: list[dict[str, Any]]) -> None:
    """Print what there is, and below it the URLs: in a table a terminal would cut them."""
    if evidence:
        print_table(COLUMNS, [_row(each) for each in evidence])
    for each in evidence:
        if each["state"] != "failed":
            typer.echo(f"{each['kind']} {each['moment'] or ''}".rstrip() + f": {each['url']}")


def save_evidence(client: RestClient, evidence: list[dict[str, Any]], folder: Path) -> None:
    """Save the files that there are; say where."""
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


def show_pictures(client: RestClient, evidence: list[dict[str, Any]]) -> None:
    """Show small pictures, where a terminal reads."""
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
    lines = [_line(pixels, columns, row) for row in range(rows)]
    return Text("\n").join(lines)


def _line(pixels: bytes, columns: int, row: int) -> Text:
    line = Text(no_wrap=True)
    for column in range(columns):
        upper, lower = (_colour(pixels, (2 * row + half) * columns + column) for half in (0, 1))
        line.append(UPPER_HALF, Style(color=upper, bgcolor=lower))
    return line


def _colour(pixels: bytes, index: int) -> str:
    return f"#{pixels[3 * index : 3 * index + 3].hex()}"


def _row(evidence: dict[str, Any]) -> tuple[str, ...]:
    return (
        evidence["kind"],
        evidence["moment"] or "-",
        evidence["state"],
        str(evidence["size_bytes"] or "-"),
        moment(evidence["taken_at"]),
        evidence["reason"] or "-",
    )
