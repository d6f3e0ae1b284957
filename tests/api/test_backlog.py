"""Workers get back the events that they left in the store."""

import pytest

from api.internal.backlog import MAX_EVENTS
from monitors.events import StreamEvent
from monitors.ids import new_monitor_id
from tests.api.events import event, put_event
from tests.api.running import Running


async def load(gateway: Running, monitor_id: str, from_sequence: object) -> tuple[int, list[int]]:
    answer = await gateway.worker.get(
        f"/internal/v1/monitors/{monitor_id}/events", params={"from_sequence": str(from_sequence)}
    )
    events = answer.json().get("events", [])
    return answer.status_code, [each["sequence"] for each in events]


async def test_events_come_back_in_order_as_they_were_reported(gateway: Running) -> None:
    monitor_id = await gateway.created_id()
    for sequence in (3, 1, 2):
        await put_event(gateway, monitor_id, event(monitor_id, sequence))
    assert await load(gateway, monitor_id, 2) == (200, [2, 3])
    assert await load(gateway, monitor_id, 4) == (200, [])
    answer = await gateway.worker.get(
        f"/internal/v1/monitors/{monitor_id}/events", params={"from_sequence": "3"}
    )
    (loaded,) = answer.json()["events"]
    reported = event(monitor_id, 3)["event"]
    assert StreamEvent.model_validate(loaded) == StreamEvent.model_validate(reported)


async def test_no_more_come_back_than_temporal_takes(light_gateway: Running) -> None:
    monitor_id = await light_gateway.created_id()
    for sequence in range(1, MAX_EVENTS + 3):
        await put_event(light_gateway, monitor_id, event(monitor_id, sequence))
    assert await load(light_gateway, monitor_id, 2) == (200, [*range(2, MAX_EVENTS + 2)])


@pytest.mark.parametrize("from_sequence", ["0", "-1", "2147483648", "x", ""])
async def test_a_number_that_no_event_has_is_refused(
    light_gateway: Running, from_sequence: str
) -> None:
    monitor_id = await light_gateway.created_id()
    assert (await load(light_gateway, monitor_id, from_sequence))[0] == 400


async def test_a_monitor_that_does_not_exist_has_none(gateway: Running) -> None:
    for monitor_id in (new_monitor_id(), "nonsense", "%00"):
        assert (await load(gateway, monitor_id, 1))[0] == 404


async def test_only_workers_may_ask(light_gateway: Running) -> None:
    monitor_id = await light_gateway.created_id()
    answer = await light_gateway.client.get(
        f"/internal/v1/monitors/{monitor_id}/events", params={"from_sequence": "1"}
    )
    assert answer.status_code == 401
