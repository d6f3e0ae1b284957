"""Short versions of `python -m benchmarks.delay` and `python -m benchmarks.scale`."""

import asyncio
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from benchmarks.delay.__main__ import play
from benchmarks.delay.printing import Played, print_played
from benchmarks.delay.script import EVENT_TYPES, Script
from benchmarks.scale.experiment import Load, LoadResult, run_load
from benchmarks.scale.printing import print_result
from tests.testkit.postgres import postgres_server
from tests.testkit.scenario_runner import ScenarioRunner

pytestmark = pytest.mark.timeout(240)

MONITORS = 3


@dataclass(frozen=True)
class Benchmarks:
    """What they measured."""

    played: Played
    crowd: LoadResult


async def SCENARIO(runner: ScenarioRunner) -> Benchmarks:  # noqa: N802
    """Play one cycle of faults on one stream, and watch a few streams without media."""
    return Benchmarks(*await asyncio.gather(_delay(runner), _scale(runner)))


async def _delay(runner: ScenarioRunner) -> Played:
    env = runner.environment("delay")
    harness = await runner.harness()
    return await play(env, harness.rest, Script(segment_sec=2.0, cycles=1), streams=1)


async def _scale(runner: ScenarioRunner) -> LoadResult:
    folder = runner.folder / "scale"
    folder.mkdir()
    load = Load(
        monitors=MONITORS,
        minutes=0.3,
        heartbeat_sec=1,
        timeout_sec=60,
        report_sec=10,
        faults_per_hour=600,
    )
    with ExitStack() as stack:
        postgres = await asyncio.to_thread(stack.enter_context, postgres_server())
        return await run_load(folder, f"{postgres.url}/postgres", load)


def test_each_kind_of_incident_is_told_once_with_its_beginning(seen: Benchmarks) -> None:
    scoreboard = seen.played.scoreboard
    told = [each.moment.event_type for each in scoreboard.told]
    assert sorted(told) == sorted(name for names in EVENT_TYPES.values() for name in names)
    assert [*scoreboard.missed, *scoreboard.doubled, *scoreboard.false] == []
    of_media = [each for each in scoreboard.told if each.moment.is_of_media]
    assert not any(each.has_wrong_start for each in of_media), of_media


def test_delays_are_printed_beside_those_of_looks_every_10_s(
    seen: Benchmarks, capsys: pytest.CaptureFixture[str]
) -> None:
    print_played(seen.played)
    printed = capsys.readouterr().out
    assert "ratio of p95" in printed
    assert "0 missed, 0 doubled, 0 false" in printed


def test_monitors_without_media_are_watched_and_their_events_delivered(seen: Benchmarks) -> None:
    # While other scenarios keep Temporal busy, a creation may be refused.
    assert seen.crowd.watched == MONITORS - seen.crowd.refused > 0
    assert not seen.crowd.silent
    assert seen.crowd.webhooks > 0


def test_what_they_take_is_printed(seen: Benchmarks, capsys: pytest.CaptureFixture[str]) -> None:
    print_result(seen.crowd)
    printed = capsys.readouterr().out
    assert "rows written" in printed
    assert "10000 monitors by these figures" in printed
    before, after = seen.crowd.samples[2:]
    assert after.rows > before.rows
    assert seen.crowd.histories[1].events > 0
