"""What measuring one segment may take, and how many are measured at once."""

import math
import os
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

MEBI = 1024 * 1024

MIN_FRAMES = 1_000
MAX_FRAMES_PER_SEC = 130
MAX_FRAMES = 7_281  # 2 minutes at 60 a second: 24 MiB of small frames
MIN_CPU_SEC = 10
CPU_SHARE = 2.0  # seconds for each second of a segment: what needs more falls behind anyway
CGROUPS = Path("/sys/fs/cgroup")
OWN_CGROUP = Path("/proc/self/cgroup")


@dataclass(frozen=True, kw_only=True)
class ProbeLimits:
    """What one segment may take before it is given up as undecodable."""

    wall_sec: float = 60
    cpu_sec: int = 40  # at most, however long the segment; see `cpu_sec_for`
    memory_bytes: int = 1024 * MEBI  # address space of the process (RLIMIT_AS)
    max_frames: int = MAX_FRAMES
    max_resident_bytes: int = 400 * MEBI  # a decoder that holds more after its segment is replaced

    def cpu_sec_for(self, duration_sec: float) -> int:
        return min(self.cpu_sec, max(MIN_CPU_SEC, math.ceil(CPU_SHARE * duration_sec)))

    def frames_for(self, duration_sec: float) -> int:
        return min(self.max_frames, max(MIN_FRAMES, round(MAX_FRAMES_PER_SEC * duration_sec)))


def probes_at_once(wanted: int | None = None) -> int:
    """Return how many segments are measured at once: as many as `wanted`, else one a core."""
    # At least two, so that one segment that takes long does not stop all other streams.
    return max(2, wanted or usable_cores())


def usable_cores(cgroups: Path = CGROUPS, own: Path = OWN_CGROUP) -> int:
    """Return the cores that this process may use: of the machine, of its CPU set, of its quota.

    A part of a core counts as one.
    """
    lines = _read(own).splitlines()
    path = PurePosixPath(next((it[len("0::/") :] for it in lines if it.startswith("0::/")), ""))
    quotas = [_read(cgroups / group / "cpu.max") for group in (path, *path.parents)]
    # Version 1 shows a container its own group as the outermost one.
    version_1 = cgroups / "cpu"
    quotas.append(" ".join(_read(version_1 / f"cpu.cfs_{it}_us") for it in ("quota", "period")))
    return int(min([len(os.sched_getaffinity(0)), *map(_cores, quotas)]))


def _cores(quota_and_period: str) -> float:
    """Return the cores that a group may use, without end where it has no quota."""
    # Source: the Linux kernel's documentation of control groups, cpu.max and cpu.cfs_quota_us.
    try:
        quota, period = map(int, quota_and_period.split())
    except ValueError:  # "max", or none
        return math.inf
    return max(1, math.ceil(quota / period)) if quota > 0 < period else math.inf


def _read(file: Path) -> str:
    try:
        return file.read_text().strip()
    except OSError:
        return ""
