"""The `stream-tracker` command.

Exit codes: 0 done; 1 it went wrong or the service said no; 2 wrong usage or a bad setting; 3 the
service does not answer.
"""

import asyncio
import json
import os
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from runtime.settings import (
    EmbeddedSettings,
    GatewaySettings,
    SettingsError,
    SettingsT,
    StreamSettings,
    WorkerSettings,
    load_settings,
)

FAILED, MISUSED, UNREACHABLE = 1, 2, 3

app = typer.Typer(
    help="Watches live streams and reports their faults by signed webhooks.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
monitors = typer.Typer(help="Register, look at and stop monitors.", no_args_is_help=True)
app.add_typer(monitors, name="monitors")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
GatewayUrl = Annotated[
    str, typer.Option("--url", envvar="STREAM_TRACKER_URL", help="The gateway's base URL.")
]
DataDir = Annotated[
    Path,
    typer.Option(envvar="DATA_DIR", help="Where the embedded mode keeps its keys (no API_KEY)."),
]
RequestHeader = Annotated[
    list[str] | None,
    typer.Option(
        "--header",
        help="Sent with every request for the stream: 'Name: value'; or @FILE, with one a line, "
        "which nobody else on this machine reads from the list of processes.",
    ),
]
Embedded = Annotated[bool, typer.Option("--embedded", hidden=True)]
"""Part of `stream-tracker up`: keys may be short."""

LOCAL_GATEWAY = "http://127.0.0.1:8080"


@app.command()
def up(
    stream: Annotated[str, typer.Option(help="Register a monitor of this stream.")] = "",
    webhook: Annotated[
        str, typer.Option(help="Where its events go; else they are shown here.")
    ] = "",
) -> None:
    """Run the whole service in the foreground: Temporal, its web UI, the gateway, one worker."""
    from cli.embedded.command import run_up

    _run(run_up(_settings(EmbeddedSettings), stream=stream, webhook=webhook))


@app.command()
def demo() -> None:
    """Show the whole job on this machine: a stream with scripted faults, and their events."""
    from cli.demo import run_demo

    sys.exit(asyncio.run(run_demo()))


@app.command()
def gateway(embedded: Embedded = False) -> None:
    """Run the gateway."""
    from runtime.event_loop import new_event_loop
    from worker.gateway_process import run_gateway

    _run(run_gateway(_settings(GatewaySettings, embedded=embedded)), new_event_loop)


@app.command()
def worker(embedded: Embedded = False) -> None:
    """Run a worker; WORKER_ROLE says which."""
    from runtime.event_loop import new_event_loop
    from worker.main import run_worker

    _run(run_worker(_settings(WorkerSettings, embedded=embedded)), new_event_loop)


@app.command()
def watch(
    url: Annotated[str, typer.Argument(help="A stream URL.")],
    blackout: Annotated[
        float, typer.Option(min=0, max=86_400, help="Seconds of black before an alert.")
    ] = 30,
    silence: Annotated[
        float, typer.Option(min=0, max=86_400, help="Seconds of silence before an alert.")
    ] = 30,
    freeze: Annotated[
        float, typer.Option(min=0, max=86_400, help="Seconds of still picture before an alert.")
    ] = 60,
    header: RequestHeader = None,
    as_json: AsJson = False,
) -> None:
    """Show a live table of one stream: picture, sound, loudness, incidents. Needs no service.

    Reads the worker's settings of proxies, certificates, cookies and executables.
    """
    from cli.watch import watch_url
    from media.watching import StreamUnavailable
    from monitors.config import MonitorConfig
    from monitors.stream_url import InvalidStreamUrl, parse_stream_url

    config = MonitorConfig(
        blackout_threshold_sec=blackout,
        silence_threshold_sec=silence,
        freeze_threshold_sec=freeze,
    )
    try:
        parse_stream_url(url)
        _run(
            watch_url(
                url,
                config,
                _settings(StreamSettings),
                as_json=as_json,
                request_headers=_request_headers(header),
            )
        )
    except InvalidStreamUrl as error:
        _fail(f"URL: {error}", MISUSED)
    except StreamUnavailable as error:
        _fail(f"URL: {error}", FAILED)


@app.command()
def receiver(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 9000,
    fail_first: Annotated[int, typer.Option(help="Answer so many requests with 500.")] = 0,
    status: Annotated[int, typer.Option(help="Answer with this status.")] = 200,
    delay: Annotated[float, typer.Option(help="Wait so many seconds before an answer.")] = 0,
    data_dir: DataDir = Path("data"),
    as_json: AsJson = False,
) -> None:
    """Receive webhooks, verify and print them. Keys: WEBHOOK_SIGNING_KEY, else DATA_DIR's."""
    from cli.receiver import Behaviour, run_receiver

    behaviour = Behaviour(fail_first=fail_first, status=status, delay_sec=delay)
    keys = _key("WEBHOOK_SIGNING_KEY", data_dir)
    _run(run_receiver(keys, host, port, behaviour, as_json=as_json))


@monitors.command("add")
def add(
    stream_url: Annotated[str, typer.Argument(help="What to watch.")],
    callback_url: Annotated[str, typer.Argument(help="Where events go.")],
    config: Annotated[str, typer.Option(help="The `config` object, as JSON.")] = "{}",
    metadata: Annotated[str, typer.Option(help="The `metadata` object, as JSON.")] = "{}",
    header: RequestHeader = None,
    url: GatewayUrl = LOCAL_GATEWAY,
    data_dir: DataDir = Path("data"),
    as_json: AsJson = False,
) -> None:
    """Register a monitor and print its id."""
    body = {
        "stream_url": stream_url,
        "callback_url": callback_url,
        "config": _object("--config", config) | _given_headers(header),
        "metadata": _object("--metadata", metadata),
    }
    answer = _call(url, data_dir, "POST", "/monitors", body=body)
    _print(answer, as_json=as_json, plain=answer["monitor_id"])


@monitors.command("list")
def list_monitors(
    status: Annotated[str | None, typer.Option(help="Only those in this status.")] = None,
    limit: Annotated[int, typer.Option(help="At most so many, newest first.")] = 50,
    offset: Annotated[int, typer.Option(help="Skip so many.")] = 0,
    url: GatewayUrl = LOCAL_GATEWAY,
    data_dir: DataDir = Path("data"),
    as_json: AsJson = False,
) -> None:
    """List monitors, newest first."""
    query = {"limit": limit, "offset": offset} | ({"status": status} if status else {})
    answer = _call(url, data_dir, "GET", "/monitors", query=query)
    columns = ("monitor_id", "status", "created_at", "stream_url")
    _print(answer, as_json=as_json, rows=answer["monitors"], columns=columns)


@monitors.command("show")
def show(
    monitor_id: str,
    url: GatewayUrl = LOCAL_GATEWAY,
    data_dir: DataDir = Path("data"),
    as_json: AsJson = False,
) -> None:
    """Show one monitor."""
    answer = _call(url, data_dir, "GET", f"/monitors/{monitor_id}")
    plain = "\n".join(f"{name}: {_text(value)}" for name, value in answer.items())
    _print(answer, as_json=as_json, plain=plain)


@monitors.command("events")
def events(
    monitor_id: str,
    limit: Annotated[int, typer.Option(help="At most so many.")] = 50,
    offset: Annotated[int, typer.Option(help="Skip so many.")] = 0,
    url: GatewayUrl = LOCAL_GATEWAY,
    data_dir: DataDir = Path("data"),
    as_json: AsJson = False,
) -> None:
    """List the events of a monitor and what became of their webhooks."""
    query = {"limit": limit, "offset": offset}
    answer = _call(url, data_dir, "GET", f"/monitors/{monitor_id}/events", query=query)
    columns = ("created_at", "event_type", "webhook_status", "webhook_attempts", "event_id")
    _print(answer, as_json=as_json, rows=answer["events"], columns=columns)


@monitors.command("redeliver")
def redeliver(
    monitor_id: str,
    event_id: str,
    url: GatewayUrl = LOCAL_GATEWAY,
    data_dir: DataDir = Path("data"),
    as_json: AsJson = False,
) -> None:
    """Send an event once more, also when its monitor has ended; `events` shows what comes of it."""
    path = f"/monitors/{monitor_id}/events/{event_id}/redeliver"
    answer = _call(url, data_dir, "POST", path)
    _print(answer, as_json=as_json, plain=answer["webhook_status"])


@monitors.command("stop")
def stop(
    monitor_id: str,
    url: GatewayUrl = LOCAL_GATEWAY,
    data_dir: DataDir = Path("data"),
    as_json: AsJson = False,
) -> None:
    """Stop a monitor; what is queued is still delivered."""
    answer = _call(url, data_dir, "DELETE", f"/monitors/{monitor_id}")
    _print(answer, as_json=as_json, plain=f"stopped at {answer['stopped_at']}")


def main() -> None:
    """Run the command."""
    app()


def _settings(kind: type[SettingsT], *, embedded: bool = False) -> SettingsT:
    try:
        return load_settings(kind, embedded=embedded)
    except SettingsError as error:
        _fail(str(error), MISUSED)


def _run(
    work: Coroutine[Any, Any, Any],
    new_event_loop: Callable[[], asyncio.AbstractEventLoop] | None = None,
) -> None:
    """Run `work` to its end; what can go wrong with it is one line, not a trace."""
    from runtime.errors import StartError

    try:
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            runner.run(work)
    except StartError as error:
        _fail(str(error), MISUSED if isinstance(error, SettingsError) else FAILED)
    except KeyboardInterrupt:
        sys.exit(130)


def _call(url: str, data_dir: Path, method: str, path: str, **request: Any) -> dict[str, Any]:
    from cli.client import GatewayClient, GatewayRefused, GatewayUnreachable

    try:
        client = GatewayClient(url, _key("API_KEY", data_dir).partition(",")[0].strip())
        return client.call(method, path, **request)
    except GatewayRefused as error:
        _fail(str(error), FAILED)
    except GatewayUnreachable as error:
        _fail(str(error), UNREACHABLE)


def _key(name: str, data_dir: Path) -> str:
    from cli.embedded.generated_keys import FILE_NAME, provided_keys

    key = os.environ.get(name) or provided_keys(data_dir / FILE_NAME).get(name)
    if not key:
        _fail(f"{name}: is required (not in the environment, none kept in {data_dir})", MISUSED)
    return key


def _object(option: str, text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError as error:
        _fail(f"{option}: is no JSON: {error}", MISUSED)
    if not isinstance(value, dict):
        _fail(f"{option}: must be a JSON object", MISUSED)
    return value


def _given_headers(given: list[str] | None) -> dict[str, Any]:
    headers = _request_headers(given)
    return {"request_headers": headers} if headers else {}


def _request_headers(given: list[str] | None) -> dict[str, str]:
    """Read `Name: value`, and files of these; an error quotes no value."""
    from monitors.request_headers import check_request_headers

    headers: dict[str, str] = {}
    for text in given or ():
        for line in _header_lines(text):
            name, colon, value = line.partition(":")
            if not colon:
                _fail("--header: must be 'Name: value' or @FILE", MISUSED)
            headers[name.strip()] = value.strip()
    try:
        check_request_headers(headers)
    except ValueError as error:
        _fail(f"--header: {error}", MISUSED)
    return headers


def _header_lines(text: str) -> list[str]:
    if not text.startswith("@"):
        return [text]
    try:
        lines = Path(text[1:]).read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        _fail(f"--header: {text[1:]} cannot be read ({type(error).__name__})", MISUSED)
    return [line for line in lines if line.strip()]


def _print(
    answer: dict[str, Any],
    *,
    as_json: bool,
    plain: str = "",
    rows: list[dict[str, Any]] | None = None,
    columns: tuple[str, ...] = (),
) -> None:
    if as_json:
        typer.echo(json.dumps(answer, indent=2))
    elif rows is None:
        typer.echo(plain)
    else:
        lines = [columns, *(tuple(_text(row.get(column)) for column in columns) for row in rows)]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        for line in lines:
            cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
            typer.echo("  ".join(cells).rstrip())


def _text(value: Any) -> str:
    return json.dumps(value) if isinstance(value, dict | list) else str(value)


def _fail(message: str, code: int) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(code)
