"""The demo from start to end."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console

from cli.command import FAILED, INTERRUPTED
from cli.demo.broadcast import Broadcast, render_programme
from cli.demo.checklist import Arrival, Checklist, Row
from cli.demo.monitor import DemoMonitor, register_monitor
from cli.demo.sandbox import (
    LOG_NAME,
    demo_settings,
    errors_into,
    forget_settings,
    free_ports,
    log_tail,
)
from cli.demo.screen import Screen, introduction, places, print_line, print_summary
from cli.demo.screenshot import NoScreenshot, take_screenshot
from cli.demo.script import airtime_sec, expectations
from cli.embedded.service import LOCAL, Endpoints, embedded_service
from cli.receiver import Received, Receiver, receiving
from runtime.errors import StartError
from runtime.logging import configure_logging
from runtime.serving import run_until_signal
from simulator.origin import LiveOrigin

OK = 0

SCREENSHOT = Path("stream-tracker-demo.png")
"""In the folder where the demo is run."""

REFRESH_SEC = 0.25
POLL_SEC = 2.0
"""How often the gateway is asked how the monitor is."""

GRACE_SEC = 20.0
"""How long after the end of the broadcast missing events are waited for."""

OVER_GRACE_SEC = 5.0
"""How long they are waited for once the monitor is over."""


async def run_demo() -> int:
    """Show the whole job on this machine.

    Return the exit code: 0 when every expected event arrived and no other, 1 when not, 130 when it
    was interrupted.
    """
    forget_settings(os.environ)
    with TemporaryDirectory(prefix="stream-tracker-demo-") as folder:
        code = await run_until_signal(
            _show(Path(folder)), lambda: print_line("Interrupted, stopping everything ...")
        )
    return INTERRUPTED if code is None else code


async def _show(folder: Path) -> int:
    print_line(introduction())
    try:
        with errors_into(folder / LOG_NAME):
            problems = await _problems(folder)
    except StartError as error:
        problems = [str(error)]
        print_line(f"The demo cannot run: {error}")
    if problems:
        print(log_tail(folder), file=sys.stderr, flush=True)
    return FAILED if problems else OK


async def _problems(folder: Path) -> list[str]:
    settings = demo_settings(folder)
    configure_logging(settings)
    rendered = await render_programme(folder / "programme")
    checklist = Checklist([Row(expected) for expected in expectations()])
    async with AsyncExitStack() as stack:
        endpoints = await stack.enter_async_context(embedded_service(settings))
        origin = await stack.enter_async_context(LiveOrigin())
        callback_url = await stack.enter_async_context(_receiver(endpoints, checklist))
        broadcast = Broadcast(origin, rendered)
        monitor = await register_monitor(endpoints, broadcast.url, callback_url)
        page = await _page_url(endpoints, monitor)
        print_line(places(endpoints, page, broadcast.url, monitor.monitor_id))
        await _follow(broadcast, monitor, checklist)
        problems = checklist.problems() + await monitor.audit_problems(checklist)
        print_line(await _leave_screenshot(endpoints, monitor))
    print_summary(checklist, problems)
    return problems


async def _leave_screenshot(endpoints: Endpoints, monitor: DemoMonitor) -> str:
    """Leave a picture of the monitor's page in this folder; return what is to be said of it."""
    try:
        await take_screenshot(await _page_url(endpoints, monitor), SCREENSHOT)
    except NoScreenshot as error:
        return f"\nNo picture of the page is left: {error}."
    return f"\nThe page, as it was at the end: {SCREENSHOT}"


async def _page_url(endpoints: Endpoints, monitor: DemoMonitor) -> str:
    """Return where a browser sees the monitor, once, without a key."""
    return f"{endpoints.gateway}{await monitor.login_path()}&next={monitor.page}"


@asynccontextmanager
async def _receiver(endpoints: Endpoints, checklist: Checklist) -> AsyncIterator[str]:
    """Tick off verified webhooks while the context is open; yield the callback URL."""

    def add(received: Received) -> None:
        at = datetime.fromtimestamp(received.at, UTC)
        checklist.add(Arrival(received.event, received.problem, at))

    (port,) = free_ports(1)
    receiver = Receiver([endpoints.keys["WEBHOOK_SIGNING_KEY"].encode()], add)
    async with receiving(receiver, LOCAL, port):
        yield f"http://{LOCAL}:{port}/"


async def _follow(broadcast: Broadcast, monitor: DemoMonitor, checklist: Checklist) -> None:
    """Show what happens until all events are there, or none can be expected any more."""
    clock = asyncio.get_running_loop().time
    began = clock()
    deadline = began + airtime_sec() + GRACE_SEC
    next_poll = began
    with Screen(Console(), checklist) as screen:
        while True:
            if clock() >= next_poll:
                await monitor.poll()
                next_poll = clock() + POLL_SEC
                if monitor.is_over:
                    deadline = min(deadline, clock() + OVER_GRACE_SEC)
            for row in checklist.rows:
                broadcast.set_moments(row)
            screen.show(
                broadcast.scenes(),
                f"{min(clock() - began, airtime_sec()):.0f} of {airtime_sec():.0f} s, "
                f"{broadcast.segments} segments published; {monitor.condition}",
            )
            if (monitor.is_over and checklist.is_complete) or clock() >= deadline:
                return
            await asyncio.sleep(REFRESH_SEC)
