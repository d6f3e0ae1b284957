"""Warm child processes, whatever they do for a living."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psutil
import pytest

from media.processes.framing import pack_json
from media.processes.run_once import ProcessFailed, ProcessTimedOut
from media.processes.warm_pool import Program, WarmPool, WarmProcess

CHILD = """
import fcntl, os, sys, time
from media.processes.framing import pack_json, read_json

def send(message):
    sys.stdout.buffer.write(pack_json(message))
    sys.stdout.buffer.flush()

setup = read_json(sys.stdin.buffer)
send({"ready": setup})
while (job := read_json(sys.stdin.buffer)) is not None:
    if job["do"] == "hang":
        time.sleep(600)
    if job["do"] == "die":
        os.abort()
    if job["do"] == "flood":
        fcntl.fcntl(1, fcntl.F_SETPIPE_SZ, 2**20)
        os.write(1, bytes([255]) * 2**20)
    send({"did": job["do"]})
"""
SETUP = pack_json({"a": 1})
ANSWER_BYTES = 100


@asynccontextmanager
async def pool_of(
    *, max_job_sec: float = 30, max_jobs: int = 10, ready: list[bytes] | None = None
) -> AsyncIterator[WarmPool]:
    async def program() -> Program:
        return Program(command=[sys.executable, "-P", "-c", CHILD], setup=SETUP)

    pool = WarmPool(
        program,
        max_job_sec=max_job_sec,
        max_jobs=max_jobs,
        max_resident_bytes=2**40,
        check_ready=(ready if ready is not None else []).append,
    )
    try:
        yield pool
    finally:
        await pool.close()
        assert pool.process_ids() == []


async def do(pool: WarmPool, what: str, *, max_answer_bytes: int = ANSWER_BYTES) -> bytes:
    async with pool.lease() as child:
        return await child.ask(pack_json({"do": what}), max_answer_bytes=max_answer_bytes)


async def test_a_child_is_set_up_once_and_does_one_job_after_the_other() -> None:
    ready = list[bytes]()
    async with pool_of(ready=ready) as pool:
        assert await do(pool, "this") == b'{"did":"this"}'
        first = pool.process_ids()
        assert await do(pool, "that") == b'{"did":"that"}'
        assert pool.process_ids() == first
    assert ready == [b'{"ready":{"a":1}}']


async def test_children_work_side_by_side() -> None:
    async with pool_of() as pool:
        await asyncio.gather(*(do(pool, "this") for _ in range(3)))
        assert len(pool.process_ids()) == 3


async def test_a_child_is_replaced_after_its_last_job() -> None:
    async with pool_of(max_jobs=2) as pool:
        await do(pool, "this")
        assert len(pool.process_ids()) == 1
        await do(pool, "this")
        assert pool.process_ids() == []
        assert await do(pool, "this")


async def test_a_job_that_takes_too_long_ends_its_child() -> None:
    async with pool_of(max_job_sec=5) as pool:
        with pytest.raises(ProcessTimedOut, match="still running after 5 s"):
            await do(pool, "hang")
        assert pool.process_ids() == []


async def test_a_child_that_dies_says_of_what() -> None:
    async with pool_of() as pool:
        with pytest.raises(ProcessFailed, match="signal 6") as failed:
            await do(pool, "die")
        assert failed.value.signal == 6
        assert pool.process_ids() == []


async def test_an_answer_that_is_too_long_ends_its_child() -> None:
    async with pool_of() as pool:
        with pytest.raises(ProcessFailed, match="broke"):
            await do(pool, "this", max_answer_bytes=5)
        assert pool.process_ids() == []


async def test_an_error_of_the_caller_ends_its_child_too() -> None:
    """Nobody knows what it was asked; its answer must not be taken for another's."""

    async def fail(child: WarmProcess) -> None:
        raise LookupError(child.pid)

    async with pool_of() as pool:
        with pytest.raises(LookupError):
            async with pool.lease() as child:
                await fail(child)
        assert pool.process_ids() == []


async def test_a_job_that_is_cancelled_twice_leaves_no_child() -> None:
    async with pool_of() as pool:
        hanging = asyncio.create_task(do(pool, "hang"))
        while not pool.process_ids():
            await asyncio.sleep(0.01)
        for _ in range(2):
            hanging.cancel()
            await asyncio.sleep(0)
        with pytest.raises(asyncio.CancelledError):
            await hanging
        async with asyncio.timeout(10):
            while pool.process_ids():
                await asyncio.sleep(0.01)


async def test_closing_ends_children_that_are_at_work() -> None:
    async with pool_of() as pool:
        hanging = asyncio.create_task(do(pool, "hang"))
        while not (pids := pool.process_ids()):
            await asyncio.sleep(0.01)
        await pool.close()
        with pytest.raises(ProcessFailed):
            await hanging
        assert not any(map(psutil.pid_exists, pids))
        with pytest.raises(ProcessFailed, match="closed"):
            await do(pool, "this")


async def test_a_program_that_is_not_there() -> None:
    async def program() -> Program:
        return Program(command=["/nonexistent"])

    pool = WarmPool(
        program, max_job_sec=5, max_jobs=1, max_resident_bytes=1, check_ready=lambda _: None
    )
    with pytest.raises(ProcessFailed, match="No such file"):
        await do(pool, "this")


def test_a_message_holds_no_half_of_a_surrogate_pair() -> None:
    assert b'"a?\xc3\xa9"' in pack_json({"title": "a\ud83d\u00e9"})


async def test_a_child_that_floods_its_pipe_is_reaped() -> None:
    async with pool_of(max_job_sec=20) as pool:
        with pytest.raises(ProcessFailed):
            await do(pool, "flood")
        assert pool.process_ids() == []
