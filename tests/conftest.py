"""The order of the tests."""

from collections.abc import Sequence
from pathlib import Path

import pytest

HERE = Path(__file__).parent
WAITING = tuple(HERE / name for name in ("media/watching", "workflows", "activities", "api"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the tests that wait for streams and servers.

    Several processes share the files in this order. A long file that came last would keep one of
    them busy alone.
    """
    items.sort(key=lambda item: _rank(item.path, WAITING))


def _rank(path: Path, first: Sequence[Path]) -> int:
    return next((number for number, room in enumerate(first) if room in path.parents), len(first))
