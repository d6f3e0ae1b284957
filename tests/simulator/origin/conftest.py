"""A running origin on a clock that stands still, and tiny programmes."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from simulator.origin import TINY, Container, LiveOrigin, ManualClock, Programme, render
from simulator.origin.render import RenderedProgramme

SCENES = (("normal", 2.5), ("black", 3.0), ("silent", 2.5))


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("programmes")


@pytest.fixture(scope="session")
def tiny(cache: Path) -> RenderedProgramme:
    """Eight segments of one second."""
    return render(Programme.of(SCENES, TINY), cache)


@pytest.fixture(scope="session")
def tiny_fmp4(cache: Path) -> RenderedProgramme:
    encoding = TINY.model_copy(update={"container": Container.FMP4})
    return render(Programme.of(SCENES, encoding), cache)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def origin(clock: ManualClock) -> AsyncIterator[LiveOrigin]:
    async with LiveOrigin(clock=clock) as running:
        yield running


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=5, trust_env=False) as http:
        yield http
