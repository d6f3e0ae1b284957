"""Monitors are found by the labels that they have now."""

from sqlalchemy import delete, func, select

from api.store.tables import monitor_labels, monitors
from tests.testkit.gateway import Running


async def test_a_monitor_is_found_by_the_labels_it_has_now(gateway: Running) -> None:
    store = gateway.store
    tokyo = await gateway.created_id(labels={"site": "tokyo", "team": 'news "a" \'%'})
    await gateway.created_id(stream_url="https://media.example/other.m3u8")

    async def found(**labels: str) -> list[str]:
        return await store.monitors.active_ids(list(labels.items()))

    assert await found(site="tokyo") == await found(team='news "a" \'%') == [tokyo]
    assert await found(site="tokyo", team="sports") == []
    await store.monitors.set_fields(tokyo, {"labels": {"site": "osaka"}})
    assert await found(site="osaka") == [tokyo]
    assert await found(site="tokyo") == await found(team='news "a" \'%') == []


async def test_labels_go_with_their_monitor(gateway: Running) -> None:
    monitor_id = await gateway.created_id(labels={"site": "tokyo", "team": "news"})
    counting = select(func.count()).select_from(monitor_labels)
    async with gateway.store.database.write() as connection:
        assert await connection.scalar(counting) == 2
        await connection.execute(delete(monitors).where(monitors.c.monitor_id == monitor_id))
        assert await connection.scalar(counting) == 0
