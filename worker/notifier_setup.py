"""What a worker needs to tell destinations."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import httpx

from activities.gateway_client import GatewayClient
from activities.notify_destination import DestinationNotifier, Senders
from monitors.delivery import DeliveryPolicy
from notifications.alertmanager import send_to_alertmanager
from notifications.apprise import AppriseSender
from notifications.notification import DestinationType
from notifications.pagerduty import send_to_pagerduty
from notifications.webhook import WebhookSender
from runtime.settings import WorkerSettings
from runtime.version import USER_AGENT


@asynccontextmanager
async def destination_notifier(
    settings: WorkerSettings, webhooks: httpx.AsyncClient, gateway: GatewayClient
) -> AsyncIterator[DestinationNotifier]:
    """Make the activities of destinations; `webhooks` is the guarded client."""
    apprise = AppriseSender(
        allow_private_networks=settings.allow_private_networks,
        exempt=settings.webhook_private_hosts,
    )
    senders = Senders(
        webhook=WebhookSender(webhooks, USER_AGENT),
        others={
            DestinationType.APPRISE: apprise.send,
            DestinationType.PAGERDUTY: partial(send_to_pagerduty, webhooks),
            DestinationType.ALERTMANAGER: partial(send_to_alertmanager, webhooks),
        },
    )
    notifier = DestinationNotifier(gateway, senders, delivery_policy(settings))
    try:
        yield notifier
    finally:
        await notifier.close()
        await apprise.close()


def delivery_policy(settings: WorkerSettings) -> DeliveryPolicy:
    """Return how hard webhooks are tried."""
    return DeliveryPolicy(
        max_attempts=settings.webhook_max_attempts,
        base_sec=settings.webhook_backoff_base_sec,
        cap_sec=settings.webhook_backoff_cap_sec,
        retry_after_max_sec=settings.webhook_retry_after_max,
    )
