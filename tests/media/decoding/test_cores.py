"""Cores that a process may use, by what Linux says of its control group."""

import os
from pathlib import Path

import pytest

from media.decoding.limits import probes_at_once, usable_cores

ALL = len(os.sched_getaffinity(0))


def in_groups(folder: Path, path: str, quotas: dict[str, str]) -> int:
    """Ask as a process in group `path`, where these groups have these `cpu.max`."""
    groups, own = folder / "cgroup", folder / "own"
    own.write_text(f"3:cpuset:/other\n0::{path}\n")
    for group, quota in quotas.items():
        (groups / group).mkdir(parents=True, exist_ok=True)
        (groups / group / "cpu.max").write_text(quota + "\n")
    return usable_cores(groups, own)


@pytest.mark.parametrize(
    ("path", "quotas", "cores"),
    [
        pytest.param("/", {}, ALL, id="no quota"),
        pytest.param("/", {"": "max 100000"}, ALL, id="none was set"),
        pytest.param("/", {"": "100000 100000"}, 1, id="one core, inside of a container"),
        pytest.param("/", {"": "25000 100000"}, 1, id="a part of one"),
        pytest.param("/a/b", {"a/b": "max 100000", "a": "100000 100000"}, 1, id="of a parent"),
        pytest.param("/a", {"a": "100000 100000", "other": "1 1"}, 1, id="another's says nothing"),
        pytest.param("/", {"": f"{ALL * 1000_000} 100000"}, ALL, id="more than there are"),
        pytest.param("/", {"": "what?"}, ALL, id="unreadable"),
    ],
)
def test_a_quota_counts_in_whole_cores(
    tmp_path: Path, path: str, quotas: dict[str, str], cores: int
) -> None:
    assert in_groups(tmp_path, path, quotas) == cores


@pytest.mark.parametrize(("quota", "cores"), [("-1", ALL), ("100000", 1), ("50000", 1)])
def test_a_quota_of_version_1_counts_in_a_container(tmp_path: Path, quota: str, cores: int) -> None:
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu" / "cpu.cfs_quota_us").write_text(quota + "\n")
    (tmp_path / "cpu" / "cpu.cfs_period_us").write_text("100000\n")
    (tmp_path / "own").write_text("1:cpu:/docker/0123\n")
    assert usable_cores(tmp_path, tmp_path / "own") == cores


def test_without_control_groups_it_is_what_the_process_may_run_on(tmp_path: Path) -> None:
    assert usable_cores(tmp_path / "none", tmp_path / "none") == ALL


@pytest.mark.skipif(ALL < 2, reason="needs two cores")
def test_a_cpu_set_counts() -> None:
    everywhere = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(everywhere)})
    try:
        assert usable_cores() == 1
    finally:
        os.sched_setaffinity(0, everywhere)


@pytest.mark.parametrize(("wanted", "at_once"), [(1, 2), (2, 2), (7, 7)])
def test_one_slow_segment_leaves_a_turn_for_the_others(wanted: int, at_once: int) -> None:
    assert probes_at_once(wanted) == at_once
    assert probes_at_once() >= 2
