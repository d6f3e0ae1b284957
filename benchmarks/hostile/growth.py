"""How much the processes of a service grow."""

import asyncio
import contextlib
from collections.abc import Mapping

import psutil

from tests.testkit.environment import ChaosHarness

SAMPLE_SEC = 0.5
MIB = 2**20


class Growth:
    """Samples resident memory.

    Attributes:
        at_first: MiB of each process when sampling began.
        at_most: the largest since then.
        decoder_mib: the largest of any decoder; each has a limit of its own and may be replaced.
    """

    def __init__(self, harness: ChaosHarness) -> None:
        self._processes = {
            each.name: psutil.Process(each.pid) for each in [harness.gateway, *harness.workers]
        }
        self.at_first = self._resident()
        self.at_most = dict(self.at_first)
        self.decoder_mib = 0.0

    async def run(self) -> None:
        """Go on until cancelled."""
        while True:
            for name, mib in self._resident().items():
                self.at_most[name] = max(self.at_most[name], mib)
            self.decoder_mib = max(self.decoder_mib, self._largest_decoder())
            await asyncio.sleep(SAMPLE_SEC)

    @property
    def grown(self) -> Mapping[str, float]:
        """MiB by which each process grew at most."""
        return {name: most - self.at_first[name] for name, most in self.at_most.items()}

    def _resident(self) -> dict[str, float]:
        return {name: _resident_mib(each) for name, each in self._processes.items()}

    def _largest_decoder(self) -> float:
        children = (each.children(recursive=True) for each in self._processes.values())
        return max((_resident_mib(child) for each in children for child in each), default=0.0)


def _resident_mib(process: psutil.Process) -> float:
    """Return 0 for a process that is gone."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return float(process.memory_info().rss / MIB)
    return 0.0
