from collections.abc import AsyncIterator
from functools import partial

import pytest
import pytest_asyncio

from media.decoding.probe import Probe
from tests.testkit.engines import Engine, OpenProbe, opened


@pytest.fixture(scope="module", params=list(Engine))
def open_probe(request: pytest.FixtureRequest) -> OpenProbe:
    return partial(opened, request.param)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def probe(open_probe: OpenProbe) -> AsyncIterator[Probe]:
    """One for all tests of a module, which run on its event loop: starting decoders takes time."""
    async with open_probe() as opened_probe:
        yield opened_probe
