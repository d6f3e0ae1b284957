"""How events and ends of monitors open and close incidents in the store."""

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import insert

from api.store.filters import IncidentFilter
from api.store.incidents import FEW_MONITORS, IncidentRecord
from api.store.monitor_records import MonitorRecord, new_row
from api.store.reconciliation import INCIDENTS
from api.store.tables import monitors
from monitors.config import MonitorConfig
from monitors.incidents import IncidentRef
from monitors.random_ids import new_monitor_id
from monitors.status import IncidentKind, MonitorStatus, Severity, StreamStatus
from tests.testkit.events import begin_of, end_of, put_event
from tests.testkit.gateway import Running

NOON = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)  # older ones are forgotten
FREEZE = IncidentKind.FREEZE
FROM_NOON = IncidentRef(kind=FREEZE, started_at=NOON)


async def found(gateway: Running, monitor_id: str) -> IncidentRecord:
    (record,) = await gateway.store.incidents.by_ids([FROM_NOON.id_in(monitor_id)])
    return record


async def test_an_incident_opens_and_closes_with_its_events(gateway: Running) -> None:
    monitor_id = await gateway.created_id()
    await put_event(gateway, monitor_id, begin_of(monitor_id, FREEZE, NOON, reason="why"))
    opened = await found(gateway, monitor_id)
    assert (opened.monitor_id, opened.kind, opened.severity) == (
        monitor_id,
        FREEZE,
        Severity.CRITICAL,
    )
    assert (opened.is_open, opened.started_at, opened.reason) == (True, NOON, "why")
    assert opened.detected_at == NOON + timedelta(seconds=30)
    assert (opened.ended_at, opened.duration_sec, opened.silenced) == (None, None, False)
    await put_event(gateway, monitor_id, end_of(monitor_id, FREEZE, NOON, 45.5))
    closed = await found(gateway, monitor_id)
    assert (closed.is_open, closed.duration_sec) == (False, 45.5)
    assert closed.ended_at == NOON + timedelta(seconds=45.5)
    assert (closed.detected_at, closed.reason) == (opened.detected_at, "why")


async def test_a_report_that_comes_again_changes_nothing(light_gateway: Running) -> None:
    gateway = light_gateway
    monitor_id = await gateway.created_id()
    begin = begin_of(monitor_id, FREEZE, NOON)
    await put_event(gateway, monitor_id, begin)
    await put_event(gateway, monitor_id, end_of(monitor_id, FREEZE, NOON, 45.5))
    await put_event(gateway, monitor_id, {**begin, "webhook_status": "sent"})
    assert not (await found(gateway, monitor_id)).is_open


async def test_the_end_may_come_before_the_beginning(gateway: Running) -> None:
    monitor_id = await gateway.created_id()
    await put_event(gateway, monitor_id, end_of(monitor_id, FREEZE, NOON, 45.5))
    assert (await found(gateway, monitor_id)).detected_at is None
    await put_event(gateway, monitor_id, begin_of(monitor_id, FREEZE, NOON, reason="why"))
    closed = await found(gateway, monitor_id)
    assert (closed.is_open, closed.duration_sec, closed.reason) == (False, 45.5, "why")
    assert closed.detected_at == NOON + timedelta(seconds=30)


@pytest.mark.parametrize("ends_first", [False, True])
@pytest.mark.parametrize("by_report", [False, True])
async def test_an_incident_closes_with_its_monitor(
    gateway: Running, *, ends_first: bool, by_report: bool
) -> None:
    monitor_id = await gateway.created_id()
    begin = begin_of(monitor_id, FREEZE, NOON)
    if not ends_first:
        await put_event(gateway, monitor_id, begin)
    if by_report:
        now = datetime.now(UTC).isoformat()
        assert await gateway.report(monitor_id, "completed", now) == 200
    else:
        at = datetime.now(UTC)
        assert await gateway.store.monitors.finish(monitor_id, MonitorStatus.STOPPED, at)
    if ends_first:
        await put_event(gateway, monitor_id, begin)
    monitor, closed = (
        await gateway.store.monitors.find(monitor_id),
        await found(gateway, monitor_id),
    )
    assert monitor
    assert monitor.finished_at
    assert (closed.is_open, closed.ended_at) == (False, monitor.finished_at)
    lasted = (monitor.finished_at - NOON).total_seconds()
    assert closed.duration_sec == pytest.approx(lasted, abs=0.001)
    await put_event(gateway, monitor_id, end_of(monitor_id, FREEZE, NOON, 45.5))
    assert (await found(gateway, monitor_id)).duration_sec == 45.5


async def test_a_monitor_that_stays_keeps_its_incident_open(light_gateway: Running) -> None:
    gateway = light_gateway
    monitor_id = await gateway.created_id()
    other_id = await gateway.created_id(stream_url="https://media.example/other.m3u8")
    await put_event(gateway, monitor_id, begin_of(monitor_id, FREEZE, NOON))
    await gateway.report(other_id, "completed", datetime.now(UTC).isoformat())
    await gateway.report(monitor_id, "monitoring", datetime.now(UTC).isoformat())
    assert (await found(gateway, monitor_id)).is_open


async def test_an_incident_of_another_monitor_is_not_touched(light_gateway: Running) -> None:
    gateway = light_gateway
    monitor_id = await gateway.created_id()
    other_id = await gateway.created_id(stream_url="https://media.example/other.m3u8")
    await put_event(gateway, monitor_id, begin_of(monitor_id, FREEZE, NOON))
    forged: dict[str, Any] = end_of(other_id, FREEZE, NOON, 45.5)
    forged["event"]["data"]["incident_id"] = FROM_NOON.id_in(monitor_id)
    await put_event(gateway, other_id, forged)
    assert (await found(gateway, monitor_id)).is_open


async def test_incidents_that_ended_long_ago_are_removed(gateway: Running) -> None:
    monitor_id = await gateway.created_id()
    await put_event(gateway, monitor_id, begin_of(monitor_id, FREEZE, NOON))
    remove = partial(gateway.store.reconciliation.remove, INCIDENTS)
    assert await remove(NOON + timedelta(days=90), 10) == 0  # it is still open
    await put_event(gateway, monitor_id, end_of(monitor_id, FREEZE, NOON, 45.5))
    assert await remove(NOON + timedelta(seconds=45), 10) == 0
    assert await remove(NOON + timedelta(seconds=46), 10) == 1
    assert await gateway.store.incidents.by_ids([FROM_NOON.id_in(monitor_id)]) == []


@pytest.mark.parametrize("label", ["half", "few"])
async def test_incidents_are_found_by_a_label_of_many_or_few_monitors(
    gateway: Running, label: str
) -> None:
    ids = [new_monitor_id() for _ in range(2 * FEW_MONITORS + 2)]
    rows = [monitor_row(each, number) for number, each in enumerate(ids)]
    async with gateway.store.database.write() as connection:
        await connection.execute(insert(monitors), rows)
    for number in range(4):
        begin = begin_of(ids[number], FREEZE, NOON + timedelta(minutes=number))
        await put_event(gateway, ids[number], begin)
    await put_event(gateway, ids[2], end_of(ids[2], FREEZE, NOON + timedelta(minutes=2), 45.5))

    async def shown(**wanted: Any) -> list[str]:
        asked = IncidentFilter(labels=[(label, "0")], **wanted)
        page, total = await gateway.store.incidents.page(asked, limit=50, offset=0)
        assert total == len(page)
        return [each.monitor_id for each in page]

    assert await shown() == await shown(kind=FREEZE) == [ids[2], ids[0]]
    assert await shown(severity=Severity.CRITICAL, kind=FREEZE) == [ids[2], ids[0]]
    assert await shown(severity=Severity.WARNING, kind=FREEZE) == []
    assert await shown(is_open=True, kind=FREEZE) == [ids[0]]
    assert await shown(is_open=False, severity=Severity.CRITICAL) == [ids[2]]
    assert await shown(monitor_id=ids[1]) == []


def monitor_row(monitor_id: str, number: int) -> dict[str, Any]:
    few = str(number % 2 if number < 4 else 2)
    record = MonitorRecord(
        monitor_id=monitor_id,
        stream_url=f"https://media.example/{number}.m3u8",
        stream_key=f"url:media.example/{number}.m3u8",
        callback_url=None,
        labels={"half": str(number % 2), "few": few},
        config=MonitorConfig(),
        metadata={},
        status=MonitorStatus.MONITORING,
        stream_status=StreamStatus.LIVE,
        created_at=NOON,
    )
    return new_row(record)
