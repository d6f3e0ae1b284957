"""What all commands have in common: options, settings and keys, output, exit codes.

Exit codes: 0 done; 1 it failed, or the service refused it; 2 wrong usage or a bad setting; 3 the
service does not answer; 130 interrupted.
"""

import asyncio
import errno
import json
import os
import sys
from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.generated_keys import FILE_NAME, read_keys
from runtime.errors import StartError
from runtime.settings import SettingsError, SettingsT, load_settings

FAILED, MISUSED, UNREACHABLE, INTERRUPTED = 1, 2, 3, 130

STYLES = {"error": "bold red", "warning": "yellow", "unknown": "yellow", "ok": "green"}
"""Of cells that say how something is."""

LOCAL_GATEWAY = "http://127.0.0.1:8080"

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
GatewayUrl = Annotated[
    str, typer.Option("--url", envvar="STREAM_TRACKER_URL", help="The gateway's base URL.")
]
DataDir = Annotated[
    Path,
    typer.Option(
        envvar="DATA_DIR", help="Where `stream-tracker up` keeps its keys; used without API_KEY."
    ),
]
RequestHeader = Annotated[
    list[str] | None,
    typer.Option(
        "--header",
        help="Sent with every request for the stream: 'Name: value'; or @FILE, with one a line, "
        "which nobody else on this machine reads from the list of processes.",
    ),
]

LabelFilter = Annotated[
    list[str] | None,
    typer.Option("--label", help="Only those with this KEY:VALUE; may be given several times."),
]


def fail(message: str, code: int) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(code)


def settings(kind: type[SettingsT], *, embedded: bool = False) -> SettingsT:
    try:
        return load_settings(kind, embedded=embedded)
    except SettingsError as error:
        fail(str(error), MISUSED)


def run(
    work: Coroutine[Any, Any, Any],
    new_event_loop: Callable[[], asyncio.AbstractEventLoop] | None = None,
) -> None:
    """Run `work` to its end; what keeps it from starting is one line, not a trace."""
    is_read = True
    try:
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            try:
                runner.run(work)
            except* BrokenPipeError:  # of any task of the work
                is_read = False
    except StartError as error:
        fail(str(error), MISUSED if isinstance(error, SettingsError) else FAILED)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    if not is_read:
        raise BrokenPipeError(errno.EPIPE, "nobody reads standard output")  # typer ends quietly


def key(name: str, data_dir: Path) -> str:
    """Return the key `name` of the environment, else that of `stream-tracker up` in `data_dir`."""
    found = os.environ.get(name) or read_keys(data_dir / FILE_NAME).get(name)
    if not found:
        fail(f"{name}: is required (not in the environment, none kept in {data_dir})", MISUSED)
    return found


def labels(given: list[str] | None) -> dict[str, str]:
    pairs = [text.partition(":") for text in given or ()]
    if not all(key and colon and value for key, colon, value in pairs):
        fail("--label: must be KEY:VALUE", MISUSED)
    return {key: value for key, _, value in pairs}


def request_headers(given: list[str] | None) -> dict[str, str]:
    """Read `Name: value`, and files of these; an error quotes no value."""
    from monitors.request_headers import check_request_headers

    headers: dict[str, str] = {}
    for text in given or ():
        for line in _header_lines(text):
            name, colon, value = line.partition(":")
            if not colon:
                fail("--header: must be 'Name: value' or @FILE", MISUSED)
            headers[name.strip()] = value.strip()
    try:
        check_request_headers(headers)
    except ValueError as error:
        fail(f"--header: {error}", MISUSED)
    return headers


def _header_lines(text: str) -> list[str]:
    if not text.startswith("@"):
        return [text]
    return [line for line in text_or_file("--header", text).splitlines() if line.strip()]


def text_or_file(option: str, text: str) -> str:
    """Return `text`; of `@FILE` what is in the file."""
    if not text.startswith("@"):
        return text
    try:
        return Path(text[1:]).read_text()
    except (OSError, UnicodeDecodeError) as error:
        fail(f"{option}: {text[1:]} cannot be read ({type(error).__name__})", MISUSED)


def printable(value: object) -> str:
    """Return a text that cannot steer a terminal: titles and addresses come from strangers."""
    return "".join(char if char.isprintable() else "?" for char in str(value))


def moment(text: str | None) -> str:
    return f"{datetime.fromisoformat(text).astimezone():%Y-%m-%d %H:%M:%S}" if text else ""


def print_answer(answer: Mapping[str, Any], *, as_json: bool, plainly: Callable[[], None]) -> None:
    """Print an answer of the gateway as JSON, or `plainly`."""
    if as_json:
        typer.echo(json.dumps(answer, indent=2))
    else:
        plainly()


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows: for people on a terminal, aligned and uncut for a file or a pipe."""
    console = Console()
    if console.is_terminal:
        console.print(table(columns, rows))
        return
    lines = [columns, *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        typer.echo("  ".join(cells).rstrip())


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    """Return a table for a terminal; where that is narrow, the last column is cut."""
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for index, column in enumerate(columns):
        widest = max([len(column), *(len(cells[index]) for cells in rows)])
        is_last = index == len(columns) - 1
        made.add_column(column, no_wrap=True, min_width=None if is_last else min(widest, 30))
    for cells in rows:
        made.add_row(*(Text(cell, style=STYLES.get(cell, "")) for cell in cells))
    return made
