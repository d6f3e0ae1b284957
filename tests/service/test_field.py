"""A short version of `python -m benchmarks.field`: one live source of each kind of manifest."""

from collections.abc import Sequence

import pytest

from benchmarks.field.recipes import RECIPES
from benchmarks.field.run import Gallery, watch_all
from benchmarks.field.server import serve_files
from benchmarks.field.verdict import Verdict
from tests.testkit.scenario_runner import ScenarioRunner

pytestmark = pytest.mark.timeout(240)

NAMES = (
    "hls: plain",
    "hls: one file with byte ranges",
    "hls: fMP4, sound apart",
    "dash: timeline",
    "dash: by the clock",
)


async def SCENARIO(runner: ScenarioRunner) -> Sequence[Verdict]:  # noqa: N802
    """Have ffmpeg pack the same programme in several ways, live, and watch all of them."""
    folder = runner.folder / "field"
    folder.mkdir()
    harness = await runner.harness()
    async with serve_files(folder) as server:
        gallery = Gallery(folder, runner.cache / "field", server, runner.receiver, harness.rest)
        return await watch_all(gallery, [each for each in RECIPES if each.name in NAMES])


@pytest.mark.parametrize("name", [pytest.param(name, id=name) for name in NAMES])
def test_a_source_is_watched_as_its_programme_says(seen: Sequence[Verdict], name: str) -> None:
    verdict = next(each for each in seen if each.source == name)
    assert verdict.faults == []
