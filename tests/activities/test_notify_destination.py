"""The worker of a delivery is missed soon when it is lost, and its attempt is not cut off."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from pydantic import SecretStr
from temporalio.activity import ActivityCancellationDetails
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.destination_declarations import (
    DestinationSecrets,
    NextInput,
    NextResult,
    NotificationOrder,
    Retry,
    ServeInput,
    ServeResult,
)
from activities.gateway_client import GatewayClient
from activities.notify_destination import DestinationNotifier, Senders
from monitors.delivery import DeliveryPolicy, Failure
from notifications.notification import DestinationType, Notification
from notifications.sending import Outcome, Sent
from notifications.webhook import WebhookSender
from tests.activities.scripted_http import Answer, Request, scripted
from tests.notifications.samples import notification

INPUT = ServeInput(destination_id="dst-1", hand_back=True)
ORDER = NotificationOrder(
    type=DestinationType.APPRISE,
    secrets=DestinationSecrets(url="json://service.example"),
    retry=Retry.SHORT,
    notification=notification(),
    attempts=2,
)


class SlowSender:
    """Takes a notification when it is let to."""

    def __init__(self, outcome: Outcome) -> None:
        self.is_sending = asyncio.Event()
        self.may_end = asyncio.Event()
        self.was_cut_off = False
        self._outcome = outcome

    async def send(self, url: str, notification: Notification) -> Outcome:
        self.is_sending.set()
        try:
            await self.may_end.wait()
        except asyncio.CancelledError:
            self.was_cut_off = True
            raise
        return self._outcome


async def test_a_slow_attempt_sends_heartbeats_that_keep_the_count() -> None:
    sender = SlowSender(Failure("busy", "the service is busy"))
    beats: list[tuple[Any, ...]] = []

    def note(*details: Any) -> None:
        beats.append(details)
        sender.may_end.set()

    environment = ActivityEnvironment()
    environment.info = dataclasses.replace(environment.info, heartbeat_details=[7, 1, 2])
    environment.on_heartbeat = note
    async with delivering(environment, sender) as delivery:
        with pytest.raises(ApplicationError, match="busy"):
            await delivery
    # The last one is of the attempt itself: one more failed.
    assert beats == [(7, 1, 2), (7, 2, 2)]


async def test_an_attempt_under_way_is_finished_when_the_destination_changes() -> None:
    environment, sender = ActivityEnvironment(), SlowSender(Sent.DELIVERED)
    async with delivering(environment, sender) as delivery:
        await sender.is_sending.wait()
        environment.cancel(ActivityCancellationDetails(cancel_requested=True))
        await asyncio.sleep(0)
        sender.may_end.set()
        assert await delivery == ServeResult(wait_sec=9)


async def test_what_was_sent_is_not_sent_again_when_the_gateway_does_not_take_that() -> None:
    environment, sender = ActivityEnvironment(), SlowSender(Sent.DELIVERED)
    sender.may_end.set()
    async with delivering(environment, sender, is_settled=False) as delivery:
        settled = (await delivery).settled
    assert settled
    assert (settled.delivery_id, settled.outcome, settled.attempts) == (7, "delivered", 3)


async def test_each_attempt_asks_again_and_hands_back_once() -> None:
    environment, sender = ActivityEnvironment(), SlowSender(Failure("busy", "busy"))
    sender.may_end.set()
    for details, is_handed_back in (([], True), ([7, 1, 2], False)):
        environment.info = dataclasses.replace(environment.info, heartbeat_details=details)
        asked: list[Request] = []
        async with delivering(environment, sender, asked=asked) as delivery:
            with pytest.raises(ApplicationError, match="busy"):
                await delivery
        assert NextInput.model_validate_json(asked[0].body).hand_back is is_handed_back


async def test_an_attempt_is_cut_off_when_its_worker_stops() -> None:
    environment, sender = ActivityEnvironment(), SlowSender(Sent.DELIVERED)
    async with delivering(environment, sender) as delivery:
        await sender.is_sending.wait()
        environment.cancel(ActivityCancellationDetails(worker_shutdown=True))
        with pytest.raises(asyncio.CancelledError):
            await delivery
    assert sender.was_cut_off


@asynccontextmanager
async def delivering(
    environment: ActivityEnvironment,
    sender: SlowSender,
    *,
    is_settled: bool = True,
    asked: list[Request] | None = None,
) -> AsyncIterator[asyncio.Task[ServeResult]]:
    """Yield the delivery of `ORDER` by `sender`, which is under way."""
    due, after = NextResult(delivery_id=7), NextResult(wait_sec=9)
    answers = [
        Answer(body=due.model_dump_json().encode()),
        Answer(body=ORDER.model_dump_json().encode()),
        Answer(status=200 if is_settled else 503, body=after.model_dump_json().encode()),
    ]
    async with scripted(*answers) as gateway:
        client = GatewayClient(gateway.url, SecretStr("internal-key"))
        senders = Senders(
            WebhookSender(client.http, "tests"), {DestinationType.APPRISE: sender.send}
        )
        notifier = DestinationNotifier(client, senders, DeliveryPolicy())
        activity = environment.run(notifier.serve_destination, INPUT)
        yield asyncio.ensure_future(activity)
        await notifier.close()
        await client.close()
        if asked is not None:
            asked.extend(gateway.requests)
