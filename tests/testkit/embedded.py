"""`stream-tracker up` as somebody runs it, and the processes it keeps."""

import signal
from itertools import count
from pathlib import Path

import psutil

from tests.testkit.children import STREAM_TRACKER, Child, Finished, run
from tests.testkit.ports import free_port
from tests.testkit.rest import Rest
from tests.testkit.waiting import until_true

PORTS = ("PORT", "TEMPORAL_PORT", "TEMPORAL_UI_PORT", "HEALTH_PORT", "RECEIVER_PORT")
PARTS = {"temporal": "start-dev", "gateway": "gateway", "worker": "worker"}
READY = "Stream Tracker is ready."
START_SEC = 60.0
STOP_SEC = 15.0


class Embedded:
    """One folder of data and one set of ports, for any number of starts after each other.

    Attributes:
        data: `DATA_DIR`.
        variables: what the environment says.
        within: the command that runs the service's.
    """

    def __init__(self, folder: Path, **variables: str) -> None:
        folder.mkdir()
        self.folder = folder
        self.data = folder / "data"
        self.variables = {name: str(free_port()) for name in PORTS}
        self.variables |= {"DATA_DIR": str(self.data), "ALLOW_PRIVATE_NETWORKS": "true"}
        self.variables["RATE_LIMIT_READ"] = "100000"
        self.variables |= variables
        self.url = f"http://127.0.0.1:{self.variables['PORT']}"
        self.within: tuple[str, ...] = ()
        self._numbers = count(1)

    async def up(self, *arguments: str) -> Child:
        """Start it and return once it says that it is ready."""
        command = [*self.within, STREAM_TRACKER, "up", *arguments]
        child = Child(f"up-{next(self._numbers)}", command, self.folder, **self.variables)

        def is_ready() -> bool:
            assert child.code is None, f"up ended with {child.code}: {child.said}"
            return READY in child.said

        try:
            await until_true(is_ready, "the embedded service", within_sec=START_SEC)
        except BaseException:
            child.discard()
            raise
        return child

    async def fail_to_start(self, *arguments: str, **variables: str) -> Finished:
        """Run it when it cannot start."""
        command = [STREAM_TRACKER, "up", *arguments]
        return await run(command, self.folder, {**self.variables, **variables})

    @property
    def keys(self) -> dict[str, str]:
        """The keys that it keeps."""
        lines = (self.data / "keys.env").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)

    def rest(self) -> Rest:
        """Return a client with the key that it keeps."""
        return Rest(self.url, self.keys["API_KEY"])


def part(up: Child, name: str) -> psutil.Process | None:
    """Return the running process of a part; None while it does not run."""
    for process in psutil.Process(up.pid).children():
        try:
            if PARTS[name] in process.cmdline():
                return process
        except (psutil.NoSuchProcess, psutil.ZombieProcess):
            continue
    return None


async def strike(up: Child, name: str) -> psutil.Process:
    """Kill a part as a crash would, and return the process that took its place."""
    victim = part(up, name)
    assert victim, f"{name} does not run"
    victim.send_signal(signal.SIGKILL)

    def is_replaced() -> bool:
        found = part(up, name)
        return found is not None and found.pid != victim.pid

    await until_true(is_replaced, f"another {name}")
    successor = part(up, name)
    assert successor
    return successor
