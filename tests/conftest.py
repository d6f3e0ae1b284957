"""The order of the tests, and which process runs them."""

import gc
from collections.abc import Sequence
from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController

HERE = Path(__file__).parent
ROOT = HERE.parent
WAITING = (
    "tests/media/watching",
    "tests/activities",
    "tests/workflows",
    "tests/worker",
    "tests/media/sources",
    "tests/media/outbound",
    "tests/kube",
)
"""Rooms whose tests wait for streams and servers; the others compute."""

LONGEST = (
    "tests/media/watching/test_youtube_stream.py",
    "tests/media/watching/test_other_renditions.py",
    "tests/media/watching",
    "tests/activities/test_watch_stream.py",
    "tests/workflows/test_pods.py",
    "tests/media/decoding",
    "tests/page",
    "tests/monitors/test_skimming.py",
    "tests/api",
    "tests/deploy",
)
"""They begin first: a long file that came last would keep one process busy alone."""

gc.set_threshold(20_000)  # with the usual 700 it took a fifth of the time


def pytest_collection_finish() -> None:
    """Spare the garbage collector what was imported and collected: it stays to the end."""
    gc.freeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: _rank(item.path.relative_to(ROOT).as_posix()))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadFileScheduling:
    return MixedScheduling(config, log)


class MixedScheduling(LoadFileScheduling):  # type: ignore[misc]
    """Files at a time to each process: to as many as there are processors those that compute.

    The others wait meanwhile. Who has none of its kind left takes what there is.
    """

    def _assign_work_unit(self, node: WorkerController) -> None:
        wanted = (file for file in self.workqueue if _is_in(file, WAITING) == _waits(node))
        if file := next(wanted, None):
            self.workqueue.move_to_end(file, last=False)
        super()._assign_work_unit(node)


COMPUTING = 2
"""Processes that compute; further ones wait."""


def _waits(node: WorkerController) -> bool:
    return int(node.gateway.id.removeprefix("gw")) >= COMPUTING


def _rank(path: str) -> int:
    return next((number for number, it in enumerate(LONGEST) if _is_in(path, (it,))), len(LONGEST))


def _is_in(path: str, rooms: Sequence[str]) -> bool:
    return any(path == room or path.startswith(f"{room}/") for room in rooms)
