"""The demo's monitor, through the REST API like anybody else's."""

import asyncio
from typing import Any

from cli.client import GatewayRefused, GatewayUnreachable, RestClient
from cli.demo.checklist import Checklist
from cli.demo.script import CONFIG
from cli.embedded.service import Endpoints
from monitors.status import ACTIVE_STATUSES
from runtime.errors import StartError

AUDIT_POLLS = 20
AUDIT_POLL_SEC = 0.5
"""The gateway learns of a delivery after the receiver."""


class DemoMonitor:
    """A registered monitor; its `condition` is what the gateway said last, in plain words."""

    def __init__(self, client: RestClient, monitor_id: str) -> None:
        self.monitor_id = monitor_id
        self.condition = "monitor registered"
        self.is_over = False
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

    @property
    def page(self) -> str:
        return f"/monitors/{self.monitor_id}"

    async def login_path(self) -> str:
        """Return a path that logs a browser in, once; raises StartError."""
        try:
            answer = await asyncio.to_thread(self._client.call, "POST", "/login-links")
        except (GatewayRefused, GatewayUnreachable) as error:
            raise StartError(f"the page cannot be opened: {error}") from None
        return str(answer["path"])

    async def _get(self, path: str, **query: Any) -> dict[str, Any]:
        path = f"/monitors/{self.monitor_id}{path}"
        return await asyncio.to_thread(self._client.call, "GET", path, query=query)


async def register_monitor(endpoints: Endpoints, stream_url: str, callback_url: str) -> DemoMonitor:
    """Register a monitor; raises StartError where the gateway refuses it or does not answer."""
    client = RestClient(endpoints.gateway, endpoints.keys["API_KEY"])
    body = {
        "stream_url": stream_url,
        "callback_url": callback_url,
        "name": "Demo",
        "config": CONFIG.model_dump(mode="json", exclude_unset=True),
        "metadata": {"made_by": "stream-tracker demo"},
    }
    try:
        answer = await asyncio.to_thread(client.call, "POST", "/monitors", body=body)
    except (GatewayRefused, GatewayUnreachable) as error:
        raise StartError(f"the monitor cannot be registered: {error}") from None
    return DemoMonitor(client, answer["monitor_id"])
