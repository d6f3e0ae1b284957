"""The `stream-tracker` command. Commands import what they need when they run: most need little."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer

from cli import capsule, destinations, incidents, monitors, report, silences, slates, top
from cli.client import open_gateway
from cli.command import (
    FAILED,
    LOCAL_GATEWAY,
    MISUSED,
    AsJson,
    DataDir,
    GatewayUrl,
    RequestHeader,
    fail,
    key,
    request_headers,
    run,
    settings,
)
from runtime.settings import EmbeddedSettings, GatewaySettings, StreamSettings, WorkerSettings
from runtime.version import VERSION

app = typer.Typer(
    help="Watches live streams and reports their faults by signed webhooks.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(monitors.app, name="monitors")
app.add_typer(incidents.app, name="incidents")
app.add_typer(destinations.app, name="destinations")
app.add_typer(silences.app, name="silences")
app.add_typer(slates.app, name="slates")
app.add_typer(capsule.app, name="capsule")

Embedded = Annotated[bool, typer.Option("--embedded", hidden=True)]
"""Part of `stream-tracker up`: keys may be short."""


def _print_version(is_wanted: bool) -> None:
    if is_wanted:
        typer.echo(f"stream-tracker {VERSION}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    pass


@app.command()
def up(
    stream: Annotated[str, typer.Option(help="Register a monitor of this stream.")] = "",
    webhook: Annotated[
        str, typer.Option(help="Where its events go; else they are shown here.")
    ] = "",
) -> None:
    """Run the whole service in the foreground: Temporal, its web UI, the gateway, one worker."""
    from cli.embedded.run_up import run_up

    run(run_up(settings(EmbeddedSettings), stream=stream, webhook=webhook))


@app.command()
def demo() -> None:
    """Show the whole job on this machine: a stream with scripted faults, and their events."""
    try:
        from cli.demo import run_demo
    except ModuleNotFoundError as error:
        fail(
            f"the demo needs the extra `demo`, which brings {error.name}: "
            "pip install 'stream-tracker[demo]'",
            FAILED,
        )

    sys.exit(asyncio.run(run_demo()))


@app.command()
def gateway(embedded: Embedded = False) -> None:
    """Run the gateway."""
    from runtime.serving import new_event_loop
    from worker.gateway_process import run_gateway

    run(run_gateway(settings(GatewaySettings, embedded=embedded)), new_event_loop)


@app.command()
def worker(embedded: Embedded = False) -> None:
    """Run a worker; WORKER_ROLE says which."""
    from runtime.serving import new_event_loop
    from worker.main import run_worker

    run(run_worker(settings(WorkerSettings, embedded=embedded)), new_event_loop)


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
    headers = request_headers(header)
    try:
        parse_stream_url(url)
        run(watch_url(url, config, settings(StreamSettings), headers, as_json=as_json))
    except InvalidStreamUrl as error:
        fail(f"URL: {error}", MISUSED)
    except StreamUnavailable as error:
        fail(f"URL: {error}", FAILED)


app.command()(report.report)
app.command()(top.top)


@app.command()
def apply(
    file: Annotated[
        Path,
        typer.Option(
            "--file",
            "-f",
            help="YAML file: docs/guides/many-streams.md.",
            exists=True,
            dir_okay=False,
        ),
    ],
    dry_run: Annotated[bool, typer.Option(help="Only show what would be done.")] = False,
    prune: Annotated[
        bool,
        typer.Option(
            help="Also stop or remove what an earlier file made and this one does not name."
        ),
    ] = False,
    send_secrets: Annotated[
        bool,
        typer.Option(
            help="Send secrets again: changed values cannot be seen, the service keeps them to "
            "itself."
        ),
    ] = False,
    url: GatewayUrl = LOCAL_GATEWAY,
    data_dir: DataDir = Path("data"),
) -> None:
    """Create and change monitors, destinations and silences as a file says."""
    from cli.apply.plan import Options
    from cli.apply.run import apply_file
    from cli.apply.yaml_file import FileRefused

    try:
        with open_gateway(url, data_dir) as client:
            options = Options(prune=prune, send_secrets=send_secrets)
            refused = apply_file(client, file, options, dry_run=dry_run)
    except FileRefused as error:
        fail(str(error), MISUSED)
    if refused:
        fail(f"{refused} refused", FAILED)


@app.command()
def receiver(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 9000,
    fail_first: Annotated[int, typer.Option(help="Answer this many requests with 500.")] = 0,
    status: Annotated[int, typer.Option(help="Answer with this status.")] = 200,
    delay: Annotated[float, typer.Option(help="Wait this many seconds before an answer.")] = 0,
    data_dir: DataDir = Path("data"),
    as_json: AsJson = False,
) -> None:
    """Receive webhooks, verify and print them. Keys: WEBHOOK_SIGNING_KEY, else DATA_DIR's."""
    from cli.receiver import Receiver, print_json, print_line, run_receiver, signing_keys

    receiver = Receiver(
        signing_keys(key("WEBHOOK_SIGNING_KEY", data_dir)),
        print_json if as_json else print_line,
        fail_first=fail_first,
        status=status,
        delay_sec=delay,
    )
    run(run_receiver(receiver, host, port))


def main() -> None:
    app()
