"""A Kubernetes API over HTTP, and the real client of it."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from kubernetes.aio.client import ApiClient, Configuration

from kube.cluster import PodCluster
from tests.kube.api import FakeApi, fake_api
from tests.kube.pods import TEMPLATE


@pytest.fixture
async def served() -> AsyncIterator[tuple[FakeApi, str]]:
    async with fake_api() as served:
        yield served


@pytest.fixture
def api(served: tuple[FakeApi, str]) -> FakeApi:
    return served[0]


@pytest.fixture
async def cluster(served: tuple[FakeApi, str]) -> AsyncIterator[PodCluster]:
    configuration = Configuration(host=served[1])
    async with ApiClient(configuration) as client:
        yield PodCluster(client, TEMPLATE, start_timeout=timedelta(seconds=60))
