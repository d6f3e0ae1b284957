"""Webhooks of destinations that are refused."""

import httpx
import pytest
from starlette.responses import Response

from monitors.delivery import Failure
from notifications.webhook import SIGNED_BY, WebhookKeys, WebhookSender
from tests.notifications.http_service import HttpService
from tests.notifications.samples import notification

KEYS = WebhookKeys("whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=")


@pytest.mark.parametrize(("status", "is_hinted"), [(401, True), (403, False)])
async def test_who_finds_no_right_signature_may_verify_with_another_key(
    client: httpx.AsyncClient, service: HttpService, status: int, is_hinted: bool
) -> None:
    service.answer = lambda _: Response(status_code=status)
    url = f"http://127.0.0.1:{service.port}/"
    failure = await WebhookSender(client, "tests").send(url, notification(), event=None, keys=KEYS)
    assert isinstance(failure, Failure)
    assert not failure.is_final
    assert failure.message.startswith(f"the receiver answered with HTTP status {status}")
    assert (SIGNED_BY in failure.message) == is_hinted
