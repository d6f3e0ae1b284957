"""The worker of a delivery is missed soon when it is lost, and its attempt is not cut off."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from temporalio.activity import ActivityCancellationDetails
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.destination_client import DestinationClient
from activities.destination_declarations import (
    DestinationSecrets,
    NotificationOrder,
    NotificationOutcome,
    NotifyInput,
    Retry,
)
from activities.notify_destination import DestinationNotifier, Senders
from monitors.delivery import DeliveryPolicy, Failure
from notifications.notification import DestinationType, Notification
from notifications.sending import Outcome, Sent
from notifications.webhook import WebhookSender
from tests.activities.scripted_http import Answer, scripted
from tests.notifications.samples import notification

INPUT = NotifyInput(destination_id="dst-1", delivery_id=7)
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
    environment.info = dataclasses.replace(environment.info, heartbeat_details=[1, 2])
    environment.on_heartbeat = note
    async with delivering(environment, sender) as delivery:
        with pytest.raises(ApplicationError, match="busy"):
            await delivery
    # The last one is of the attempt itself: one more failed.
    assert beats == [(1, 2), (2, 2)]


async def test_an_attempt_under_way_is_finished_when_the_destination_changes() -> None:
    environment, sender = ActivityEnvironment(), SlowSender(Sent.DELIVERED)
    async with delivering(environment, sender) as delivery:
        await sender.is_sending.wait()
        environment.cancel(ActivityCancellationDetails(cancel_requested=True))
        await asyncio.sleep(0)
        sender.may_end.set()
        assert (await delivery).outcome == "delivered"


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
    environment: ActivityEnvironment, sender: SlowSender
) -> AsyncIterator[asyncio.Task[NotificationOutcome]]:
    """Yield the delivery of `ORDER` by `sender`, which is under way."""
    body = ORDER.model_dump_json().encode()
    async with (
        scripted(Answer(body=body)) as gateway,
        httpx.AsyncClient(base_url=gateway.url, trust_env=False) as client,
    ):
        senders = Senders(WebhookSender(client, "tests"), {DestinationType.APPRISE: sender})
        notifier = DestinationNotifier(DestinationClient(client), senders, DeliveryPolicy())
        activity = environment.run(notifier.deliver_notification, INPUT)
        yield asyncio.ensure_future(activity)
        await notifier.close()
