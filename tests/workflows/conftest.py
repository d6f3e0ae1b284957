"""A harness for each test."""

from collections.abc import AsyncIterator

import pytest

from tests.testkit.fake_activities import FakeActivities
from tests.testkit.workflow_harness import WorkflowHarness, open_workflow_harness


@pytest.fixture
async def harness() -> AsyncIterator[WorkflowHarness]:
    async with open_workflow_harness(FakeActivities()) as made:
        yield made


@pytest.fixture
def activities(harness: WorkflowHarness) -> FakeActivities:
    return harness.activities
