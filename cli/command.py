"""What all commands have in common: options, settings and keys, exit codes, errors as one line.

Exit codes: 0 done; 1 it failed, or the service refused it; 2 wrong usage or a bad setting; 3 the
service does not answer; 130 interrupted.
"""

import asyncio
import errno
import os
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from cli.generated_keys import FILE_NAME, read_keys
from runtime.errors import StartError
from runtime.settings import SettingsError, SettingsT, load_settings

FAILED, MISUSED, UNREACHABLE, INTERRUPTED = 1, 2, 3, 130

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
