"""The runner on which the scenarios of the selected test modules play."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.testkit.scenario_runner import ScenarioRunner

LONGEST = (
    "test_networks",
    "test_embedded",
    "test_demo",
    "test_outages",
    "test_crashes",
    "test_chaos",
    "test_youtube",
    "test_chart",
    "test_pods",
    "test_benchmarks",
    "test_field",
    "test_from_post_to_webhook",
    "test_flapping",
)
"""Their scenarios begin first, the longest before the others: so no one plays alone at the end."""


def _rank(name: str) -> int:
    return LONGEST.index(name) if name in LONGEST else len(LONGEST)


@pytest.fixture(scope="session")
def runner(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ScenarioRunner]:
    items = (each for each in request.session.items if isinstance(each, pytest.Function))
    modules = dict.fromkeys(each.module for each in items)
    ordered = sorted(modules, key=lambda module: _rank(module.__name__.rpartition(".")[2]))
    scenarios = [module.SCENARIO for module in ordered if hasattr(module, "SCENARIO")]
    opened = ScenarioRunner(tmp_path_factory.mktemp("runner"))
    opened.open(scenarios)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def seen(request: pytest.FixtureRequest, runner: ScenarioRunner) -> Any:
    """What the module's scenario saw."""
    return runner.seen(request.module.SCENARIO)
