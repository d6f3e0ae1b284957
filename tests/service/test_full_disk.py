"""The disk of the embedded service is full, and then it is not."""

from pathlib import Path

import httpx
import pytest

from tests.testkit.rest import Rest
from tests.testkit.small_disk import SmallDisk, can_be_made
from tests.testkit.waiting import until


async def test_a_full_disk_is_told_and_survived(tmp_path: Path) -> None:
    if not can_be_made(tmp_path):
        pytest.skip("this machine lets nobody mount a file system")
    disk = SmallDisk(tmp_path / "embedded")
    await disk.start()
    try:
        async with disk.embedded.rest() as rest:
            kept = await _create(rest, "before")
            disk.fill()
            refused = await rest.http.post("/monitors", json=_body("meanwhile"))
            assert refused.status_code == httpx.codes.SERVICE_UNAVAILABLE
            await until(lambda: _is_unready(rest), "an unready gateway")
            assert (await rest.show(kept))["monitor_id"] == kept
            disk.make_room()
            await until(lambda: _is_ready(rest), "a ready gateway")
            await _create(rest, "after")
        assert "database or disk is full" in disk.up.said
        await disk.up.stop()
    finally:
        disk.up.discard()


def _body(name: str) -> dict[str, str]:
    url = f"http://127.0.0.1:9/{name}"
    return {"stream_url": f"{url}.m3u8", "callback_url": url}


async def _create(rest: Rest, name: str) -> str:
    body = _body(name)
    return await rest.create(body["stream_url"], body["callback_url"], {})


async def _readyz(rest: Rest) -> int:
    return (await rest.http.get(f"{rest.base_url}/readyz")).status_code


async def _is_unready(rest: Rest) -> bool:
    return await _readyz(rest) == httpx.codes.SERVICE_UNAVAILABLE


async def _is_ready(rest: Rest) -> bool:
    return await _readyz(rest) == httpx.codes.OK
