"""A stage for each test."""

from collections.abc import AsyncIterator

import pytest

from tests.workflows.stage import Stage, staged
from tests.workflows.world import World


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with staged(World()) as made:
        yield made


@pytest.fixture
def world(stage: Stage) -> World:
    return stage.world
