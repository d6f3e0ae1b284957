"""What is observed of a stream is kept in few rows, however it is told."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from api.store import Store, open_store
from api.store.reconciliation import COVERAGE, QUIET_SPANS
from api.store.tables import coverage, monitors
from monitors.coverage import Observation, ObservedSpan, QuietSpan, join
from monitors.events import EventType, StreamEvent
from monitors.incidents import IncidentRef
from monitors.reports import EventReport
from monitors.status import IncidentKind
from tests.api.test_store import RECORD
from tests.testkit.monitor_rows import insert_monitor

START = datetime(2026, 1, 1, tzinfo=UTC)
FAR = timedelta(days=365)


def at(sec: float) -> datetime:
    return START + timedelta(seconds=sec)


def span(start: float, end: float, reason: str | None = None) -> ObservedSpan:
    return ObservedSpan(start=at(start), end=at(end), reason=reason)


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    async with open_store(database_url) as opened:
        async with opened.database.write() as connection:
            await insert_monitor(connection, RECORD)
        yield opened


async def kept(store: Store) -> list[ObservedSpan]:
    found = await store.coverage.observed(["mon-1"], START - FAR, START + FAR, limit=1000)
    return _spans(found.get("mon-1", []))


def _spans(found: list[Observation]) -> list[ObservedSpan]:
    return [ObservedSpan.model_validate(each._asdict()) for each in found]


async def test_a_healthy_day_is_one_row(store: Store) -> None:
    for minute in range(0, 1440, 10):
        await store.coverage.record("mon-1", [span(minute * 60, (minute + 10) * 60)])
    assert await kept(store) == [span(0, 86_400)]
    async with store.database.read() as connection:
        assert await connection.scalar(select(func.count()).select_from(coverage)) == 1


async def test_what_is_told_late_lands_in_its_place(store: Store) -> None:
    await store.coverage.record("mon-1", [span(0, 60)])
    await store.coverage.record("mon-1", [span(300, 360)])
    await store.coverage.record("mon-1", [span(60, 100), span(100, 120, "timeout"), span(120, 300)])
    expected = [span(0, 100), span(100, 120, "timeout"), span(120, 360)]
    assert await kept(store) == expected
    await store.coverage.record("mon-1", [span(100, 110)])
    assert await kept(store) == [span(0, 110), span(110, 120, "timeout"), span(120, 360)]


async def test_an_unknown_monitor_has_no_coverage(store: Store) -> None:
    await store.coverage.record("mon-2", [span(0, 60)])
    assert await store.coverage.observed(["mon-2"], START - FAR, START + FAR, limit=9) == {}


async def test_old_spans_are_removed_and_a_growing_one_is_kept(store: Store) -> None:
    await store.coverage.record("mon-1", [span(0, 60), span(60, 70, "timeout"), span(70, 500)])
    assert await store.reconciliation.remove(COVERAGE, at(100), 10) == 2
    assert await kept(store) == [span(70, 500)]


async def test_old_good_time_is_removed_and_that_of_nobody_not_kept(store: Store) -> None:
    incident = IncidentRef(kind=IncidentKind.FREEZE, started_at=at(0))
    quiet = [QuietSpan(incident=incident, start=at(sec), end=at(sec + 5)) for sec in (10, 30)]
    await store.coverage.record_quiet("mon-1", quiet)
    await store.coverage.record_quiet("mon-2", quiet)
    assert await store.reconciliation.remove(QUIET_SPANS, at(20), 10) == 1
    assert await store.reconciliation.remove(QUIET_SPANS, at(100), 10) == 1


@pytest.mark.parametrize("is_late", [False, True])
async def test_events_say_when_a_stream_was_live(store: Store, is_late: bool) -> None:
    events = [(EventType.STREAM_STARTED, at(5)), (EventType.STREAM_ENDED, at(50))]
    if is_late:
        await store.coverage.end_live("mon-1", at(55))
    for number, (event_type, moment) in enumerate(events, start=1):
        event = StreamEvent(
            event_id=f"evt-{number}",
            event_type=event_type,
            monitor_id="mon-1",
            stream_url=RECORD.stream_url,
            timestamp=moment,
            sequence=number,
            data={},
        )
        for _ in range(2):
            await store.events.record("mon-1", EventReport(event=event), at(90))
    await store.coverage.end_live("mon-1", at(60))
    async with store.database.read() as connection:
        row = (await connection.execute(select(monitors))).one()
    assert (row.live_since, row.live_until) == (at(5), at(50))


spans = st.builds(
    lambda start, length, reason: span(start, start + length, reason),
    st.integers(0, 40),
    st.integers(1, 15),
    st.sampled_from([None, None, "http_404", "timeout"]),
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.lists(spans, min_size=1, max_size=3), max_size=8))
async def test_rows_are_what_was_told_joined(
    store: Store, reports: list[list[ObservedSpan]]
) -> None:
    monitor_id = await _fresh(store)
    for told in reports:
        await store.coverage.record(monitor_id, told)
    found = await store.coverage.observed([monitor_id], START - FAR, START + FAR, limit=1000)
    assert _spans(found.get(monitor_id, [])) == join([one for told in reports for one in told])


async def _fresh(store: Store) -> str:
    async with store.database.write() as connection:
        count = await connection.scalar(select(func.count()).select_from(monitors))
        fresh = replace(RECORD, monitor_id=f"mon-fresh-{count}", stream_key=f"fresh-{count}")
        await insert_monitor(connection, fresh)
    return fresh.monitor_id
