"""Requests that break a rule: each gets its code, its status and the name of the field."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest

from tests.testkit.gateway import FORBIDDEN_HOST, Running, order

MEBI = 1024 * 1024


@pytest.fixture
def gateway(light_gateway: Running) -> Running:
    return light_gateway


def body(**fields: Any) -> bytes:
    return json.dumps(order(**fields)).encode()


def without(field: str) -> bytes:
    return json.dumps({name: value for name, value in order().items() if name != field}).encode()


def raw(fragment: bytes) -> bytes:
    return body()[:-1] + b", " + fragment + b"}"


CASES = [
    pytest.param(b"", "VALIDATION_ERROR", "body", id="empty"),
    pytest.param(b"{", "VALIDATION_ERROR", "body", id="truncated"),
    pytest.param(b"[]", "VALIDATION_ERROR", "body", id="array"),
    pytest.param(b"null", "VALIDATION_ERROR", "body", id="null"),
    pytest.param(b'{"a": "\xff"}', "VALIDATION_ERROR", "UTF-8", id="no UTF-8"),
    pytest.param(b"\xef\xbb\xbf" + body(), "VALIDATION_ERROR", "body", id="byte order mark"),
    pytest.param(body().decode().encode("utf-16"), "VALIDATION_ERROR", "UTF-8", id="UTF-16"),
    pytest.param(b"[" * 30_000, "VALIDATION_ERROR", "nested", id="very deep"),
    pytest.param(
        body(metadata={"deep": json.loads("[" * 40 + "]" * 40)}),
        "VALIDATION_ERROR",
        "metadata.deep.0",
        id="deep",
    ),
    pytest.param(raw(b'"stream_url": "x"'), "VALIDATION_ERROR", "stream_url", id="name twice"),
    pytest.param(
        raw(b'"metadata": {"n": NaN}'),
        "VALIDATION_ERROR",
        "metadata.n: is not a finite number",
        id="NaN",
    ),
    pytest.param(raw(b'"metadata": {"n": -1e999}'), "VALIDATION_ERROR", "metadata.n", id="inf"),
    pytest.param(
        raw(b'"metadata": {"n": [-' + b"9" * 4301 + b"]}"),
        "VALIDATION_ERROR",
        "metadata.n.0: is a number of more than 4300 digits",
        id="too many digits",
    ),
    pytest.param(
        raw(b'"config": {"recovery_sec": ' + b"9" * 10_000 + b"}"),
        "INVALID_CONFIG",
        "config.recovery_sec: is a number of more than 4300 digits",
        id="threshold of too many digits",
    ),
    pytest.param(
        raw(b'"config": {"recovery_sec": ' + b"9" * 400 + b"}"),
        "INVALID_CONFIG",
        "config.recovery_sec",
        id="threshold that no float holds",
    ),
    pytest.param(
        raw(b'"metadata": {"n": ["\\u0000"]}'), "VALIDATION_ERROR", "metadata.n.0", id="NUL"
    ),
    pytest.param(
        raw(b'"metadata": {"\\ud800": 1}'), "VALIDATION_ERROR", "surrogate", id="surrogate"
    ),
    pytest.param(
        raw(b'"config": {"recovery_sec": Infinity}'),
        "INVALID_CONFIG",
        "config.recovery_sec",
        id="infinite threshold",
    ),
    pytest.param(body(colour="red"), "VALIDATION_ERROR", "colour", id="unknown field"),
    pytest.param(body(metadata=[]), "VALIDATION_ERROR", "metadata", id="metadata no object"),
    pytest.param(
        body(metadata={"a": "ü" * 9000}), "VALIDATION_ERROR", "metadata: is", id="metadata large"
    ),
    pytest.param(without("stream_url"), "VALIDATION_ERROR", "stream_url: is required", id="no url"),
    pytest.param(
        without("callback_url"), "VALIDATION_ERROR", "callback_url: is required", id="no callback"
    ),
    pytest.param(body(stream_url=5), "INVALID_URL", "stream_url", id="url is a number"),
    pytest.param(body(stream_url=""), "INVALID_URL", "stream_url", id="url is empty"),
    pytest.param(body(stream_url="file:///etc/passwd"), "INVALID_URL", "stream_url", id="file"),
    pytest.param(body(stream_url="http://a b/x.m3u8"), "INVALID_URL", "stream_url", id="space"),
    pytest.param(body(stream_url="http://u:p@h/x.m3u8"), "INVALID_URL", "stream_url", id="login"),
    pytest.param(body(stream_url="http://[::1/x"), "INVALID_URL", "stream_url", id="bracket"),
    pytest.param(body(stream_url="http://h/" + "x" * 3000), "INVALID_URL", "stream_url", id="long"),
    pytest.param(
        body(stream_url="https://www.youtube.com/@channel"),
        "INVALID_URL",
        "no single video",
        id="YouTube channel",
    ),
    pytest.param(body(stream_url="http://xn--a/x"), "INVALID_URL", "stream_url: names a host"),
    pytest.param(body(callback_url="http://xn--a/x"), "INVALID_URL", "callback_url: names a host"),
    pytest.param(body(callback_url="ftp://h/x"), "INVALID_URL", "callback_url", id="callback ftp"),
    pytest.param(
        body(stream_url=f"https://{FORBIDDEN_HOST}/x.m3u8"),
        "INVALID_URL",
        "stream_url: its host cannot be resolved or is not allowed",
        id="stream address refused",
    ),
    pytest.param(
        body(callback_url=f"https://{FORBIDDEN_HOST}/"),
        "INVALID_URL",
        "callback_url: its host cannot be resolved or is not allowed",
        id="callback address refused",
    ),
    pytest.param(body(config=5), "INVALID_CONFIG", "config", id="config no object"),
    pytest.param(body(config={"speed": 1}), "INVALID_CONFIG", "config.speed", id="unknown option"),
    pytest.param(
        body(config={"blackout_threshold_sec": -1}),
        "INVALID_CONFIG",
        "config.blackout_threshold_sec",
        id="negative threshold",
    ),
    pytest.param(
        body(config={"blackout_threshold_sec": "30"}),
        "INVALID_CONFIG",
        "config.blackout_threshold_sec",
        id="number as text",
    ),
    pytest.param(
        body(config={"silence_db_threshold": 1}),
        "INVALID_CONFIG",
        "config.silence_db_threshold",
        id="loud silence",
    ),
    pytest.param(
        body(config={"scheduled_start_time": "2030-01-01T00:00:00"}),
        "INVALID_CONFIG",
        "config.scheduled_start_time",
        id="time without offset",
    ),
    pytest.param(
        body(config={"scheduled_start_time": "1700000000"}),
        "INVALID_CONFIG",
        "config.scheduled_start_time: must be ISO 8601",
        id="seconds since 1970 as text",
    ),
    pytest.param(
        body(
            config={
                "scheduled_start_time": "2030-01-02T00:00:00Z",
                "scheduled_end_time": "2030-01-01T00:00:00Z",
            }
        ),
        "INVALID_CONFIG",
        "config: scheduled_end_time must be after",
        id="end before start",
    ),
    pytest.param(
        body(
            config={
                "scheduled_start_time": "2030-01-01T00:00:00Z",
                "scheduled_end_time": "9999-12-31T23:59:59-23:00",
            }
        ),
        "INVALID_CONFIG",
        "config",
        id="end after the calendar",
    ),
    pytest.param(
        body(config={"scheduled_end_time": "2020-01-01T00:00:00Z"}),
        "INVALID_CONFIG",
        "config.scheduled_end_time: is in the past",
        id="end in the past",
    ),
    pytest.param(
        body(config={"on_delivery_failure": "explode"}),
        "INVALID_CONFIG",
        "config.on_delivery_failure",
        id="unknown choice",
    ),
]


@pytest.mark.parametrize(("content", "code", "message"), CASES)
async def test_a_bad_body_is_refused_by_name(
    gateway: Running, content: bytes, code: str, message: str
) -> None:
    answer = await gateway.client.post("/api/v1/monitors", content=content)
    assert answer.status_code == 400, answer.text
    error = answer.json()["error"]
    assert error["code"] == code, error
    assert message in error["message"]
    assert gateway.engine.started == []


async def test_a_body_over_the_limit_is_refused_whether_announced_or_not(
    gateway: Running,
) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(300):
            yield b"x" * 4096

    for content in (b"x" * 65_537, b"x" * 3_000_000, chunks()):
        answer = await gateway.client.post("/api/v1/monitors", content=content)
        assert answer.status_code == 413
        assert answer.json()["error"]["code"] == "BODY_TOO_LARGE"
    assert (await gateway.create()).status_code == 201


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(b"X: " + bytes([120]) * 1000 + b"\r\n", id="headers"),
        pytest.param(b"x" * 1000, id="one header"),
    ],
)
async def test_a_head_without_end_is_refused_before_it_fills_the_memory(
    gateway: Running, line: bytes
) -> None:
    port = gateway.client.base_url.port
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: ")
    sent = 0
    with suppress(ConnectionError):
        while not writer.is_closing() and not reader.at_eof() and sent < 10 * MEBI:
            writer.write(line)
            await writer.drain()
            sent += len(line)
    answer = b""
    with suppress(ConnectionError):
        answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    assert sent < 10 * MEBI
    assert answer.startswith(b"HTTP/1.1 400 ") or not answer
    assert (await gateway.client.get("/healthz")).status_code == 200


async def test_a_body_at_the_limit_is_read(gateway: Running) -> None:
    answer = await gateway.client.post("/api/v1/monitors", content=body().ljust(65_536))
    assert answer.status_code == 201


async def test_metadata_at_the_limit_comes_back_unchanged(gateway: Running) -> None:
    metadata = {"text": "x" * (16 * 1024 - len('{"text":""}'))}
    monitor_id = await gateway.created_id(metadata=metadata)
    assert (await gateway.show(monitor_id))["metadata"] == metadata


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/api/v1/monitors?limit=0", "limit"),
        ("/api/v1/monitors?limit=201", "limit"),
        ("/api/v1/monitors?limit=many", "limit"),
        ("/api/v1/monitors?offset=-1", "offset"),
        (f"/api/v1/monitors?offset={10**30}", "offset"),
        ("/api/v1/monitors?status=asleep", "status"),
        ("/api/v1/monitors?limit=1e9", "limit"),
        ("/api/v1/monitors?limit=1_0", "limit"),
        ("/api/v1/monitors?limit=1.0", "limit"),
        ("/api/v1/monitors?limit=", "limit"),
        ("/api/v1/monitors?limit=5&limit=7", "limit"),
        ("/api/v1/monitors?status=error&status=waiting", "status"),
        ("/api/v1/monitors?stauts=error", "stauts"),
        ("/api/v1/monitors?Limit=5", "Limit"),
        ("/api/v1/monitors/mon-x?verbose=1", "verbose"),
        ("/api/v1/monitors/mon-x/events?status=sent", "status"),
    ],
)
async def test_a_bad_parameter_is_refused_by_name(gateway: Running, path: str, field: str) -> None:
    answer = await gateway.client.get(path)
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["code"] == "VALIDATION_ERROR"
    assert error["message"].startswith(f"{field}: ")


@pytest.mark.parametrize(
    ("headers", "name"),
    [
        pytest.param([("Content-Encoding", "gzip")], "Content-Encoding", id="compressed"),
        pytest.param(
            [("Content-Type", "application/json; charset=latin-1")], "Content-Type", id="no UTF-8"
        ),
        pytest.param(
            [("Idempotency-Key", "a"), ("Idempotency-Key", "b")], "Idempotency-Key", id="two keys"
        ),
    ],
)
async def test_a_bad_header_is_refused_by_name(
    gateway: Running, headers: list[tuple[str, str]], name: str
) -> None:
    answer = await gateway.client.post("/api/v1/monitors", content=body(), headers=headers)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith(f"{name}: ")


@pytest.mark.parametrize("content_type", ["application/json; charset=UTF-8", "text/plain", None])
async def test_json_in_utf8_is_read_whatever_it_is_called(
    gateway: Running, content_type: str | None
) -> None:
    headers = {"Content-Type": content_type} if content_type else {}
    answer = await gateway.client.post("/api/v1/monitors", content=body(), headers=headers)
    assert answer.status_code == 201


@pytest.mark.parametrize(
    "monitor_id",
    ["mon-019a0b1c-2d3e-7f40-8a5b-6c7d8e9f0a1b", "nonsense", "%00", "..%2F", "mon-" + "x" * 500],
)
async def test_an_unknown_monitor_is_not_found(gateway: Running, monitor_id: str) -> None:
    path = f"/api/v1/monitors/{monitor_id}"
    for answer in (
        await gateway.client.get(path),
        await gateway.client.delete(path),
        await gateway.client.get(f"{path}/events"),
        await gateway.client.get(f"{path}/picture.jpg"),
    ):
        assert answer.status_code == 404
        assert answer.json()["error"]["code"] in {"MONITOR_NOT_FOUND", "NOT_FOUND"}


async def test_unknown_paths_and_methods_are_answered_in_the_same_form(gateway: Running) -> None:
    unknown = await gateway.client.get("/api/v1/nothing")
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "NOT_FOUND")
    wrong = await gateway.client.put("/api/v1/monitors")
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (405, "METHOD_NOT_ALLOWED")
    assert wrong.headers["allow"] == "DELETE, GET, POST"
