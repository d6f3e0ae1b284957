"""The demo's monitor, through the REST API like anybody else's."""

import asyncio
from typing import Any, Self

from cli.client import GatewayClient, GatewayRefused, GatewayUnreachable
from cli.demo.account import Account
from cli.demo.script import CONFIG
from cli.embedded.up import Endpoints
from monitors.status import ACTIVE_STATUSES
from runtime.errors import StartError

AUDIT_LOOKS = 20
AUDIT_LOOK_SEC = 0.5
"""The gateway learns of a delivery after the receiver: it is asked so often, so far apart."""


class DemoMonitor:
    """A registered monitor.

    Attributes:
        condition: what the gateway said of it at the last look, in plain words.
        is_over: whether it had ended then.
    """

    def __init__(self, client: GatewayClient, monitor_id: str) -> None:
        self.monitor_id = monitor_id
        self.condition = "monitor registered"
        self.is_over = False
        self._client = client

    @classmethod
    async def register(cls, endpoints: Endpoints, stream_url: str, callback_url: str) -> Self:
        """Register a monitor of `stream_url`.

        Raises:
            StartError: the gateway refuses it or does not answer.
        """
        client = GatewayClient(endpoints.gateway, endpoints.keys["API_KEY"])
        body = {
            "stream_url": stream_url,
            "callback_url": callback_url,
            "config": CONFIG.model_dump(mode="json", exclude_unset=True),
            "metadata": {"made_by": "stream-tracker demo"},
        }
        try:
            answer = await asyncio.to_thread(client.call, "POST", "/monitors", body=body)
        except (GatewayRefused, GatewayUnreachable) as error:
            raise StartError(f"the monitor cannot be registered: {error}") from None
        return cls(client, answer["monitor_id"])

    async def look(self) -> None:
        """Ask the gateway how the monitor is."""
        try:
            seen = await self._get("")
        except (GatewayRefused, GatewayUnreachable) as error:
            self.condition = f"monitor unknown: {error}"
            return
        health = seen["health"]
        self.condition = (
            f"monitor {seen['status']}: picture {health['video']}, sound " + (health["audio"])
        )
        self.is_over = seen["status"] not in ACTIVE_STATUSES

    async def audit_problems(self, account: Account) -> list[str]:
        """Return where the gateway's audit differs from what arrived, given time to catch up."""
        problems: list[str] = []
        for _ in range(AUDIT_LOOKS):
            try:
                events = (await self._get("/events", limit=200))["events"]
            except (GatewayRefused, GatewayUnreachable) as error:
                problems = [f"the gateway's audit cannot be read: {error}"]
            else:
                problems = audit_problems(events, account)
            if not problems:
                break
            await asyncio.sleep(AUDIT_LOOK_SEC)
        return problems

    async def _get(self, path: str, **query: Any) -> dict[str, Any]:
        path = f"/monitors/{self.monitor_id}{path}"
        return await asyncio.to_thread(self._client.call, "GET", path, query=query)


def audit_problems(events: list[dict[str, Any]], account: Account) -> list[str]:
    """Return, a line each, where the gateway's `events` differ from what arrived."""
    arrived = {str(each.event.get("event_id")) for each in account.genuine}
    return [
        *(
            f"sent as the gateway knows, but not arrived: {event['event_type']}"
            for event in events
            if event["webhook_status"] == "sent" and event["event_id"] not in arrived
        ),
        *(
            f"{event['webhook_status']} as the gateway knows: {event['event_type']}"
            for event in events
            if event["webhook_status"] != "sent"
        ),
        *(
            f"arrived, but unknown to the gateway: {each.name}"
            for each in account.genuine
            if each.event.get("event_id") not in {event["event_id"] for event in events}
        ),
    ]
