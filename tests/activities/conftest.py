"""Fixtures of the activities' tests."""

from collections.abc import AsyncIterator

import httpx
import pytest

from media.outbound.client import webhook_client
from media.outbound.guard import OutboundGuard


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with webhook_client(OutboundGuard(allow_private_networks=True)) as opened:
        yield opened
