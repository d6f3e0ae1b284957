"""One attempt of a webhook is one request, signed, bounded, and its failure says what is next."""

import base64
import dataclasses
import json
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest
from standardwebhooks.webhooks import Webhook
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.declarations import Delivered, DeliveryAttempts, DeliveryOrder
from activities.deliver_webhook import WebhookDelivery
from media.outbound.client import webhook_client
from media.outbound.guard import OutboundGuard
from monitors.delivery import DeliveryPolicy
from monitors.events import EventType, StreamEvent
from monitors.signing import is_signed
from tests.activities.scripted_http import Answer, Request, scripted
from tests.origin.server import InProcessServer
from worker.receiver import Received, Receiver

NEW_KEY, OLD_KEY = b"new-key-of-more-than-24-bytes", b"old-key-of-more-than-24-bytes"
EVENT = StreamEvent(
    event_id="evt-1",
    event_type=EventType.BLACKOUT,
    monitor_id="mon-1",
    stream_url="https://example.com/live.m3u8",
    timestamp=datetime(2026, 5, 1, 12, 0, 0, 123_000, UTC),
    sequence=3,
    data={"duration_sec": 30.0},
    metadata={"name": "Grüße 🎥"},
)
FLAT = DeliveryPolicy(jitter=0)


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with webhook_client(OutboundGuard(allow_private_networks=True)) as opened:
        yield opened


async def deliver(
    client: httpx.AsyncClient,
    url: str,
    *,
    attempt: int = 1,
    keys: Sequence[bytes] = (NEW_KEY,),
    policy: DeliveryPolicy = FLAT,
) -> Delivered:
    delivery = WebhookDelivery(client, signing_keys=keys, policy=policy, user_agent="tracker/9")
    environment = ActivityEnvironment()
    environment.info = dataclasses.replace(environment.info, attempt=attempt)
    return await environment.run(delivery.deliver, DeliveryOrder(callback_url=url, event=EVENT))


async def refused(
    client: httpx.AsyncClient, url: str, *, attempt: int = 1, policy: DeliveryPolicy = FLAT
) -> ApplicationError:
    with pytest.raises(ApplicationError) as failure:
        await deliver(client, url, attempt=attempt, policy=policy)
    error = failure.value
    assert error.type == "DeliveryFailed"
    (attempts,) = error.details
    assert attempts == DeliveryAttempts(attempts=attempt, error=error.message)
    return error


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


async def test_an_answer_that_never_comes_is_a_failure(client: httpx.AsyncClient) -> None:
    client.timeout = httpx.Timeout(0.3)
    async with scripted(Answer(hangs=True)) as receiver:
        error = await refused(client, receiver.url)
    assert not error.non_retryable
    assert "in time" in error.message


async def test_of_an_endless_answer_only_the_beginning_is_read(client: httpx.AsyncClient) -> None:
    async with scripted(Answer(200, is_endless=True)) as receiver:
        await deliver(client, receiver.url)


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
