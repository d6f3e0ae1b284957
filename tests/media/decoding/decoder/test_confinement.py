"""A confined process can compute and answer, and nothing else."""

import subprocess
import sys

import pytest

from media.decoding.decoder.confinement import ARCHITECTURES

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or not ARCHITECTURES, reason="the filter is Linux's"
)

ATTEMPT = """
import os, socket, sys, threading
from media.decoding.decoder.confinement import confine
standing = socket.socket()
assert confine()
try:
    {attempt}
except (PermissionError, RuntimeError, OSError) as error:
    print("refused", type(error).__name__)
else:
    print("done")
sys.stdout.flush()
"""


def outcome(attempt: str) -> str:
    code = ATTEMPT.format(attempt=attempt)
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize(
    "attempt",
    [
        pytest.param("open('/etc/hostname')", id="read a file"),
        pytest.param("open('/tmp/written', 'w')", id="write a file"),
        pytest.param("os.listdir('/')", id="list a folder"),
        pytest.param("os.stat('/etc/passwd')", id="look at a file"),
        pytest.param("socket.socket()", id="make a socket"),
        pytest.param("standing.connect(('127.0.0.1', 9))", id="connect a socket it had"),
        pytest.param("os.fork()", id="fork"),
        pytest.param("os.execv('/bin/true', ['true'])", id="run a program"),
        pytest.param("threading.Thread(target=print).start()", id="start a thread"),
        pytest.param("os.kill(os.getppid(), 0)", id="signal its parent"),
        pytest.param("os.memfd_create('x')", id="make a descriptor"),
    ],
)
def test_what_reaches_out_is_refused(attempt: str) -> None:
    assert outcome(attempt).startswith("refused")


@pytest.mark.parametrize(
    "attempt",
    [
        pytest.param("bytearray(200_000_000)", id="take memory"),
        pytest.param("sum(range(1_000_000))", id="compute"),
        pytest.param("sys.stdin.read()", id="read its input"),
    ],
)
def test_what_a_decoder_needs_is_there(attempt: str) -> None:
    assert outcome(attempt) == "done"
