from collections.abc import AsyncIterator

import httpx
import pytest

from media.outbound.client import media_client
from media.outbound.guard import OutboundGuard
from tests.testkit.stand_ins import PUBLIC, Loopback, Names


@pytest.fixture
def network() -> Loopback:
    return Loopback()


@pytest.fixture
def names() -> Names:
    return Names(
        {
            "origin.example": [[PUBLIC]],
            "other.example": [[PUBLIC]],
            "inside.example": [["10.0.0.7"]],
            "mixed.example": [[PUBLIC, "127.0.0.1"]],
            "rebinding.example": [[PUBLIC], ["169.254.169.254"]],
        }
    )


@pytest.fixture
def guard(names: Names) -> OutboundGuard:
    return OutboundGuard(allow_private_networks=False, resolve=names)


@pytest.fixture
async def client(guard: OutboundGuard, network: Loopback) -> AsyncIterator[httpx.AsyncClient]:
    async with media_client(guard, network=network) as opened:
        yield opened
