"""A service whose names come from the benchmark's DNS server, with few descriptors to spare."""

from pathlib import Path

from benchmarks.hostile.zone import ADDRESS
from tests.testkit.environment import ChaosHarness

GATEWAY_DESCRIPTORS = 256
"""Fewer than the connections that a client opens."""

_OWN_RESOLVER = 'mount --bind "$0" "$(readlink -f /etc/resolv.conf)" && ulimit -n "$1" && shift'
_RUN = ["unshare", "--mount", "sh", "-c", f'{_OWN_RESOLVER} && exec "$@"']


class HostileHarness(ChaosHarness):
    """Runs each process in a mount namespace with a resolv.conf of its own; needs root."""

    def __init__(self, folder: Path, **variables: str) -> None:
        super().__init__(folder, **variables)
        self._resolver = folder / "resolv.conf"
        self._resolver.write_text(f"nameserver {ADDRESS}\n")

    def _command(self, *arguments: str) -> list[str]:
        descriptors = GATEWAY_DESCRIPTORS if arguments == ("gateway",) else 4096
        command = super()._command(*arguments)
        return [*_RUN, str(self._resolver), str(descriptors), *command]
