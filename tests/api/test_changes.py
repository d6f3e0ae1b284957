"""`GET /changes`: what changes, as it changes."""

import asyncio
import json
import math
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import update

from api.changes import feed
from api.changes.feed import ChangeFeed, SeenNumbers
from api.errors import RateLimitExceeded
from api.store import StoreUnavailable
from api.store.changes import Change, ChangeSubject
from api.store.tables import monitors
from monitors.status import IncidentKind
from tests.testkit.events import begin_of, end_of, put_event
from tests.testkit.gateway import Running, running_gateway

PATH = "/api/v1/changes"


@dataclass(frozen=True)
class Event:
    """A server-sent event; `data` is its JSON."""

    kind: str
    number: int
    data: dict[str, Any]


class Listener:
    """Reads a stream of events."""

    def __init__(self, lines: AsyncIterator[str]) -> None:
        self._lines = lines

    async def next(self) -> Event:
        fields: dict[str, str] = {}
        async with asyncio.timeout(10):
            async for line in self._lines:
                if not line and fields:
                    break
                name, _, value = line.partition(": ")
                fields |= {name: value} if name else {}  # none: a comment keeps the connection
        return Event(fields["event"], int(fields["id"]), json.loads(fields["data"]))

    async def until(self, **wanted: Any) -> Event:
        """Return the first event whose data has these values."""
        while True:
            event = await self.next()
            if wanted.items() <= event.data.items():
                return event


@asynccontextmanager
async def listening(gateway: Running, last_event_id: int | None = None) -> AsyncIterator[Listener]:
    headers = {} if last_event_id is None else {"Last-Event-ID": str(last_event_id)}
    async with (
        httpx.AsyncClient(
            base_url=gateway.client.base_url, headers=gateway.client.headers, trust_env=False
        ) as client,
        client.stream("GET", PATH, headers=headers) as answer,
    ):
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield Listener(answer.aiter_lines())


def now() -> str:
    return datetime.now(UTC).isoformat()


async def test_a_listener_hears_of_each_change_as_the_list_shows_it(gateway: Running) -> None:
    async with listening(gateway) as listener:
        assert (await listener.next()).kind == "ready"
        monitor_id = await gateway.created_id(name="News", labels={"team": "sport"})
        made = await listener.until(monitor_id=monitor_id)
        assert made.kind == "monitor"
        (listed,) = (await gateway.client.get("/api/v1/monitors")).json()["monitors"]
        assert made.data == listed
        await gateway.report(monitor_id, "monitoring", now(), health={"video": "error"})
        assert (await listener.until(status="monitoring")).data["health"]["video"] == "error"
        await gateway.report(monitor_id, "monitoring", now(), health={"video": "ok"})
        assert (await listener.next()).data["health"]["video"] == "ok"
        await gateway.client.patch(f"/api/v1/monitors/{monitor_id}", json={"labels": {}})
        await listener.until(labels={})
        await gateway.client.delete(f"/api/v1/monitors/{monitor_id}")
        await listener.until(status="stopped")


async def test_a_listener_hears_of_incidents(gateway: Running) -> None:
    monitor_id = await gateway.created_id(name="News")
    began = datetime.now(UTC) - timedelta(seconds=60)
    async with listening(gateway) as listener:
        alert = begin_of(monitor_id, IncidentKind.FREEZE, began)
        await put_event(gateway, monitor_id, alert)
        opened = await listener.until(status="open")
        assert (opened.kind, opened.data["kind"]) == ("incident", "freeze")
        assert opened.data["incident_id"] == alert["event"]["data"]["incident_id"]
        assert opened.data["name"] == "News"
        await put_event(gateway, monitor_id, end_of(monitor_id, IncidentKind.FREEZE, began, 50.0))
        assert (await listener.until(status="closed")).data["duration_sec"] == 50


async def test_a_change_whose_transaction_ends_late_is_heard(postgres_url: str) -> None:
    async with running_gateway(postgres_url) as gateway, listening(gateway) as listener:
        assert (await listener.next()).kind == "ready"
        first = await gateway.created_id(stream_url="https://media.example/1.m3u8")
        await listener.until(monitor_id=first)
        async with gateway.store.database.write() as late:
            is_first = monitors.c.monitor_id == first
            await late.execute(update(monitors).where(is_first).values(name="late"))
            second = await gateway.created_id(stream_url="https://media.example/2.m3u8")
            await listener.until(monitor_id=second)  # which has a higher number
        await listener.until(monitor_id=first, name="late")


async def test_a_listener_that_comes_back_hears_what_it_missed(gateway: Running) -> None:
    first = await gateway.created_id(stream_url="https://media.example/1.m3u8")
    async with listening(gateway) as listener:
        last = (await listener.next()).number
    second = await gateway.created_id(stream_url="https://media.example/2.m3u8")
    await gateway.report(first, "monitoring", now())
    async with listening(gateway, last) as listener:
        assert (await listener.next()).kind == "ready"
        await listener.until(monitor_id=second)
        await listener.until(monitor_id=first, status="monitoring")
    async with listening(gateway, 0) as listener:
        heard = [await listener.next() for _ in range(3)]
    assert {event.data.get("monitor_id") for event in heard} == {None, first, second}


@pytest.mark.parametrize("number", ["-1", "1.0", "x", "9" * 30])
async def test_an_id_that_is_none_is_refused(light_gateway: Running, number: str) -> None:
    headers = {"Last-Event-ID": number}
    answer = await light_gateway.client.get(PATH, headers=headers)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith("Last-Event-ID: ")


async def test_a_key_leaves_others_room_to_listen_and_who_leaves_makes_room(
    light_gateway: Running,
) -> None:
    async with AsyncExitStack() as stack:
        for _ in range(feed.MAX_OF_ONE):
            await stack.enter_async_context(listening(light_gateway))
        answer = await light_gateway.client.get(PATH)
        assert answer.status_code == 429
        assert answer.headers["retry-after"]
    async with asyncio.timeout(10):
        while (await _status(light_gateway)) != 200:
            await asyncio.sleep(0.1)


async def _status(gateway: Running) -> int:
    async with gateway.client.stream("GET", PATH) as answer:
        return answer.status_code


async def test_all_streams_end_when_the_gateway_shuts_down(light_gateway: Running) -> None:
    async with listening(light_gateway) as listener:
        await listener.next()
        light_gateway.gateway.changes.close()
        async with asyncio.timeout(30):
            assert [line async for line in listener._lines if line] == []


class SlowStore:
    """Has as many changes as a test says."""

    def __init__(self) -> None:
        self.changes: list[Change] = []

    async def newest(self) -> int:
        return len(self.changes)

    async def after(self, number: int, *, limit: int | None = None) -> list[Change]:
        return self.changes[number:][:limit]


async def describe(changes: Sequence[Change]) -> list[tuple[ChangeSubject, str]]:
    return [(each.subject, "{}") for each in changes]


async def test_the_number_of_all_listeners_is_bounded() -> None:
    changes = ChangeFeed(SlowStore(), describe)  # type: ignore[arg-type]
    async with AsyncExitStack() as stack:
        for number in range(feed.MAX_LISTENERS):
            await stack.enter_async_context(changes.listening(f"client {number}"))
        with pytest.raises(RateLimitExceeded, match="100 clients listen"):
            await stack.enter_async_context(changes.listening("one more"))


async def test_a_listener_that_does_not_read_is_cut_off() -> None:
    store = SlowStore()
    changes = ChangeFeed(store, describe)  # type: ignore[arg-type]
    async with changes.listening("somebody"):
        slow, quick = changes.events(None), changes.events(None)
        await anext(slow)
        await anext(quick)
        count = feed.EVENTS_KEPT // 2 + 1
        heard = 0
        for _ in range(2):
            known = len(store.changes)
            store.changes += [
                Change(number, ChangeSubject.MONITOR, str(number))
                for number in range(known + 1, known + count + 1)
            ]
            for _ in range(math.ceil(count / feed.PAGE)):
                heard += (await anext(quick)).count(b"event: monitor")
        assert heard == 2 * count
        with pytest.raises(StopAsyncIteration):
            await anext(slow)


async def test_a_change_that_cannot_be_described_at_once_is_told_later() -> None:
    store, answers = SlowStore(), iter([StoreUnavailable("away"), None, None])

    async def describe(changes: Sequence[Change]) -> list[tuple[ChangeSubject, str]]:
        if changes and (error := next(answers)):
            raise error
        return [(each.subject, "{}") for each in changes]

    changes = ChangeFeed(store, describe)  # type: ignore[arg-type]
    async with changes.listening("somebody"), asyncio.timeout(10):
        listener = changes.events(None)
        await anext(listener)
        store.changes.append(Change(1, ChangeSubject.MONITOR, "mon-1"))
        assert b"event: monitor" in await anext(listener)


def test_a_change_that_becomes_visible_late_is_told_once() -> None:
    def change(number: int) -> Change:
        return Change(number, ChangeSubject.MONITOR, f"mon-{number}")

    def fresh(found: list[Change], now_sec: float) -> list[Change]:
        new = seen.fresh(found)
        seen.add(found, now_sec)
        return new

    seen = SeenNumbers(floor=10)
    assert fresh([change(11), change(13)], 0) == [change(11), change(13)]
    assert fresh([change(11), change(12), change(13)], 1) == [change(12)]
    assert seen.floor == 10
    assert fresh([change(number) for number in (11, 12, 13, 14)], 7) == [change(14)]
    assert seen.floor == 13
    assert fresh([change(14)], 20) == []
    assert seen.floor == 14
