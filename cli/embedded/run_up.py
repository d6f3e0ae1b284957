"""`stream-tracker up`: start everything, say where it is, stay until a signal."""

import asyncio
import os
from contextlib import closing
from typing import Any

import typer

from cli.client import GatewayRefused, GatewayUnreachable, RestClient
from cli.embedded.service import Endpoints, embedded_service
from cli.embedded.supervisor import MAKE_LEVEL, die_with_parent
from cli.receiver import print_line
from runtime.errors import StartError
from runtime.logging import configure_logging
from runtime.serving import run_until_signal
from runtime.settings import EmbeddedSettings


async def run_up(settings: EmbeddedSettings, *, stream: str, webhook: str) -> None:
    """Run the service in the foreground until SIGTERM or SIGINT.

    Where a `stream` is named, it gets a monitor; its events go to `webhook`, else to our own
    receiver, which shows them. Raises StartError where it cannot start, or the monitor is refused.
    """
    configure_logging(settings)
    if MAKE_LEVEL in os.environ:  # a `make up` that is killed leaves nothing behind
        die_with_parent(os.getppid())
    await run_until_signal(_serve(settings, stream, webhook))


async def _serve(settings: EmbeddedSettings, stream: str, webhook: str) -> None:
    async with embedded_service(settings, on_webhook=print_line) as endpoints:
        typer.echo(_banner(endpoints, settings, await asyncio.to_thread(_login_path, endpoints)))
        if stream:
            typer.echo(await asyncio.to_thread(_register, endpoints, stream, webhook))
        await asyncio.Event().wait()


def _banner(endpoints: Endpoints, settings: EmbeddedSettings, login_path: str) -> str:
    lines = [
        "",
        "Stream Tracker is ready.",
        f"  Page         {endpoints.gateway}{login_path} (logs in once, within 15 minutes)",
        f"  API          {endpoints.gateway}/docs",
        f"  Temporal UI  {endpoints.temporal_ui}",
        f"  Temporal     {endpoints.temporal}",
        f"  receiver     {endpoints.receiver} (webhooks that go there are shown here)",
        f"  data         {settings.data_dir.resolve()}",
        *(f"  {name}={value}" for name, value in endpoints.keys.items()),
        "Ctrl-C stops it; the next start goes on with the same monitors.",
        "",
    ]
    return "\n".join(lines)


def _login_path(endpoints: Endpoints) -> str:
    """Return where a browser logs in; without a link of its own, where it asks for a key."""
    try:
        with closing(RestClient(endpoints.gateway, endpoints.keys["API_KEY"])) as client:
            return str(client.call("POST", "/login-links")["path"])
    except (GatewayRefused, GatewayUnreachable):
        return "/login"


def _register(endpoints: Endpoints, stream: str, webhook: str) -> str:
    body: dict[str, Any] = {
        "stream_url": stream,
        "callback_url": webhook or endpoints.receiver,
        # Somebody tries things out, and may have no receiver yet: that must not end the monitor.
        "config": {"on_delivery_failure": "continue"},
    }
    try:
        with closing(RestClient(endpoints.gateway, endpoints.keys["API_KEY"])) as client:
            answer = client.call("POST", "/monitors", body=body)
    except GatewayRefused as error:
        if error.code == "DUPLICATE_MONITOR":
            return f"A monitor of {stream} is active already."
        raise StartError(f"STREAM, WEBHOOK: {error}") from None
    except GatewayUnreachable as error:
        raise StartError(str(error)) from None
    return f"Monitor {answer['monitor_id']} watches {stream}"
