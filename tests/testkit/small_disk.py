"""The embedded service on a disk of its own that can be filled."""

import os
import shutil
import subprocess
from pathlib import Path

from tests.testkit.children import Child
from tests.testkit.embedded import Embedded

SIZE_MIB = 48
CHUNK = bytes(64 * 1024)
MOUNTED = f'mount -t tmpfs -o size={SIZE_MIB}m none "$0" && exec "$@"'
_AS_ROOT = () if os.geteuid() == 0 else ("--map-root-user",)
UNSHARE = ("unshare", *_AS_ROOT, "--mount", "sh", "-c", MOUNTED)
"""The disk is in a mount namespace of the service's own, and gone with it."""


def can_be_made(folder: Path) -> bool:
    """Return whether this machine lets us mount a file system in a namespace of our own."""
    if shutil.which("unshare") is None:
        return False
    tried = subprocess.run([*UNSHARE, str(folder), "true"], capture_output=True)
    return tried.returncode == 0


class SmallDisk:
    """Runs the embedded service with `DATA_DIR` on a disk of 48 MiB.

    Attributes:
        embedded: the service.
        up: its process.
    """

    def __init__(self, folder: Path) -> None:
        self.embedded = Embedded(folder)
        self.embedded.data.mkdir()
        self.embedded.within = (*UNSHARE, str(self.embedded.data))
        self.up: Child

    async def start(self) -> None:
        """Start the service and return once it is ready."""
        self.up = await self.embedded.up()
        # What is mounted there can be seen from the service's own namespace only.
        self.embedded.data = Path(f"/proc/{self.up.pid}/root{self.embedded.data}")

    def fill(self) -> None:
        """Leave no room at all."""
        with (self.embedded.data / "filler").open("wb", buffering=0) as filler:
            try:
                while filler.write(CHUNK):
                    pass
            except OSError:
                return

    def make_room(self) -> None:
        """Give the room back."""
        (self.embedded.data / "filler").unlink()
