"""The Docker engine, for tests that build and run images."""

import shutil
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LIMIT_SEC = 1200


@cache
def has_engine() -> bool:
    """Return whether a Docker engine answers."""
    if shutil.which("docker") is None:
        return False
    return subprocess.run(["docker", "info"], capture_output=True, timeout=30).returncode == 0


@cache
def has_compose() -> bool:
    """Return whether `docker compose` is installed."""
    if shutil.which("docker") is None:
        return False
    command = ["docker", "compose", "version"]
    return subprocess.run(command, capture_output=True, timeout=30).returncode == 0


def docker(*arguments: str, environment: Mapping[str, str] | None = None) -> str:
    """Run `docker`, return what it prints; fail with what it says when it fails."""
    done = subprocess.run(
        ["docker", *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment,
        timeout=LIMIT_SEC,
    )
    if done.returncode != 0:
        pytest.fail(f"docker {' '.join(arguments)}: {done.stderr[-3000:]}")
    return done.stdout
