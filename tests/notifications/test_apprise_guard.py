"""What the process that runs Apprise must not touch."""

import os
import socket
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from notifications.apprise_guard import ProcessGuard, Refused
from tests.media.outbound.test_addresses import REFUSED_ADDRESSES

PUBLIC = "93.184.216.34"


@pytest.fixture
def guard() -> ProcessGuard:
    return ProcessGuard(allow_private_networks=False, exempt=[("127.0.0.1", 8080)])


def _connects(guard: ProcessGuard, address: Any, family: int = socket.AF_INET) -> bool:
    with socket.socket(family) as connection:
        return _may(guard, "socket.connect", connection, address)


def _may(guard: ProcessGuard, event: str, *args: Any) -> bool:
    try:
        guard.judge(event, args)
    except Refused:
        return False
    return True


@pytest.mark.parametrize("address", REFUSED_ADDRESSES)
def test_no_connection_goes_to_a_special_address(guard: ProcessGuard, address: str) -> None:
    assert not _connects(guard, (address, 80))
    assert guard.refused == "address"


def test_connections_go_to_public_addresses_only(guard: ProcessGuard) -> None:
    assert _connects(guard, (PUBLIC, 80))
    assert _connects(guard, ("2606:4700:4700::1111", 80, 0, 0), socket.AF_INET6)
    assert guard.refused is None
    assert not _connects(guard, ("public.example", 80))  # it would be resolved later
    assert not _connects(guard, "/run/docker.sock", socket.AF_UNIX)


def test_datagrams_are_judged_too(guard: ProcessGuard) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sending:
        assert not _may(guard, "socket.sendto", sending, ("10.0.0.1", 514))
        assert not _may(guard, "socket.sendmsg", sending, ("10.0.0.1", 514))
        assert _may(guard, "socket.sendto", sending, (PUBLIC, 514))


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST.", "metadata.internal", "0x7f.1", "127.1"]
)
def test_names_of_the_inside_are_not_looked_up(guard: ProcessGuard, host: str) -> None:
    assert not _may(guard, "socket.getaddrinfo", host, 80, 0, 0, 0)
    assert not _may(guard, "socket.gethostbyname", host)


def test_an_exempt_host_is_free_with_its_port_alone(guard: ProcessGuard) -> None:
    assert _may(guard, "socket.getaddrinfo", "127.0.0.1", 8080, 0, 0, 0)
    assert _connects(guard, ("127.0.0.1", 8080))
    assert not _connects(guard, ("127.0.0.1", 8081))


def test_an_exempt_name_is_free_where_it_leads() -> None:
    guard = ProcessGuard(allow_private_networks=False, exempt=[("localhost", 8080)])
    assert not _connects(guard, ("127.0.0.1", 8080))
    assert _may(guard, "socket.getaddrinfo", "localhost", "8080", 0, 0, 0)
    assert _connects(guard, ("127.0.0.1", 8080))
    assert not _connects(guard, ("127.0.0.1", 8081))


def test_nothing_is_read_but_python_and_certificates(guard: ProcessGuard, tmp_path: Path) -> None:
    assert _may(guard, "open", ssl.__file__, "r", os.O_RDONLY)
    assert _may(guard, "open", pytest.__file__, "r", os.O_RDONLY)
    assert _may(guard, "open", 3, "r", os.O_RDONLY)  # what is open already
    for path in ("/etc/passwd", tmp_path / "key", f"{os.path.dirname(ssl.__file__)}/../../../x"):
        assert not _may(guard, "open", str(path), "r", os.O_RDONLY)
    assert not _may(guard, "open", ssl.__file__, "w", os.O_WRONLY)
    assert guard.refused == "file"


def test_no_program_is_started() -> None:
    """In a process of its own: a hook stays for good."""
    code = (
        "import os, subprocess, sys\n"
        "from notifications.apprise_guard import ProcessGuard, Refused\n"
        "guard = ProcessGuard(allow_private_networks=True)\n"
        "sys.addaudithook(guard.judge)\n"
        "for start in (lambda: subprocess.run(['true']), lambda: os.system('true'), os.fork,\n"
        "              lambda: os.execv('/bin/true', ['true'])):\n"
        "    try:\n"
        "        start()\n"
        "    except Refused:\n"
        "        print(guard.refused)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["program"] * 4
