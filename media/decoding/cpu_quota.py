"""How many cores this process may use."""

import math
import os
from pathlib import Path, PurePosixPath

CGROUPS = Path("/sys/fs/cgroup")
OWN_CGROUP = Path("/proc/self/cgroup")


def usable_cores(cgroups: Path = CGROUPS, own: Path = OWN_CGROUP) -> int:
    """Return the cores that this process may use: of the machine, of its CPU set, of its quota.

    A part of a core counts as one.

    Args:
        cgroups: where the control groups are mounted.
        own: says in which of them this process is.
    """
    path = _path(own)
    texts = [_text(cgroups / group / "cpu.max") for group in (path, *path.parents)]
    # Version 1 shows a container its own group as the outermost one.
    texts.append(
        " ".join(_text(cgroups / "cpu" / f"cpu.cfs_{it}_us") for it in ("quota", "period"))
    )
    return int(min([len(os.sched_getaffinity(0)), *map(_cores, texts)]))


def _cores(quota_and_period: str) -> float:
    """Return the cores that a group may use, without end where it has no quota.

    Source: the Linux kernel's documentation of control groups, cpu.max and cpu.cfs_quota_us.
    """
    try:
        quota, period = map(int, quota_and_period.split())
    except ValueError:  # "max", or none
        return math.inf
    return max(1, math.ceil(quota / period)) if quota > 0 < period else math.inf


def _text(file: Path) -> str:
    try:
        return file.read_text().strip()
    except OSError:
        return ""


def _path(own: Path) -> PurePosixPath:
    try:
        lines = own.read_text().splitlines()
    except OSError:
        lines = []
    ours = [line.removeprefix("0::/") for line in lines if line.startswith("0::/")]
    return PurePosixPath(ours[0] if ours else "")
