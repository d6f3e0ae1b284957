"""One attempt of a webhook is one request, signed, bounded, and its failure says what is next."""

import base64
import contextlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest
import structlog
from standardwebhooks.webhooks import Webhook
from temporalio.exceptions import ApplicationError

from cli.receiver import Received, Receiver
from media.outbound.client import webhook_client
from media.outbound.guard import OutboundGuard
from monitors.evidence import EvidenceItem, EvidenceKind, EvidenceMoment, evidence_path
from monitors.webhook_signing import is_signed
from simulator.origin.server import InProcessServer
from tests.activities.delivering import (
    EVENT,
    LINKS,
    NEW_KEY,
    OLD_KEY,
    Meter,
    deliver,
    refused,
)
from tests.activities.scripted_http import Answer, Request, scripted


async def test_a_webhook_is_json_with_its_headers(client: httpx.AsyncClient) -> None:
    async with scripted(Answer(204)) as receiver:
        delivered = await deliver(client, f"{receiver.url}/hook?tenant=7")
    (request,) = receiver.requests
    assert (request.method, request.path) == ("POST", "/hook")
    assert request.headers["content-type"] == "application/json"
    assert request.headers["user-agent"] == "tracker/9"
    assert request.headers["x-event-id"] == request.headers["webhook-id"] == "evt-1"
    assert request.headers["x-timestamp"] == request.headers["webhook-timestamp"]
    assert json.loads(request.body)["metadata"] == {"name": "Grüße 🎥"}
    assert delivered.attempts == 1
    assert delivered.sent_at is not None
    sent_at = delivered.sent_at.timestamp()
    assert int(request.headers["x-timestamp"]) == pytest.approx(sent_at, abs=30)


async def test_our_own_receiver_finds_it_genuine(client: httpx.AsyncClient) -> None:
    received: list[Received] = []
    server = InProcessServer(Receiver([NEW_KEY], received.append).app(), "127.0.0.1", 0)
    host, port = await server.start()
    try:
        await deliver(client, f"http://{host}:{port}/", keys=(NEW_KEY, OLD_KEY))
    finally:
        await server.stop()
    assert [(each.problem, each.status) for each in received] == [(None, 200)]
    assert received[0].event == json.loads(EVENT.body())


@pytest.fixture
def log_output() -> Iterator[list[Any]]:
    with structlog.testing.capture_logs() as captured:
        yield captured


def verify_off_the_shelf(key: bytes, request: Request) -> None:
    Webhook(base64.b64encode(key).decode()).verify(request.body, dict(request.headers))


async def test_an_off_the_shelf_verifier_takes_both_keys_during_a_rotation(
    client: httpx.AsyncClient,
) -> None:
    async with scripted() as receiver:
        await deliver(client, receiver.url, keys=(NEW_KEY, OLD_KEY))
    (request,) = receiver.requests
    verify_off_the_shelf(NEW_KEY, request)
    verify_off_the_shelf(OLD_KEY, request)
    plain = {
        "timestamp": request.headers["x-timestamp"],
        "body": request.body,
        "signature": request.headers["x-signature-256"],
    }
    assert is_signed([NEW_KEY], **plain)  # type: ignore[arg-type]
    assert not is_signed([OLD_KEY], **plain)  # type: ignore[arg-type]


async def test_every_attempt_sends_the_same_body(client: httpx.AsyncClient) -> None:
    async with scripted(Answer(500), Answer(503), Answer(200)) as receiver:
        for attempt in (1, 2):
            await refused(client, receiver.url, attempt=attempt)
        delivered = await deliver(client, receiver.url, attempt=3)
    assert {request.body for request in receiver.requests} == {EVENT.body()}
    assert {request.headers["webhook-id"] for request in receiver.requests} == {"evt-1"}
    assert delivered.attempts == 3


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
async def test_any_2xx_is_success(client: httpx.AsyncClient, status: int) -> None:
    async with scripted(Answer(status)) as receiver:
        await deliver(client, receiver.url)


@pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 404, 409, 429, 500, 502, 503])
async def test_another_status_is_tried_again(client: httpx.AsyncClient, status: int) -> None:
    elsewhere = {"Location": "/elsewhere"} if status < 400 else {}
    async with scripted(Answer(status, elsewhere)) as receiver:
        error = await refused(client, receiver.url)
    assert len(receiver.requests) == 1
    assert (error.non_retryable, error.next_retry_delay) == (False, timedelta(seconds=1))
    assert str(status) in error.message


async def test_gone_is_final_at_once(client: httpx.AsyncClient) -> None:
    async with scripted(Answer(410)) as receiver:
        error = await refused(client, receiver.url)
    assert (error.non_retryable, error.next_retry_delay) == (True, None)


@pytest.mark.parametrize(
    ("attempt", "is_final", "delay_sec"),
    [(1, False, 1), (2, False, 2), (3, False, 4), (4, True, None), (5, True, None)],
)
async def test_waits_grow_and_the_last_attempt_is_final(
    client: httpx.AsyncClient, attempt: int, is_final: bool, delay_sec: float | None
) -> None:
    async with scripted(Answer(500)) as receiver:
        error = await refused(client, receiver.url, attempt=attempt)
    delay = None if delay_sec is None else timedelta(seconds=delay_sec)
    assert (error.non_retryable, error.next_retry_delay) == (is_final, delay)


@pytest.mark.parametrize(
    ("header", "least_sec", "most_sec"),
    [
        pytest.param("7", 7, 7, id="seconds"),
        pytest.param("86400", 60, 60, id="more than the cap"),
        pytest.param("0", 1, 1, id="less than the own wait"),
        pytest.param("soon", 1, 1, id="nonsense"),
        pytest.param("-5", 1, 1, id="negative"),
        pytest.param(
            format_datetime(datetime.now(UTC) + timedelta(days=1), usegmt=True), 60, 60, id="date"
        ),
        pytest.param("Thu, 01 Jan 1970 00:00:00 GMT", 1, 1, id="a date that is past"),
    ],
)
async def test_retry_after_is_honoured_up_to_the_cap(
    client: httpx.AsyncClient, header: str, least_sec: float, most_sec: float
) -> None:
    async with scripted(Answer(503, {"Retry-After": header})) as receiver:
        error = await refused(client, receiver.url)
    assert error.next_retry_delay is not None
    assert least_sec <= error.next_retry_delay.total_seconds() <= most_sec


async def test_an_attempt_whose_worker_was_lost_does_not_count(client: httpx.AsyncClient) -> None:
    beats: list[object] = []
    async with scripted(Answer(500)) as receiver:
        error = await refused(client, receiver.url, attempt=6, failed=2, beats=beats)
    assert (error.non_retryable, error.next_retry_delay) == (False, timedelta(seconds=4))
    assert beats == [(3, 0)]


@pytest.mark.parametrize(
    ("status", "attempt", "counted"),
    [
        pytest.param(200, 1, ("delivered", None), id="delivered"),
        pytest.param(302, 1, ("http_3xx", 1.0), id="redirected"),
        pytest.param(429, 2, ("http_4xx", 2.0), id="refused"),
        pytest.param(410, 1, ("http_4xx", None), id="gone"),
        pytest.param(500, 4, ("http_5xx", None), id="given up"),
    ],
)
async def test_each_attempt_is_counted_by_its_outcome(
    client: httpx.AsyncClient, status: int, attempt: int, counted: tuple[str, float | None]
) -> None:
    meter = Meter()
    async with scripted(Answer(status)) as receiver:
        with contextlib.suppress(ApplicationError):
            await deliver(client, receiver.url, attempt=attempt, meter=meter)
    assert (meter.begun, meter.counted) == (["evt-1"], [counted])


@pytest.mark.parametrize("location", ["https://xn--a/", "https://[", "http://h:" + "9" * 5000])
async def test_where_a_receiver_redirects_to_is_not_read(
    client: httpx.AsyncClient, location: str
) -> None:
    async with scripted(Answer(302, {"location": location})) as receiver:
        error = await refused(client, receiver.url)
    assert error.message == "the receiver answered with HTTP status 302"
    assert not error.non_retryable


async def test_an_attempt_that_fails_unexpectedly_counts(client: httpx.AsyncClient) -> None:
    """Without a key nothing can be signed: no setting allows that."""
    meter = Meter()
    async with scripted(Answer(200)) as receiver:
        for attempt in (1, 4):
            error = await refused(client, receiver.url, attempt=attempt, keys=(), meter=meter)
            assert error.message.startswith("the attempt failed unexpectedly (")
            assert error.non_retryable is (attempt == 4)
    assert meter.counted == [("unexpected", 1.0), ("unexpected", None)]


async def test_the_log_has_neither_body_nor_url(
    client: httpx.AsyncClient, log_output: list[dict[str, Any]]
) -> None:
    async with scripted(Answer(500), Answer(200)) as receiver:
        url = f"{receiver.url}/hook-secret?token=secret"
        await refused(client, url)
        await deliver(client, url, attempt=2)
    failed, delivered = (line for line in log_output if line["event"].startswith("webhook"))
    assert (failed["event"], failed["outcome"], failed["again_in_sec"]) == (
        "webhook failed",
        "http_5xx",
        1.0,
    )
    assert (delivered["event"], delivered["attempt"]) == ("webhook delivered", 2)
    text = json.dumps(log_output)
    assert "secret" not in text
    assert "Gr" not in text


async def test_an_answer_that_never_comes_is_a_failure(client: httpx.AsyncClient) -> None:
    client.timeout = httpx.Timeout(0.3)
    async with scripted(Answer(hangs=True)) as receiver:
        error = await refused(client, receiver.url)
    assert not error.non_retryable
    assert "in time" in error.message


async def test_of_an_endless_answer_only_the_beginning_is_read(client: httpx.AsyncClient) -> None:
    async with scripted(Answer(200, is_endless=True)) as receiver:
        await deliver(client, receiver.url)


async def test_the_status_is_the_answer_whatever_becomes_of_the_body(
    client: httpx.AsyncClient,
) -> None:
    client.timeout = httpx.Timeout(0.3)
    async with scripted(Answer(200, stands_still=True)) as receiver:
        await deliver(client, receiver.url)
    async with scripted(Answer(410, stands_still=True)) as receiver:
        assert (await refused(client, receiver.url)).non_retryable


async def test_a_receiver_that_is_down_is_tried_again(client: httpx.AsyncClient) -> None:
    async with scripted() as receiver:
        pass
    error = await refused(client, receiver.url)
    assert not error.non_retryable


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/hook",
        "http://10.0.0.7/hook",
        "http://[::1]/hook",
        "http://169.254.169.254/latest",
        "http://user:secret@93.184.216.34/hook",
        "ftp://93.184.216.34/hook",
    ],
)
async def test_a_refused_address_is_final_and_tells_nothing(url: str) -> None:
    async with webhook_client(OutboundGuard(allow_private_networks=False)) as guarded:
        error = await refused(guarded, url)
    assert error.non_retryable
    assert error.message == "the address is not allowed"


async def test_the_link_to_evidence_is_signed_and_the_same_each_time(
    client: httpx.AsyncClient,
) -> None:
    item = EvidenceItem(EvidenceKind.PICTURE, EvidenceMoment.FIRST_FAULTY)
    path = evidence_path(item.id_of("inc-5a9be5a8-4b5c-5a59-9f4f-3a3c0d8d2f10", EVENT.timestamp))
    event = EVENT.model_copy(update={"data": {"evidence_url": path, "duration_sec": 30.0}})
    async with scripted(Answer(200)) as receiver:
        for attempt in (1, 2):
            await deliver(client, receiver.url, event=event, attempt=attempt)
    first, second = (request.body for request in receiver.requests)
    assert first == second == LINKS.event(event).body()
    assert json.loads(first)["data"]["evidence_url"].startswith(f"https://streams.example{path}?")
