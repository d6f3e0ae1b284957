"""What silences mean for `callback_url`: workers are told, and monitors when one has ended."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api.monitor_engine import EngineUnavailable
from tests.testkit.destinations import incident, silence_path
from tests.testkit.events import put_event
from tests.testkit.gateway import Running, running_gateway
from tests.testkit.waiting import until_true

LABELS = {"site": "tokyo"}


async def put(gateway: Running, report: dict[str, Any], **delivery: Any) -> str | None:
    """Report an event; return until when a silence holds it back."""
    monitor_id = report["event"]["monitor_id"]
    answer = await put_event(gateway, monitor_id, report | delivery)
    until: str | None = answer["silenced_until"]
    return until


async def silenced(gateway: Running) -> tuple[str, str]:
    """Return a monitor whose blackout a silence holds back, and the path of the silence."""
    monitor_id = await gateway.created_id()
    path = await silence_path(gateway, all=True)
    opened = incident(monitor_id, 1)
    assert await put(gateway, opened)
    assert await put(gateway, opened, webhook_status="silenced") is None
    return monitor_id, path


async def status_of(gateway: Running, monitor_id: str) -> list[str]:
    events = (await gateway.client.get(f"/api/v1/monitors/{monitor_id}/events")).json()["events"]
    return [each["webhook_status"] for each in events]


@pytest.mark.parametrize(
    "fields",
    [
        {"all": True},
        {"labels": LABELS},
        {"all": True, "kinds": ["freeze", "blackout"]},
    ],
)
async def test_the_beginning_of_an_incident_is_held_back(
    database_url: str, fields: dict[str, Any]
) -> None:
    async with running_gateway(database_url) as gateway:
        monitor_id = await gateway.created_id(labels=LABELS)
        ends_at = datetime.now(UTC) + timedelta(minutes=5)
        await silence_path(gateway, ends_at=ends_at.isoformat(), **fields)
        until = await put(gateway, incident(monitor_id, 1))
        assert until is not None
        assert datetime.fromisoformat(until) == ends_at


@pytest.mark.parametrize(
    "fields", [{"labels": {"site": "osaka"}}, {"all": True, "kinds": ["freeze"]}]
)
async def test_a_silence_of_others_holds_back_nothing(
    sqlite_url: str, fields: dict[str, Any]
) -> None:
    async with running_gateway(sqlite_url) as gateway:
        monitor_id = await gateway.created_id(labels=LABELS)
        await silence_path(gateway, **fields)
        assert await put(gateway, incident(monitor_id, 1)) is None


async def test_only_beginnings_that_are_not_sent_yet_are_held_back(sqlite_url: str) -> None:
    async with running_gateway(sqlite_url) as gateway:
        monitor_id = await gateway.created_id()
        await silence_path(gateway, all=True)
        opened = incident(monitor_id, 1)
        assert await put(gateway, opened, webhook_status="sent", webhook_attempts=1) is None
        assert await put(gateway, incident(monitor_id, 2, closes=1)) is None
        started = incident(monitor_id, 3, event_type="stream.started", data={"title": None})
        assert await put(gateway, started) is None


async def test_what_began_before_a_silence_is_told_in_it(sqlite_url: str) -> None:
    async with running_gateway(sqlite_url) as gateway:
        monitor_id = await gateway.created_id()
        await silence_path(gateway, all=True, starts_at="2026-02-01T00:00:00Z")
        assert await put(gateway, incident(monitor_id, 1)) is None


async def test_what_began_and_ended_in_a_silence_is_never_told(sqlite_url: str) -> None:
    """Also if its turn comes after the silence."""
    async with running_gateway(sqlite_url) as gateway:
        monitor_id = await gateway.created_id()
        path = await silence_path(gateway, all=True)
        opened = incident(monitor_id, 1)
        await put(gateway, incident(monitor_id, 2, closes=1))
        assert (await gateway.client.delete(path)).status_code == 204
        assert await put(gateway, opened)
        await put(gateway, opened, webhook_status="silenced")
        assert await gateway.gateway.held_webhooks.release() == 0


async def test_the_audit_says_silenced_until_it_is_sent(sqlite_url: str) -> None:
    async with running_gateway(sqlite_url) as gateway:
        monitor_id, path = await silenced(gateway)
        assert await status_of(gateway, monitor_id) == ["silenced"]
        await gateway.client.delete(path)
        assert await put(gateway, incident(monitor_id, 1)) is None
        assert await status_of(gateway, monitor_id) == ["silenced"]
        await put(gateway, incident(monitor_id, 1), webhook_status="sent", webhook_attempts=1)
        assert await status_of(gateway, monitor_id) == ["sent"]


async def test_a_monitor_is_told_when_its_silence_is_ended(database_url: str) -> None:
    async with running_gateway(database_url) as gateway:
        monitor_id, path = await silenced(gateway)
        assert await gateway.gateway.held_webhooks.release() == 0
        await gateway.client.delete(path)
        told = gateway.engine.told_silence_ended
        await until_true(lambda: told == [monitor_id], "the end of the silence")


async def test_a_monitor_is_told_when_its_silence_ends_by_itself(sqlite_url: str) -> None:
    async with running_gateway(sqlite_url) as gateway:
        monitor_id = await gateway.created_id()
        ends_at = datetime.now(UTC) + timedelta(seconds=4)
        await silence_path(gateway, all=True, ends_at=ends_at.isoformat())
        await put(gateway, incident(monitor_id, 1), webhook_status="silenced")
        gateway.gateway.held_webhooks.look()
        told = gateway.engine.told_silence_ended
        await until_true(lambda: told == [monitor_id], "the end of the silence")
        assert datetime.now(UTC) >= ends_at


async def test_another_silence_holds_on(sqlite_url: str) -> None:
    async with running_gateway(sqlite_url) as gateway:
        monitor_id, path = await silenced(gateway)
        await silence_path(gateway, monitor_ids=[monitor_id])
        await gateway.client.delete(path)
        assert await gateway.gateway.held_webhooks.release() == 0
        assert gateway.engine.told_silence_ended == []


async def test_a_monitor_is_not_told_over_and_over(sqlite_url: str) -> None:
    """Its receiver may not answer for a while."""
    async with running_gateway(sqlite_url) as gateway:
        _, path = await silenced(gateway)
        await gateway.client.delete(path)
        await until_true(lambda: bool(gateway.engine.told_silence_ended), "the end of the silence")
        assert await gateway.gateway.held_webhooks.release() == 0


async def test_one_that_cannot_be_told_keeps_no_other_from_being_told(sqlite_url: str) -> None:
    async with running_gateway(sqlite_url) as gateway:
        path = await silence_path(gateway, all=True)
        monitor_ids = [
            await gateway.created_id(stream_url=f"https://cdn.example/{number}.m3u8")
            for number in range(3)
        ]
        for number, monitor_id in enumerate(monitor_ids):
            await put(gateway, incident(monitor_id, 10 * number + 1), webhook_status="silenced")
        gateway.engine.unreachable.add(monitor_ids[1])
        await gateway.client.delete(path)
        for _ in range(3):
            with pytest.raises(EngineUnavailable):
                await gateway.gateway.held_webhooks.release()
        assert sorted(gateway.engine.told_silence_ended) == [monitor_ids[0], monitor_ids[2]]


async def test_an_incident_that_its_monitors_end_closed_is_not_told(sqlite_url: str) -> None:
    async with running_gateway(sqlite_url) as gateway:
        monitor_id, path = await silenced(gateway)
        await gateway.client.delete(f"/api/v1/monitors/{monitor_id}")
        await gateway.client.delete(path)
        assert await gateway.gateway.held_webhooks.release() == 0


async def test_what_a_user_had_sent_all_the_same_is_held_no_more(sqlite_url: str) -> None:
    async with running_gateway(sqlite_url) as gateway:
        monitor_id, _ = await silenced(gateway)
        opened = incident(monitor_id, 1)
        assert await put(gateway, opened)
        await put(gateway, opened, webhook_status="sent", webhook_attempts=1)
        assert await put(gateway, opened) is None


async def test_what_a_user_had_sent_in_vain_is_still_held(database_url: str) -> None:
    async with running_gateway(database_url) as gateway:
        monitor_id, path = await silenced(gateway)
        opened = incident(monitor_id, 1)
        failed = {"webhook_status": "failed", "webhook_attempts": 4, "webhook_last_error": "503"}
        await put(gateway, opened, **failed)
        assert await status_of(gateway, monitor_id) == ["silenced"]
        await gateway.client.delete(path)
        told = gateway.engine.told_silence_ended
        await until_true(lambda: told == [monitor_id], "the end of the silence")
        await put(gateway, opened, **failed)
        assert await status_of(gateway, monitor_id) == ["failed"]


async def test_a_user_may_have_it_sent_all_the_same(sqlite_url: str) -> None:
    async with running_gateway(sqlite_url) as gateway:
        monitor_id, _ = await silenced(gateway)
        answer = await gateway.client.post(f"/api/v1/monitors/{monitor_id}/events/evt-1/redeliver")
        assert answer.status_code == 202
        assert [each.event_id for each in gateway.engine.redelivered] == ["evt-1"]
