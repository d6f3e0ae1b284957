"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

from cli.running import MISUSED, fail

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
