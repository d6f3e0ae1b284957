"""Creating monitors, against starting the same workflows without a gateway."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import uuid4

from temporalio.client import Client

from benchmarks.gateway.load import LoadClient, as_fast_as_possible
from monitors.config import MonitorConfig
from monitors.random_ids import new_monitor_id
from workflows.messages import TASK_QUEUE, WORKFLOW_TYPE, MonitorInput

AT_ONCE = 16


@dataclass
class CreationRates:
    """Monitors a second, of each round."""

    bare: list[float] = field(default_factory=list)
    gateway: list[float] = field(default_factory=list)

    @property
    def share(self) -> float:
        """What the gateway reaches of the bare rate."""
        return sum(self.gateway) / sum(self.bare)


async def time_creations(
    http: LoadClient, temporal: Client, *, count: int, rounds: int
) -> CreationRates:
    """Create in turn with and without the gateway, on the same Temporal server."""
    rates = CreationRates()

    async def start(_: int) -> None:
        order = _order()
        await temporal.start_workflow(
            WORKFLOW_TYPE, order, id=order.monitor_id, task_queue=TASK_QUEUE
        )

    async def create(_: int) -> None:
        body = {"stream_url": _stream_url(), "callback_url": "http://127.0.0.1:9/hook"}
        await http.send("POST", "/api/v1/monitors", body)

    for request in (start, create):
        await as_fast_as_possible(request, count=AT_ONCE * 2, at_once=AT_ONCE)  # warm up
    for _ in range(rounds):
        rates.bare.append(await as_fast_as_possible(start, count=count, at_once=AT_ONCE))
        rates.gateway.append(await as_fast_as_possible(create, count=count, at_once=AT_ONCE))
    return rates


def _order() -> MonitorInput:
    return MonitorInput(
        monitor_id=new_monitor_id(),
        stream_url=_stream_url(),
        stream_key="url:127.0.0.1:9/live.m3u8",
        callback_url="http://127.0.0.1:9/hook",
        callback_seal="",
        config=MonitorConfig(),
        created_at=datetime.now(UTC),
    )


def _stream_url() -> str:
    return f"http://127.0.0.1:9/{uuid4()}/live.m3u8"
