"""Request headers of a stream: secrets that only workers ever read again."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import text

from api.errors import SecretsUnreadable
from api.monitor_engine import ChangeRefused, ChangeUnconfirmed, NotRunning
from api.secrets import SecretBox
from monitors.request_headers import MASK
from tests.testkit.gateway import Running, running_gateway

SECRET = "s3cr3t-of-a-user"
HEADERS = {"Authorization": f"Bearer {SECRET}", "Referer": f"https://{SECRET}.example/"}
MASKED = dict.fromkeys(HEADERS, MASK)


async def headers_of(gateway: Running, monitor_id: str) -> dict[str, str]:
    answer = await gateway.worker.get(f"/internal/v1/monitors/{monitor_id}/request-headers")
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    headers: dict[str, str] = answer.json()["request_headers"]
    return headers


async def patch(gateway: Running, monitor_id: str, headers: Any) -> httpx.Response:
    body = {"config": {"request_headers": headers}}
    return await gateway.client.patch(f"/api/v1/monitors/{monitor_id}", json=body)


async def rows(gateway: Running) -> str:
    async with gateway.store.database.read() as connection:
        found = [
            (await connection.execute(text(f"SELECT * FROM {table}"))).all()
            for table in ("monitors", "idempotency_keys")
        ]
    return str(found)


async def test_only_workers_read_what_a_user_gave(
    gateway: Running, capfd: pytest.CaptureFixture[str]
) -> None:
    answer = await gateway.client.post(
        "/api/v1/monitors",
        json={
            "stream_url": "https://media.example/live/index.m3u8",
            "callback_url": "https://receiver.example/hook",
            "config": {"request_headers": HEADERS},
        },
        headers={"Idempotency-Key": "once"},
    )
    assert answer.status_code == 201, answer.text
    monitor_id = answer.json()["monitor_id"]
    shown = await gateway.show(monitor_id)
    assert shown["config"]["request_headers"] == MASKED
    (order,) = gateway.engine.started
    assert order.config.request_headers == MASKED
    assert await headers_of(gateway, monitor_id) == HEADERS
    refused = await gateway.client.get(f"/internal/v1/monitors/{monitor_id}/request-headers")
    assert refused.status_code == 401
    read = capfd.readouterr()
    seen = [json.dumps(shown), order.model_dump_json(), await rows(gateway), read.out, read.err]
    assert not any(SECRET in each for each in seen)


async def test_the_same_key_and_body_give_the_same_answer_and_another_secret_does_not(
    light_gateway: Running,
) -> None:
    async def create(secret: str) -> httpx.Response:
        return await light_gateway.client.post(
            "/api/v1/monitors",
            json={
                "stream_url": "https://media.example/live/index.m3u8",
                "callback_url": "https://receiver.example/hook",
                "config": {"request_headers": {"Cookie": secret}},
            },
            headers={"Idempotency-Key": "once"},
        )

    first, again, other = [await create(secret) for secret in ("a", "a", "b")]
    assert (first.status_code, first.json()) == (201, again.json())
    assert other.json()["error"]["code"] == "IDEMPOTENCY_CONFLICT"


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ({"Host": SECRET}, "config.request_headers: Host: is set by each request itself"),
        ({"Connection": SECRET}, "config.request_headers: Connection: belongs to a connection"),
        ({"X Y": SECRET}, "config.request_headers: 'X Y' is no name of a header"),
        ({"X-A": f"{SECRET}\r\nX-B: 1"}, "config.request_headers: X-A: must be printable ASCII"),
        ({"Cookie": MASK}, "config.request_headers.Cookie: is a mask"),
        ({"Cookie": 7}, "config.request_headers.Cookie: "),
        ([], "config.request_headers: "),
    ],
)
async def test_what_cannot_be_sent_is_refused_by_name(
    light_gateway: Running, headers: Any, message: str
) -> None:
    answer = await light_gateway.create(config={"request_headers": headers})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (400, "INVALID_CONFIG")
    assert error["message"].startswith(message)
    assert SECRET not in answer.text


async def test_youtube_takes_none(light_gateway: Running) -> None:
    answer = await light_gateway.create(
        stream_url="https://youtu.be/aaaaaaaaaaa", config={"request_headers": HEADERS}
    )
    assert answer.status_code == 400
    assert "YTDLP_COOKIES_FILE" in answer.json()["error"]["message"]


async def test_a_change_replaces_all_and_a_mask_keeps_a_value(gateway: Running) -> None:
    monitor_id = await gateway.created_id(config={"request_headers": HEADERS})
    read_back = (await gateway.show(monitor_id))["config"]["request_headers"]
    answer = await patch(gateway, monitor_id, {**read_back, "cookie": "new=1"})
    assert answer.status_code == 200, answer.text
    assert await headers_of(gateway, monitor_id) == {**HEADERS, "cookie": "new=1"}
    ((_, change),) = gateway.engine.changes
    assert change.request_headers == {**MASKED, "cookie": MASK}
    assert SECRET not in change.model_dump_json()
    shown = (await gateway.show(monitor_id))["config"]["request_headers"]
    assert shown == {**MASKED, "cookie": MASK}
    refused = await patch(gateway, monitor_id, {"X-New": MASK})
    assert refused.status_code == 400
    await patch(gateway, monitor_id, {})
    assert await headers_of(gateway, monitor_id) == {}


@pytest.mark.parametrize("new", [{"Cookie": "new=1"}, {}], ids=["other", "none"])
@pytest.mark.parametrize(
    "refusal", [ChangeRefused("no"), NotRunning("unknown")], ids=["refused", "not-running"]
)
async def test_a_change_that_is_refused_leaves_the_former_ones(
    gateway: Running, refusal: Exception, new: dict[str, str]
) -> None:
    monitor_id = await gateway.created_id(config={"request_headers": HEADERS})
    gateway.engine.change_error = refusal
    assert (await patch(gateway, monitor_id, new)).status_code in (400, 409)
    assert await headers_of(gateway, monitor_id) == HEADERS


async def test_a_change_that_nobody_confirms_may_be_made(light_gateway: Running) -> None:
    monitor_id = await light_gateway.created_id(config={"request_headers": HEADERS})
    light_gateway.engine.change_error = ChangeUnconfirmed("late")
    assert (await patch(light_gateway, monitor_id, {"Cookie": "new=1"})).status_code == 503
    assert await headers_of(light_gateway, monitor_id) == {"Cookie": "new=1"}


async def test_a_refusal_takes_nothing_of_another_change_back(gateway: Running) -> None:
    monitor_id = await gateway.created_id(config={"request_headers": HEADERS})
    before = await gateway.store.monitors.find(monitor_id)
    assert before
    await patch(gateway, monitor_id, {"Cookie": "new=1"})
    await gateway.store.monitors.restore_request_headers(
        monitor_id, before.request_headers, instead_of="what another change replaced"
    )
    assert await headers_of(gateway, monitor_id) == {"Cookie": "new=1"}


async def test_a_monitor_that_has_ended_has_none_left(gateway: Running) -> None:
    stopped, ended = [
        await gateway.created_id(
            stream_url=f"https://media.example/{name}.m3u8", config={"request_headers": HEADERS}
        )
        for name in ("stopped", "ended")
    ]
    await gateway.client.delete(f"/api/v1/monitors/{stopped}")
    await gateway.report(ended, "completed", "2026-01-01T00:00:00Z")
    for monitor_id in (stopped, ended):
        assert await headers_of(gateway, monitor_id) == {}
        assert (await gateway.show(monitor_id))["config"]["request_headers"] == MASKED


async def test_without_a_key_they_are_refused(sqlite_url: str) -> None:
    async with running_gateway(sqlite_url, secrets_key=[]) as gateway:
        answer = await gateway.create(config={"request_headers": HEADERS})
        assert answer.status_code == 400
        assert answer.json()["error"]["message"].endswith(
            "this service has no SECRETS_KEY to encrypt them with"
        )
        assert (await gateway.create()).status_code == 201


async def test_a_key_is_rotated_and_one_that_was_lost_is_said_to_be(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/gateway.db"
    old, new = "old-key-" * 4, "new-key-" * 4
    async with running_gateway(url, secrets_key=[old]) as gateway:
        monitor_id = await gateway.created_id(config={"request_headers": HEADERS})
    async with running_gateway(url, secrets_key=[new, old]) as gateway:
        assert await headers_of(gateway, monitor_id) == HEADERS
    async with running_gateway(url, secrets_key=[new]) as gateway:
        answer = await gateway.worker.get(f"/internal/v1/monitors/{monitor_id}/request-headers")
        assert answer.status_code == 500
        assert "SECRETS_KEY" in answer.json()["error"]["message"]


def test_what_is_sealed_for_one_monitor_opens_for_no_other() -> None:
    box = SecretBox([SecretStr("key-" * 8)])
    sealed = box.seal(HEADERS, owner="mon-1")
    assert box.open(sealed, owner="mon-1") == HEADERS
    with pytest.raises(SecretsUnreadable):
        box.open(sealed, owner="mon-2")
