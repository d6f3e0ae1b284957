"""The demo from start to end."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console

from cli.demo.account import Account, Arrival, Row
from cli.demo.broadcast import Broadcast, new_origin, put_on_air, render_programme
from cli.demo.monitor import DemoMonitor
from cli.demo.screen import View, choose_screen, print_line
from cli.demo.script import airtime_sec, expectations
from cli.demo.summary import introduction, places, summary
from cli.demo.surroundings import (
    LOG_NAME,
    demo_settings,
    errors_into,
    forget_settings,
    free_ports,
    log_tail,
)
from cli.embedded.up import LOCAL, Endpoints, embedded_service
from cli.receiver import Received, Receiver, receiving
from runtime.errors import StartError
from runtime.logging import configure_logging
from runtime.serving import stop_signal

OK, FAILED, INTERRUPTED = 0, 1, 130

FRAME_SEC = 0.25
"""How often the screen is drawn anew."""

LOOK_SEC = 2.0
"""How often the gateway is asked how the monitor is."""

GRACE_SEC = 20.0
"""How long after the end of the broadcast missing events are waited for."""

OVER_GRACE_SEC = 5.0
"""How long they are waited for once the monitor is over."""


async def run_demo() -> int:
    """Show the whole job on this machine.

    Returns:
        The exit code: 0 when every expected event arrived and no other, 1 when not, 130 when it
        was interrupted.
    """
    forget_settings(os.environ)
    with stop_signal() as stop, TemporaryDirectory(prefix="stream-tracker-demo-") as folder:
        showing = asyncio.create_task(_show(Path(folder)))
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait([showing, stopping], return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if showing.done():
            return showing.result()
        print_line("Interrupted, stopping everything ...")
        showing.cancel()
        with suppress(asyncio.CancelledError):
            await showing
        return INTERRUPTED


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
    """Run everything and return what went wrong."""
    settings = demo_settings(folder)
    configure_logging(settings)
    rendered = await render_programme(folder / "programme")
    account = Account([Row(expected) for expected in expectations()])
    async with AsyncExitStack() as stack:
        endpoints = await stack.enter_async_context(embedded_service(settings))
        origin = await stack.enter_async_context(new_origin())
        callback_url = await stack.enter_async_context(_receiver(endpoints, account))
        broadcast = put_on_air(origin, rendered)
        monitor = await DemoMonitor.register(endpoints, broadcast.url, callback_url)
        print_line(places(endpoints, broadcast.url, monitor.monitor_id))
        await _follow(broadcast, monitor, account)
        problems = account.problems() + await monitor.audit_problems(account)
    print_line(summary(account, problems))
    return problems


@asynccontextmanager
async def _receiver(endpoints: Endpoints, account: Account) -> AsyncIterator[str]:
    """Enter verified webhooks into `account` while the context is open; return where to."""

    def enter(received: Received) -> None:
        at = datetime.fromtimestamp(received.at, UTC)
        account.take(Arrival(received.event, received.problem, at))

    (port,) = free_ports(1)
    receiver = Receiver([endpoints.keys["WEBHOOK_SIGNING_KEY"].encode()], enter)
    async with receiving(receiver, LOCAL, port):
        yield f"http://{LOCAL}:{port}/"


async def _follow(broadcast: Broadcast, monitor: DemoMonitor, account: Account) -> None:
    """Show what happens until it is all over, or until nothing more is to be hoped for."""
    clock = asyncio.get_running_loop().time
    began = clock()
    deadline = began + airtime_sec() + GRACE_SEC
    next_look = began
    with choose_screen(Console()) as screen:
        while True:
            if clock() >= next_look:
                await monitor.look()
                next_look = clock() + LOOK_SEC
                if monitor.is_over:
                    deadline = min(deadline, clock() + OVER_GRACE_SEC)
            for row in account.rows:
                broadcast.date(row)
            screen.show(_view(broadcast, monitor, account, clock() - began))
            if (monitor.is_over and account.is_complete) or clock() >= deadline:
                return
            await asyncio.sleep(FRAME_SEC)


def _view(broadcast: Broadcast, monitor: DemoMonitor, account: Account, elapsed_sec: float) -> View:
    return View(
        elapsed_sec=elapsed_sec,
        airtime_sec=airtime_sec(),
        scenes=broadcast.scenes(),
        segments=broadcast.segments,
        condition=monitor.condition,
        account=account,
    )
