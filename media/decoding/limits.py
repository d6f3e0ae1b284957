"""What measuring one segment may take."""

import math
from dataclasses import dataclass

from media.decoding.cpu_quota import usable_cores

MEBI = 1024 * 1024

LEAST_PICTURES = 1_000
MAX_PICTURES_PER_SEC = 130
MOST_PICTURES = 7_281
"""2 minutes at 60 a second: 16 MiB of small pictures."""

LEAST_CPU_SEC = 10
CPU_SHARE = 2.0
"""CPU seconds for each second of a segment, at least `LEAST_CPU_SEC`: what needs more falls behind
its stream anyway."""


@dataclass(frozen=True, kw_only=True)
class ProbeLimits:
    """What one segment may take before it is given up as undecodable.

    Attributes:
        wall_sec: time, working or not.
        cpu_sec: CPU time at most, however long the segment; see `cpu_sec_for`.
        memory_bytes: address space.
        pictures: that are looked at.
        kept_bytes: a decoder that holds more after its segment is replaced.
    """

    wall_sec: float = 60
    cpu_sec: int = 40
    memory_bytes: int = 1024 * MEBI
    pictures: int = MOST_PICTURES
    kept_bytes: int = 400 * MEBI

    def cpu_sec_for(self, duration_sec: float) -> int:
        """Return the CPU seconds for a segment that lasts `duration_sec`."""
        return min(self.cpu_sec, max(LEAST_CPU_SEC, math.ceil(CPU_SHARE * duration_sec)))

    def pictures_for(self, duration_sec: float) -> int:
        """Return how many pictures of a segment are looked at, of 10 s or less as many as 10 s
        may hold.
        """
        return min(self.pictures, max(LEAST_PICTURES, round(MAX_PICTURES_PER_SEC * duration_sec)))


def probes_at_once(wanted: int | None = None) -> int:
    """Return how many segments are measured at once: as many as `wanted`, else one a core.

    At least two, so that one segment that takes long does not stop all other streams.
    """
    return max(2, wanted or usable_cores())
