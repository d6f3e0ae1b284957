"""A Kubernetes API over HTTP, and the real client of it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from kubernetes.aio.client import ApiClient, Configuration

from kube.cluster import SILENCE_SEC, PodCluster
from tests.testkit.fake_kube_api import FakeApi, fake_api
from tests.testkit.pod_states import TEMPLATE


@pytest.fixture
async def served() -> AsyncIterator[tuple[FakeApi, str]]:
    async with fake_api() as served:
        yield served


@pytest.fixture
def api(served: tuple[FakeApi, str]) -> FakeApi:
    return served[0]


@pytest.fixture
async def cluster(served: tuple[FakeApi, str]) -> AsyncIterator[PodCluster]:
    async with pod_cluster(served[1]) as cluster:
        yield cluster


@asynccontextmanager
async def pod_cluster(url: str, *, silence_sec: float = SILENCE_SEC) -> AsyncIterator[PodCluster]:
    """Return what speaks with the API at `url`."""
    configuration = Configuration(host=url)
    start_timeout = timedelta(seconds=60)
    async with ApiClient(configuration) as client:
        yield PodCluster(client, TEMPLATE, start_timeout=start_timeout, silence_sec=silence_sec)
