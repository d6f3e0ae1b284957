"""A short version of `python -m benchmarks.hostile`."""

import asyncio
import os

import pytest

from benchmarks.hostile.run import MOST_GROWTH_MIB, Outcome, Scale, run
from runtime.serving import new_event_loop
from tests.testkit.environment import open_environment

pytestmark = [
    pytest.mark.timeout(400),
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root, for a DNS server of its own"),
]


SCALE = Scale(streams=3, alone_sec=0.0, beside_sec=32.0, faults_every_sec=20.0)


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """Three streams with a fault of each kind beside everything that is hostile."""

    async def scenario() -> Outcome:
        async with open_environment(tmp_path_factory.mktemp("strangers"), seed=1) as env:
            return await run(env, SCALE)

    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return runner.run(scenario())


def test_healthy_streams_are_watched_as_without_strangers(seen: Outcome) -> None:
    assert seen.wrong == []
    assert seen.lost == 0


def test_no_process_grows(seen: Outcome) -> None:
    assert max(seen.growth.grown.values()) < MOST_GROWTH_MIB


def test_no_request_fails_the_gateway(seen: Outcome) -> None:
    assert seen.failures == []


def test_no_workflow_is_left(seen: Outcome) -> None:
    assert seen.running == []
