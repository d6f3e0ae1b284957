"""Temporal and the database are away for a while, a short version of `make chaos`'s outages."""

import asyncio
from contextlib import ExitStack
from dataclasses import dataclass

import httpx
import pytest

from tests.chaos.outages import TEMPORAL, OutageResult, postgres, run_outage
from tests.testkit.postgres import postgres_server
from tests.testkit.scenario_runner import ScenarioRunner

pytestmark = pytest.mark.timeout(240)

TEMPORAL_SEC = 25.0
"""Longer than its silence is taken for the death of a worker."""

DATABASE_SEC = 12.0
UNAVAILABLE = httpx.codes.SERVICE_UNAVAILABLE


@dataclass(frozen=True)
class Outages:
    """What was seen of each."""

    temporal: OutageResult
    database: OutageResult


async def SCENARIO(runner: ScenarioRunner) -> Outages:  # noqa: N802
    """Watch a stream with incidents through an outage of Temporal, then of PostgreSQL."""
    env = runner.environment("outages")
    with ExitStack() as stack:
        server = await asyncio.to_thread(stack.enter_context, postgres_server())
        url = f"{server.url}/postgres"
        async with env.harness("service", "all", DATABASE_URL=url) as harness:
            return Outages(
                temporal=await run_outage(env, harness, TEMPORAL, TEMPORAL_SEC, streams=1),
                database=await run_outage(env, harness, postgres(server), DATABASE_SEC, streams=1),
            )


@pytest.mark.parametrize("name", ["temporal", "database"])
def test_an_outage_is_told_to_clients_and_operators(seen: Outages, name: str) -> None:
    endured: OutageResult = getattr(seen, name)
    assert (endured.post, endured.readyz) == (UNAVAILABLE, UNAVAILABLE)


@pytest.mark.parametrize("name", ["temporal", "database"])
def test_after_an_outage_all_that_was_seen_is_told_once(seen: Outages, name: str) -> None:
    endured: OutageResult = getattr(seen, name)
    assert endured.wrong == {}
    assert endured.missed == 0


def test_webhooks_are_sent_while_the_database_is_away(seen: Outages) -> None:
    assert seen.database.meanwhile > 0
