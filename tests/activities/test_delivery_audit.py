"""The gateway learns of attempts and outcomes, and holds up nothing."""

import json
from datetime import timedelta

import httpx
import pytest
from pydantic import SecretStr
from temporalio.exceptions import ApplicationError

from activities.declarations import DeliveryAttempts, DeliveryResult
from activities.delivery_audit import AttemptAudit
from activities.gateway_client import GatewayClient
from tests.activities.delivering import EVENT, deliver, refused
from tests.activities.scripted_http import Answer, scripted
from tests.testkit.waiting import until_true


async def test_the_audit_sees_each_failed_attempt(client: httpx.AsyncClient) -> None:
    async with scripted(Answer(503)) as receiver, scripted(Answer(204)) as gateway:
        await refused(client, receiver.url, attempt=2, gateway_url=gateway.url)
    (told,) = gateway.requests
    assert told.path == "/internal/v1/monitors/mon-1/events/evt-1"
    report = json.loads(told.body)
    assert (report["webhook_status"], report["webhook_attempts"]) == ("pending", 2)
    assert report["webhook_last_error"] == "the receiver answered with HTTP status 503"


@pytest.mark.parametrize(("answer", "is_reported"), [(204, True), (503, False), (404, False)])
@pytest.mark.parametrize(("status", "outcome"), [(200, "sent"), (503, "failed")])
async def test_an_outcome_is_reported_or_left_to_the_workflow_to_report(
    client: httpx.AsyncClient, answer: int, is_reported: bool, status: int, outcome: str
) -> None:
    known: DeliveryResult | DeliveryAttempts
    async with scripted(Answer(status)) as receiver, scripted(Answer(answer)) as gateway:
        try:
            known = await deliver(client, receiver.url, attempt=4, gateway_url=gateway.url)
        except ApplicationError as error:
            known = error.details[0]
    assert (known.attempts, known.is_reported) == (4, is_reported)
    (report,) = [json.loads(each.body) for each in gateway.requests]
    assert (report["webhook_status"], report["webhook_attempts"]) == (outcome, 4)


async def test_a_gateway_that_hangs_does_not_hold_up_an_outcome_for_long(
    client: httpx.AsyncClient,
) -> None:
    async with scripted(Answer(200)) as receiver, scripted(Answer(hangs=True)) as gateway:
        delivered = await deliver(client, receiver.url, gateway_url=gateway.url)
    assert not delivered.is_reported


async def test_an_event_whose_receiver_is_slow_is_known_before_it_has_an_outcome() -> None:
    async with scripted(Answer(204)) as gateway:
        reports = GatewayClient(gateway.url, SecretStr("internal-key"))
        audit = AttemptAudit(reports, slow_sec=0.01)
        async with audit.on_its_way(EVENT):
            await until_true(lambda: bool(gateway.requests), "the event is reported")
        await audit.close()
        await reports.close()
    report = json.loads(gateway.requests[0].body)
    assert (report["webhook_status"], report["webhook_attempts"]) == ("pending", 0)


async def test_a_gateway_that_refuses_changes_nothing(client: httpx.AsyncClient) -> None:
    async with scripted(Answer(503)) as receiver, scripted(Answer(404)) as gateway:
        error = await refused(client, receiver.url, gateway_url=gateway.url)
    assert len(gateway.requests) == 1
    assert error.next_retry_delay == timedelta(seconds=1)
