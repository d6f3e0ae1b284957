"""The search attributes are registered on a real Temporal server, once."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE
from collections.abc import Iterator

import pytest

from tests.testkit.temporal import connected, temporal_server
from worker.register_search_attributes import register
from workflows import search_attributes

MISSING = [key.name for key in search_attributes.ALL if key != search_attributes.STREAM_KEY]


@pytest.fixture
def address() -> Iterator[str]:
    with temporal_server(attributes=(search_attributes.STREAM_KEY.name,)) as where:
        yield where


async def test_what_is_missing_is_registered_once(address: str) -> None:
    client = await connected(address)
    assert await register(client) == MISSING
    assert await register(client) == []


async def test_the_command_ends_before_the_interpreter_winds_down(address: str) -> None:
    """While it does, threads of the SDK abort every fourth process or so on a busy machine."""
    code = "import atexit, runpy; atexit.register(print, 'winds down'); runpy.run_module("
    code += "'worker.register_search_attributes', run_name='__main__')"
    assert await command(address, "-c", code) == (0, f"registered: {', '.join(MISSING)}\n", "")


async def test_the_command_tells_why_it_fails() -> None:
    outcome = await command("nonsense", "-m", "worker.register_search_attributes")
    assert outcome == (1, "", "TEMPORAL_ADDRESS: must be HOST:PORT\n")


async def command(address: str, *arguments: str) -> tuple[int | None, str, str]:
    """Run Python with `arguments`; return its exit code and what it printed."""
    environment = os.environ | {"TEMPORAL_ADDRESS": address}
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, env=environment, stdout=PIPE, stderr=PIPE
    )
    printed, said = await process.communicate()
    return process.returncode, printed.decode(), said.decode()
