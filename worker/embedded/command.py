"""`stream-tracker up`: start everything, say where it is, stay until a signal."""

import asyncio
import contextlib

import httpx
import typer

from runtime.errors import StartError
from runtime.logging import configure_logging
from runtime.serving import stop_signal
from runtime.settings import EmbeddedSettings
from worker.embedded.up import Endpoints, embedded_service


async def run_up(settings: EmbeddedSettings, *, stream: str, webhook: str) -> None:
    """Run the service in the foreground until SIGTERM or SIGINT.

    Args:
        settings: where it listens and keeps its data.
        stream: a stream to register a monitor of; empty for none.
        webhook: where that monitor's events go.

    Raises:
        StartError: it cannot start, or the monitor is refused.
    """
    if stream and not webhook:
        raise StartError("WEBHOOK: is required with STREAM (`stream-tracker receiver` makes one)")
    configure_logging(settings)
    serving = asyncio.create_task(_serve(settings, stream, webhook))
    with stop_signal() as stop:
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait([serving, stopping], return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        serving.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await serving


async def _serve(settings: EmbeddedSettings, stream: str, webhook: str) -> None:
    async with embedded_service(settings) as endpoints:
        typer.echo(_banner(endpoints, settings))
        if stream:
            typer.echo(await _register(endpoints, stream, webhook))
        await asyncio.Event().wait()


def _banner(endpoints: Endpoints, settings: EmbeddedSettings) -> str:
    lines = [
        "",
        "Stream Tracker is ready.",
        f"  API          {endpoints.gateway}/docs",
        f"  Temporal UI  {endpoints.temporal_ui}",
        f"  Temporal     {endpoints.temporal}",
        f"  data         {settings.data_dir.resolve()}",
        *(f"  {name}={value}" for name, value in endpoints.keys.items()),
        "Ctrl-C stops it; the next start goes on with the same monitors.",
        "",
    ]
    return "\n".join(lines)


async def _register(endpoints: Endpoints, stream: str, webhook: str) -> str:
    headers = {"X-API-Key": endpoints.keys["API_KEY"].partition(",")[0].strip()}
    async with httpx.AsyncClient(
        base_url=endpoints.gateway, headers=headers, trust_env=False
    ) as http:
        response = await http.post(
            "/api/v1/monitors", json={"stream_url": stream, "callback_url": webhook}
        )
    answer = response.json()
    if response.is_success:
        return f"Monitor {answer['monitor_id']} watches {stream}"
    error = answer["error"]
    if error["code"] == "DUPLICATE_MONITOR":
        return f"A monitor of {stream} is active already."
    raise StartError(f"STREAM, WEBHOOK: {error['code']}: {error['message']}")
