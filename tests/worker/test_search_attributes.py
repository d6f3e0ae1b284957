"""The search attributes are registered on a real Temporal server, once."""

from collections.abc import Iterator

import pytest

from tests.testkit.temporal import connected, temporal_server
from worker.register_search_attributes import register
from workflows import search_attributes


@pytest.fixture
def address() -> Iterator[str]:
    with temporal_server(attributes=(search_attributes.STREAM_KEY.name,)) as where:
        yield where


async def test_what_is_missing_is_registered_once(address: str) -> None:
    client = await connected(address)
    names = [key.name for key in search_attributes.ALL]
    assert await register(client) == [name for name in names if name != "StreamKey"]
    assert await register(client) == []
