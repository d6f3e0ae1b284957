"""The demo from start to end."""

import asyncio
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.console import Console

from cli.client import GatewayRefused, GatewayUnreachable, RestClient
from cli.command import FAILED, INTERRUPTED
from cli.demo.broadcast import Broadcast, render_programme
from cli.demo.checklist import Arrival, Checklist, Row
from cli.demo.sandbox import (
    LOG_NAME,
    demo_settings,
    errors_into,
    forget_settings,
    log_tail,
)
from cli.demo.screen import Screen, introduction, places, print_line, print_summary
from cli.demo.screenshot import NoScreenshot, take_screenshot
from cli.demo.script import CONFIG, airtime_sec, expectations
from cli.embedded.service import Endpoints, embedded_service
from cli.receiver import Received
from monitors.status import ACTIVE_STATUSES
from runtime.errors import StartError
from runtime.logging import configure_logging
from runtime.serving import run_until_signal
from simulator.origin import LiveOrigin

OK = 0

SCREENSHOT = Path("stream-tracker-demo.png")  # in the folder where the demo is run
REFRESH_SEC = 0.25
POLL_SEC = 2.0  # how often the gateway is asked how the monitor is
GRACE_SEC = 20.0  # how long after the end of the broadcast missing events are waited for
OVER_GRACE_SEC = 5.0  # how long they are waited for once the monitor is over
AUDIT_POLLS = 20
AUDIT_POLL_SEC = 0.5  # the gateway learns of a delivery after the receiver


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

    def tick_off(received: Received) -> None:
        at = datetime.fromtimestamp(received.at, UTC)
        checklist.add(Arrival(received.event, received.problem, at))

    async with (
        embedded_service(settings, on_webhook=tick_off) as endpoints,
        LiveOrigin() as origin,
    ):
        broadcast = Broadcast(origin, rendered)
        monitor = await _registered_monitor(endpoints, broadcast.url)
        page = await monitor.page_url()
        print_line(places(endpoints, page, broadcast.url, monitor.monitor_id))
        await _follow(broadcast, monitor, checklist)
        problems = checklist.problems() + await monitor.audit_problems(checklist)
        print_line(await _leave_screenshot(monitor))
    print_summary(checklist, problems)
    return problems


class DemoMonitor:
    """A registered monitor; its `condition` is what the gateway said last, in plain words."""

    def __init__(self, gateway: str, client: RestClient, monitor_id: str) -> None:
        self.monitor_id = monitor_id
        self.condition = "monitor registered"
        self.is_over = False
        self._gateway = gateway
        self._client = client

    async def poll(self) -> None:
        try:
            seen = await self._get("")
        except (GatewayRefused, GatewayUnreachable) as error:
            self.condition = f"monitor unknown: {error}"
            return
        health = seen["health"]
        self.condition = (
            f"monitor {seen['status']}: video {health['video']}, audio {health['audio']}"
        )
        self.is_over = seen["status"] not in ACTIVE_STATUSES

    async def audit_problems(self, checklist: Checklist) -> list[str]:
        """Return where the gateway's audit differs from what arrived, given time to catch up."""
        problems: list[str] = []
        for _ in range(AUDIT_POLLS):
            try:
                events = (await self._get("/events", limit=200))["events"]
            except (GatewayRefused, GatewayUnreachable) as error:
                problems = [f"the gateway's audit cannot be read: {error}"]
            else:
                problems = checklist.audit_problems(events)
            if not problems:
                break
            await asyncio.sleep(AUDIT_POLL_SEC)
        return problems

    async def page_url(self) -> str:
        """Return where a browser sees the monitor, once, without a key; raises StartError."""
        try:
            answer = await asyncio.to_thread(self._client.call, "POST", "/login-links")
        except (GatewayRefused, GatewayUnreachable) as error:
            raise StartError(f"the page cannot be opened: {error}") from None
        return f"{self._gateway}{answer['path']}&next=/monitors/{self.monitor_id}"

    async def _get(self, path: str, **query: Any) -> dict[str, Any]:
        path = f"/monitors/{self.monitor_id}{path}"
        return await asyncio.to_thread(self._client.call, "GET", path, query=query)


async def _registered_monitor(endpoints: Endpoints, stream_url: str) -> DemoMonitor:
    """Register a monitor; raises StartError where the gateway refuses it or does not answer."""
    client = RestClient(endpoints.gateway, endpoints.keys["API_KEY"])
    body = {
        "stream_url": stream_url,
        "callback_url": endpoints.receiver,
        "name": "Demo",
        "config": CONFIG.model_dump(mode="json", exclude_unset=True),
        "metadata": {"made_by": "stream-tracker demo"},
    }
    try:
        answer = await asyncio.to_thread(client.call, "POST", "/monitors", body=body)
    except (GatewayRefused, GatewayUnreachable) as error:
        raise StartError(f"the monitor cannot be registered: {error}") from None
    return DemoMonitor(endpoints.gateway, client, answer["monitor_id"])


async def _leave_screenshot(monitor: DemoMonitor) -> str:
    """Leave a picture of the monitor's page in this folder; return what is to be said of it."""
    try:
        await take_screenshot(await monitor.page_url(), SCREENSHOT)
    except NoScreenshot as error:
        return f"\nNo picture of the page is left: {error}."
    return f"\nThe page, as it was at the end: {SCREENSHOT}"


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
