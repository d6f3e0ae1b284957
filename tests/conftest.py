"""Which tests share a process when the suite runs in parallel."""

from pathlib import Path

import pytest

TESTS = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep each file together, and all that runs whole services: these share one stage."""
    for item in items:
        path = item.path.relative_to(TESTS)
        services = path.parts[0] in ("service", "youtube_service")
        item.add_marker(pytest.mark.xdist_group("services" if services else str(path)))
