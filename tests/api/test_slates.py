"""Pictures that are not to be on air."""

import base64
import io
from datetime import datetime

import httpx
import pytest
from PIL import Image

from monitors.frames import FRAME_HEIGHT, FRAME_WIDTH, SLATE_BYTES
from tests.testkit.gateway import Running


def image(kind: str = "PNG", *, size: tuple[int, int] = (320, 180), colour: str = "navy") -> bytes:
    written = io.BytesIO()
    Image.new("RGB", size, colour).save(written, kind)
    return written.getvalue()


async def put(gateway: Running, name: str, content: bytes) -> httpx.Response:
    return await gateway.client.put(f"/api/v1/slates/{name}", content=content)


async def names(gateway: Running) -> list[str]:
    answer = await gateway.client.get("/api/v1/slates")
    return [each["name"] for each in answer.json()["slates"]]


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
async def test_a_slate_is_kept_listed_and_removed(gateway: Running, kind: str) -> None:
    answer = await put(gateway, "sorry", image(kind))
    assert answer.status_code == 200, answer.text
    assert answer.json()["name"] == "sorry"
    assert datetime.fromisoformat(answer.json()["updated_at"]).tzinfo
    await put(gateway, "back-soon", image())
    assert await names(gateway) == ["back-soon", "sorry"]
    assert (await gateway.client.delete("/api/v1/slates/sorry")).status_code == 204
    assert await names(gateway) == ["back-soon"]
    for name in ("sorry", "%00"):
        again = await gateway.client.delete(f"/api/v1/slates/{name}")
        assert (again.status_code, again.json()["error"]["code"]) == (404, "SLATE_NOT_FOUND")


async def test_workers_get_its_small_picture(gateway: Running) -> None:
    await put(gateway, "sorry", image(colour="#204060"))
    await put(gateway, "sorry", image(colour="#a04060"))
    answer = await gateway.worker.get("/internal/v1/slates")
    (picture,) = answer.json()["pictures"].values()
    assert base64.b64decode(picture) == bytes([0xA0, 0x40, 0x60]) * FRAME_WIDTH * FRAME_HEIGHT


async def test_what_is_transparent_is_black(gateway: Running) -> None:
    written = io.BytesIO()
    Image.new("RGBA", (64, 36), (255, 255, 255, 0)).save(written, "PNG")
    await put(gateway, "clear", written.getvalue())
    answer = await gateway.worker.get("/internal/v1/slates")
    assert base64.b64decode(answer.json()["pictures"]["clear"]) == bytes(SLATE_BYTES)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        pytest.param("sorry", b"", "image: must be one of JPEG, PNG, WEBP", id="nothing"),
        pytest.param("sorry", b"GIF89a" + bytes(100), "image: must be one of", id="no image"),
        pytest.param("sorry", image("GIF"), "image: must be one of", id="another format"),
        pytest.param("sorry", image("PPM"), "image: must be one of", id="an odd format"),
        pytest.param("sorry", image()[:80], "image: cannot be read", id="half an image"),
        pytest.param(
            "sorry", image(size=(3841, 2160)), "image: has 3841x2160 pixels", id="too many pixels"
        ),
        pytest.param("a%20b", image(), "name: must be", id="a name with a space"),
        pytest.param("-sorry", image(), "name: must be", id="a name that looks like an option"),
        pytest.param("a" * 65, image(), "name: must be", id="a long name"),
    ],
)
async def test_what_cannot_be_used_is_refused(
    gateway: Running, name: str, content: bytes, reason: str
) -> None:
    answer = await put(gateway, name, content)
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["code"] == "VALIDATION_ERROR"
    assert answer.json()["error"]["message"].startswith(reason)
    assert await names(gateway) == []


async def test_an_image_of_many_bytes_is_refused(gateway: Running) -> None:
    answer = await put(gateway, "sorry", bytes(4 * 1024 * 1024 + 1))
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "BODY_TOO_LARGE")


async def test_there_are_ten_at_most(gateway: Running) -> None:
    for number in range(10):
        assert (await put(gateway, f"slate-{number}", image())).status_code == 200
    answer = await put(gateway, "one-more", image())
    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == "name: there are 10 slates already; delete one"
    assert (await put(gateway, "slate-3", image(colour="red"))).status_code == 200
