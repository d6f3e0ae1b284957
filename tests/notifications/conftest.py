from collections.abc import AsyncIterator

import httpx
import pytest

from media.outbound.client import webhook_client
from media.outbound.guard import OutboundGuard
from tests.notifications.http_service import HttpService, http_service


@pytest.fixture
async def service() -> AsyncIterator[HttpService]:
    async with http_service() as started:
        yield started


@pytest.fixture
async def client(service: HttpService) -> AsyncIterator[httpx.AsyncClient]:
    """Return the guarded client, which may reach `service` and nothing else on this machine."""
    guard = OutboundGuard(False, exempt=[("127.0.0.1", service.port)])
    async with webhook_client(guard) as opened:
        yield opened
