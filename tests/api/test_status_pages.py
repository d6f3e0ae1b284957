"""Status pages: what is kept of them, and what strangers may learn from one."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import update

from api.errors import StatusPageNotFound
from api.request_limits import STATUS_VIEWS_PER_MINUTE
from api.status_pages.public import PublicPage, PublicState
from api.store.database import StoreUnavailable
from api.store.tables import monitors
from monitors.coverage import CoverageCondition
from monitors.status import IncidentKind
from tests.testkit.events import begin_of, end_of, put_event
from tests.testkit.gateway import Running

PATH = "/api/v1/status-pages"


def body(*monitor_ids: str, **fields: Any) -> dict[str, Any]:
    return {"title": "TV", "monitors": [{"monitor_id": each} for each in monitor_ids], **fields}


async def put(gateway: Running, slug: str, *monitor_ids: str, **fields: Any) -> dict[str, Any]:
    answer = await gateway.client.put(f"{PATH}/{slug}", json=body(*monitor_ids, **fields))
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def live_monitor(gateway: Running, hours: float, **fields: Any) -> str:
    """Create a monitor whose stream is live, and was seen, since some hours ago until now."""
    monitor_id = await gateway.created_id(**fields)
    now = datetime.now(UTC)
    begin = now - timedelta(hours=hours)
    aged = update(monitors).where(monitors.c.monitor_id == monitor_id)
    await gateway.store.database.write_one(aged.values(created_at=begin, live_since=begin))
    seen = {"start": begin.isoformat(), "end": now.isoformat()}
    status = await gateway.report(
        monitor_id, "monitoring", now.isoformat(), stream_status="live", coverage=[seen]
    )
    assert status == 200
    return monitor_id


async def test_a_page_is_put_shown_listed_and_deleted(gateway: Running) -> None:
    first, second = [
        await gateway.created_id(stream_url=f"https://h.example/{each}.m3u8") for each in "ab"
    ]
    made = await put(gateway, "tv-1", second, first, note="Hello")
    assert made["path"] == "/status/tv-1"
    assert [each["monitor_id"] for each in made["monitors"]] == [second, first]
    changed = await put(gateway, "tv-1", first, title="News")
    assert (changed["title"], changed["note"]) == ("News", None)
    assert (await gateway.client.get(f"{PATH}/tv-1")).json() == changed
    assert (await gateway.client.get(PATH)).json() == {"status_pages": [changed]}
    assert (await gateway.client.delete(f"{PATH}/tv-1")).status_code == 204
    for answer in (
        await gateway.client.get(f"{PATH}/tv-1"),
        await gateway.client.delete(f"{PATH}/tv-1"),
        await gateway.client.get(f"{PATH}/%00"),
    ):
        assert answer.status_code == 404
        assert answer.json()["error"]["code"] == "STATUS_PAGE_NOT_FOUND"


@pytest.mark.parametrize("slug", ["", "-a", "a-", "A", "a_b", "a" * 64, "ä", "a%00"])
async def test_a_slug_that_cannot_be(light_gateway: Running, slug: str) -> None:
    monitor_id = await light_gateway.created_id()
    answer = await light_gateway.client.put(f"{PATH}/{slug}", json=body(monitor_id))
    assert answer.status_code in (400, 404, 405)


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({"title": ""}, "title: "),
        ({"title": "x" * 121}, "title: "),
        ({"note": "x" * 501}, "note: "),
        ({"monitors": []}, "monitors: "),
        ({"monitors": [{"monitor_id": "mon-1"}]}, "monitors.0.monitor_id: there is no such"),
        ({"monitors": [{"monitor_id": "mon-1", "url": "x"}]}, "monitors.0.url: is not known"),
        ({"monitors": [{"monitor_id": "mon-1"}] * 51}, "monitors: "),
        ({"colour": "red"}, "colour: is not known"),
    ],
)
async def test_a_page_that_cannot_be(
    light_gateway: Running, wanted: dict[str, Any], message: str
) -> None:
    answer = await light_gateway.client.put(f"{PATH}/tv", json=body("mon-1") | wanted)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith(message)


async def test_a_monitor_is_on_a_page_once(light_gateway: Running) -> None:
    monitor_id = await light_gateway.created_id()
    answer = await light_gateway.client.put(f"{PATH}/tv", json=body(monitor_id, monitor_id))
    assert answer.json()["error"]["message"] == "monitors.1.monitor_id: is there twice"


async def published(gateway: Running, slug: str = "tv") -> PublicPage:
    return (await gateway.gateway.publication.edition(slug)).page


async def test_what_strangers_see(gateway: Running) -> None:
    on_air = await live_monitor(
        gateway, 50, name="Internal name", stream_url="https://secret.example/a.m3u8"
    )
    broken = await live_monitor(gateway, 1, stream_url="https://secret.example/b.m3u8")
    silent = await gateway.created_id(stream_url="https://secret.example/c.m3u8", name="Later")
    begin = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=20)
    kind = IncidentKind.BLACKOUT
    await put_event(gateway, on_air, begin_of(on_air, kind, begin, reason="http://10.0.0.7/why"))
    await put_event(gateway, on_air, end_of(on_air, kind, begin, 60))
    await put_event(gateway, broken, begin_of(broken, IncidentKind.FREEZE, begin))
    answer = await gateway.client.put(
        f"{PATH}/tv",
        json={
            "title": "TV",
            "monitors": [
                {"monitor_id": on_air, "name": "Channel 1"},
                {"monitor_id": broken},
                {"monitor_id": silent},
            ],
        },
    )
    assert answer.status_code == 200, answer.text
    page = await published(gateway)
    assert page.state is PublicState.FAULTY
    assert [(each.name, each.state) for each in page.monitors] == [
        ("Channel 1", PublicState.OK),
        ("#2", PublicState.FAULTY),
        ("Later", PublicState.OFF_AIR),
    ]
    assert page.monitors[1].kinds == (IncidentKind.FREEZE,)
    assert len(page.monitors[0].days) in (3, 4)
    assert page.monitors[0].totals.sec(CoverageCondition.FAULTY) == 60
    assert [(each.name, each.ended_at is None) for each in page.incidents] == [
        ("#2", True),
        ("Channel 1", False),
    ]
    told = repr(page)
    for internal in ("secret.example", "10.0.0.7", "Internal name", "mon-", "inc-"):
        assert internal not in told


async def test_a_page_is_worked_out_once_a_minute(light_gateway: Running) -> None:
    monitor_id = await live_monitor(light_gateway, 1)
    await put(light_gateway, "tv", monitor_id)
    first = await published(light_gateway)
    assert await published(light_gateway) is first
    await put(light_gateway, "tv", monitor_id, title="Other")
    assert (await published(light_gateway)).title == "Other"
    await light_gateway.client.delete(f"{PATH}/tv")
    with pytest.raises(StatusPageNotFound):
        await published(light_gateway)


async def test_a_page_outlives_the_database(
    light_gateway: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    await put(light_gateway, "tv", await live_monitor(light_gateway, 1))
    known = await published(light_gateway)
    monkeypatch.setattr("api.status_pages.publication.time.monotonic", lambda: 1e12)

    async def away(_slug: str) -> None:
        raise StoreUnavailable("away")

    monkeypatch.setattr(light_gateway.store.status_pages, "find", away)
    assert await published(light_gateway) is known
    with pytest.raises(StoreUnavailable):
        await published(light_gateway, "other")


async def test_anybody_may_read_a_page_but_not_without_end(light_gateway: Running) -> None:
    await put(light_gateway, "tv", await live_monitor(light_gateway, 1, name="News"))
    base = light_gateway.client.base_url
    async with httpx.AsyncClient(base_url=base, trust_env=False) as stranger:
        first = await stranger.get("/status/tv")
        assert first.status_code == 200
        assert first.headers["Cache-Control"] == "public, max-age=60"
        assert "default-src 'none'" in first.headers["Content-Security-Policy"]
        assert "All is well" in first.text
        japanese = await stranger.get("/status/tv", headers={"Accept-Language": "ja"})
        assert "すべて正常です" in japanese.text
        for _ in range(STATUS_VIEWS_PER_MINUTE - 2):
            last = await stranger.get("/status/tv")
        assert last.content == first.content
        refused = await stranger.get("/status/tv")
        assert refused.status_code == 429
        assert int(refused.headers["Retry-After"]) > 0
        assert (await stranger.get("/status-pages")).status_code == 303


async def test_status_pages_are_kept_by_key_holders(light_gateway: Running) -> None:
    answer = await light_gateway.client.get(PATH, headers={"X-API-Key": "x"})
    assert answer.status_code == 401
