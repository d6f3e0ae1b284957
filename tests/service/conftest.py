"""The stage on which the scenarios of the selected test modules play."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.testkit.stage import Stage


@pytest.fixture(scope="session")
def stage(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    items = (each for each in request.session.items if isinstance(each, pytest.Function))
    modules = dict.fromkeys(each.module for each in items)
    scenarios = [module.SCENARIO for module in modules if hasattr(module, "SCENARIO")]
    opened = Stage(tmp_path_factory.mktemp("stage"))
    opened.open(scenarios)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def seen(request: pytest.FixtureRequest, stage: Stage) -> Any:
    """What the module's scenario saw."""
    return stage.seen(request.module.SCENARIO)
