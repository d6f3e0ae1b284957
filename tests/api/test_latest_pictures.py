"""The latest picture of a stream, and who looks at it."""

from datetime import UTC, datetime, timedelta

import httpx

from tests.testkit.evidence import JPEG
from tests.testkit.gateway import Running

NOW = datetime.now(UTC).replace(microsecond=0)


async def put(
    gateway: Running, monitor_id: str, picture: bytes, taken_at: datetime = NOW
) -> httpx.Response:
    return await gateway.worker.put(
        f"/internal/v1/monitors/{monitor_id}/picture",
        content=picture,
        headers={"Content-Type": "image/jpeg", "X-Taken-At": taken_at.isoformat()},
    )


async def get(gateway: Running, monitor_id: str, **headers: str) -> httpx.Response:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return await gateway.client.get(f"/api/v1/monitors/{monitor_id}/picture.jpg", headers=given)


async def wanted_sec(gateway: Running, monitor_id: str) -> float:
    """Return what the answer to a status report says."""
    answer = await gateway.worker.put(
        f"/internal/v1/monitors/{monitor_id}/status",
        json={"status": "monitoring", "as_of": datetime.now(UTC).isoformat()},
    )
    interval: float = answer.json()["picture_interval_sec"]
    return interval


async def test_the_newest_picture_is_shown(gateway: Running) -> None:
    monitor_id = await gateway.created_id()
    first = await get(gateway, monitor_id)
    assert (first.status_code, first.json()["error"]["code"]) == (404, "PICTURE_NOT_FOUND")
    assert (await put(gateway, monitor_id, JPEG)).status_code == 204
    await put(gateway, monitor_id, JPEG + b"older", NOW - timedelta(seconds=1))
    shown = await get(gateway, monitor_id)
    assert (shown.status_code, shown.content) == (200, JPEG)
    assert shown.headers["Content-Type"] == "image/jpeg"
    assert shown.headers["Cache-Control"] == "private, no-cache"
    assert shown.headers["X-Content-Type-Options"] == "nosniff"
    assert shown.headers["Last-Modified"] == f"{NOW:%a, %d %b %Y %H:%M:%S} GMT"
    again = await get(gateway, monitor_id, If_None_Match=shown.headers["ETag"])
    assert (again.status_code, again.content) == (304, b"")
    await put(gateway, monitor_id, JPEG + b"newer", NOW + timedelta(days=1))
    assert (await get(gateway, monitor_id)).content == JPEG + b"newer"
    (listed,) = (await gateway.client.get("/api/v1/monitors")).json()["monitors"]
    assert datetime.fromisoformat(listed["picture_at"]) < NOW + timedelta(hours=1)


async def test_who_is_looked_at_gets_more_pictures(gateway: Running) -> None:
    seen, unseen = [
        await gateway.created_id(stream_url=f"https://media.example/{name}.m3u8") for name in "ab"
    ]
    assert await wanted_sec(gateway, seen) == 60
    await get(gateway, seen)
    assert await wanted_sec(gateway, seen) == 10
    assert await wanted_sec(gateway, unseen) == 60
    now = datetime.now(UTC)
    assert await gateway.store.latest_pictures.looked_at_since(now - timedelta(seconds=30)) == {
        seen
    }
    assert await gateway.store.latest_pictures.looked_at_since(now + timedelta(seconds=30)) == set()


async def test_who_looks_for_a_picture_in_vain_writes_no_more_than_others(
    light_gateway: Running,
) -> None:
    monitor_id = await light_gateway.created_id()
    await get(light_gateway, monitor_id)
    pictures = light_gateway.store.latest_pictures
    first = await pictures.find(monitor_id)
    await get(light_gateway, monitor_id)
    assert await pictures.find(monitor_id) == first
    assert first[1] is not None


async def test_what_is_no_picture_is_refused(light_gateway: Running) -> None:
    monitor_id = await light_gateway.created_id()
    silent = await light_gateway.created_id(
        stream_url="https://media.example/b.m3u8", config={"evidence": "none"}
    )
    refused = [
        await put(light_gateway, monitor_id, b"<svg>"),
        await put(light_gateway, silent, JPEG),
    ]
    assert [each.status_code for each in refused] == [400, 400]
    assert (await put(light_gateway, monitor_id, JPEG + bytes(1 << 20))).status_code == 413
    unknown = "mon-019a0b1c-2d3e-7f40-8a5b-6c7d8e9f0a1b"
    assert (await put(light_gateway, unknown, JPEG)).status_code == 404
    assert (await get(light_gateway, unknown)).json()["error"]["code"] == "MONITOR_NOT_FOUND"
