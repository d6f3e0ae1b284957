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
        cgroups: where the control groups are mounted (version 2; those of version 1 do not count).
        own: says in which of them this process is.
    """
    return min([len(os.sched_getaffinity(0)), *_quotas(cgroups, own)])


def _quotas(cgroups: Path, own: Path) -> list[int]:
    """Return the limits of our group and of those around it, as far as they have one.

    Source: the Linux kernel's cgroup-v2 documentation, cpu.max.
    """
    found = []
    path = _path(own)
    for group in (path, *path.parents):
        try:
            quota, period = (cgroups / group / "cpu.max").read_text().split()
        except (OSError, ValueError):
            continue
        if quota != "max":
            found.append(max(1, math.ceil(int(quota) / int(period))))
    return found


def _path(own: Path) -> PurePosixPath:
    try:
        lines = own.read_text().splitlines()
    except OSError:
        lines = []
    ours = [line.removeprefix("0::/") for line in lines if line.startswith("0::/")]
    return PurePosixPath(ours[0] if ours else "")
