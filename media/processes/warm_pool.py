"""Pools of warm child processes, which decode segments or resolve videos.

Each child does one job at a time: it reads a request on its standard input and writes one answer.
It runs code that hostile input may take over, crash, hang or bloat. So an answer is bounded in size
and time, and a child that breaks, grows or has done enough jobs is killed and replaced.
"""

import asyncio
import contextlib
import fcntl
import os
import resource
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import structlog

from media.processes.framing import LENGTH
from media.processes.run_once import ProcessFailed, ProcessTimedOut, kill_group, reap

logger = structlog.get_logger(__name__)

PIPE_BYTES = 1024 * 1024  # so that most requests are handed over in one go
MAX_READY_BYTES = 1024
LOGGED_BYTES = 2_000  # this much of a child's standard error during a job is logged


@dataclass(frozen=True, kw_only=True)
class Program:
    """What a child runs."""

    command: Sequence[str]
    # besides where Python finds modules; nothing of this process's is inherited
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: str = "/"
    setup: bytes = b""  # what the child is sent before its first job

    def environment(self) -> dict[str, str]:
        inherited = {name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ}
        return {
            "PATH": os.defpath,
            "LC_ALL": "C.UTF-8",
            "PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path)),
            "PYTHONDONTWRITEBYTECODE": "1",
            **inherited,
            **self.env,
        }


class WarmProcess:
    """One child."""

    def __init__(self, process: asyncio.subprocess.Process, errors: int) -> None:
        assert process.stdin is not None  # noqa: S101
        assert process.stdout is not None  # noqa: S101
        self.pid = process.pid
        self.jobs = 0
        self._process = process
        self._stdin = process.stdin
        self._stdout = process.stdout
        self._errors = errors
        self._is_busy = True  # until it is ready
        self._is_killed = False

    @property
    def is_running(self) -> bool:
        return self._process.returncode is None

    async def ask(self, *request: bytes, max_answer_bytes: int) -> bytes:
        """Send `request`, return the answer; OSError, EOFError or ValueError: the child broke."""
        self._is_busy = True
        for part in request:
            self._stdin.write(part)
        await self._stdin.drain()
        answer = await read_frame(self._stdout, max_answer_bytes)
        self._is_busy = False
        self._log_errors()
        return answer

    def resident_bytes(self) -> int:
        """On Linux; elsewhere 0."""
        with contextlib.suppress(OSError), open(f"/proc/{self.pid}/statm") as pages:
            return int(pages.read().split()[1]) * resource.getpagesize()
        return 0

    def failure(self, error: Exception) -> ProcessFailed:
        code = self._process.returncode or 0
        if code < 0 and not isinstance(error, ValueError):
            return ProcessFailed(f"was stopped by signal {-code}", signal=-code)
        # Not the error's text, which may quote an answer, and so a secret.
        return ProcessFailed(f"broke ({type(error).__name__})")

    async def kill(self) -> None:
        """Kill the child and all that it started, and reap it."""
        if not self._is_killed:
            self._is_killed = True
            # Once, and not one that ended while idle: its number may be another's by now.
            if self.is_running or self._is_busy:
                kill_group(self.pid)
            self._stdin.close()
            self._log_errors()
            os.close(self._errors)
        draining = asyncio.create_task(self._drain())
        await reap(self._process)
        draining.cancel()

    async def _drain(self) -> None:
        """Discard what the child still says: asyncio reaps none before its pipes are read."""
        with contextlib.suppress(RuntimeError):  # an `ask` still reads
            while await self._stdout.read(PIPE_BYTES):
                pass

    def _log_errors(self) -> None:
        """Log what the child wrote to its standard error; a pipe holds 64 KiB at most."""
        with contextlib.suppress(BlockingIOError):
            if written := os.read(self._errors, PIPE_BYTES):
                text = written[-LOGGED_BYTES:].decode(errors="replace")
                logger.warning("a child process wrote an error", pid=self.pid, text=text)


class WarmPool:
    """Warm children of one program, as many as are leased at once. Close it after use.

    Args:
        program: says what to run; called for each new child.
        max_job_sec: for one lease, including the start of a child.
        max_jobs: a child is replaced after as many, as what leaks adds up.
        max_resident_bytes: a child that holds more after a job is replaced.
        check_ready: judges a child's first message, which it sends when it is ready; what it
            raises ends the child.
    """

    def __init__(
        self,
        program: Callable[[], Awaitable[Program]],
        *,
        max_job_sec: float,
        max_jobs: int,
        max_resident_bytes: int,
        check_ready: Callable[[bytes], None],
    ) -> None:
        self._program = program
        self._max_job_sec = max_job_sec
        self._max_jobs = max_jobs
        self._max_resident_bytes = max_resident_bytes
        self._check_ready = check_ready
        self._idle: list[WarmProcess] = []
        self._alive: set[WarmProcess] = set()
        self._is_closed = False

    @asynccontextmanager
    async def lease(self, *, is_new: bool = False) -> AsyncIterator[WarmProcess]:
        """Yield a child for one job. It is killed if the context raises, else kept.

        Args:
            is_new: no job before may have spoiled it.

        Raises:
            ProcessFailed: no child can be started, or the context raised an `OSError`, `EOFError`
                or `ValueError`.
        """
        try:
            async with asyncio.timeout(self._max_job_sec):
                child = await (self._start() if is_new else self._take())
                async with self._killed_on_error(child):
                    yield child
        except TimeoutError:
            raise ProcessTimedOut(f"still running after {self._max_job_sec:g} s") from None
        await self._give_back(child)

    async def close(self) -> None:
        self._is_closed = True
        self._idle.clear()
        await asyncio.gather(*map(self._kill, [*self._alive]))

    def process_ids(self) -> list[int]:
        return [child.pid for child in self._alive]

    async def _take(self) -> WarmProcess:
        while self._idle:
            child = self._idle.pop()
            if child.is_running:
                return child
            await self._kill(child)  # no job broke it; the machine was out of memory, say
        return await self._start()

    async def _give_back(self, child: WarmProcess) -> None:
        child.jobs += 1
        is_worn = child.jobs >= self._max_jobs or child.resident_bytes() > self._max_resident_bytes
        if is_worn or self._is_closed:
            await self._kill(child)
        else:
            self._idle.append(child)

    async def _start(self) -> WarmProcess:
        try:
            program = await self._program()
            child = await _start(program)
        except OSError as error:
            raise ProcessFailed(f"cannot be started: {error.strerror}") from error
        self._alive.add(child)
        async with self._killed_on_error(child):
            if self._is_closed:
                raise ProcessFailed("the pool is closed")
            self._check_ready(await child.ask(program.setup, max_answer_bytes=MAX_READY_BYTES))
        return child

    @asynccontextmanager
    async def _killed_on_error(self, child: WarmProcess) -> AsyncIterator[None]:
        try:
            yield
        except BaseException as error:
            # When cancelled too: the answer would be taken for that to the next request.
            await self._kill(child)
            if isinstance(error, OSError | EOFError | ValueError):
                raise child.failure(error) from error
            raise

    async def _kill(self, child: WarmProcess) -> None:
        """Kill a child, cancelled or not; it counts as alive until it is reaped."""
        await asyncio.shield(asyncio.create_task(self._end(child)))

    async def _end(self, child: WarmProcess) -> None:
        await child.kill()
        self._alive.discard(child)


async def read_frame(source: asyncio.StreamReader, max_bytes: int) -> bytes:
    (length,) = LENGTH.unpack(await source.readexactly(LENGTH.size))
    if length > max_bytes:
        raise ValueError("an answer that is too long")
    return await source.readexactly(length)


async def spawn(program: Program, *, stderr: int) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *program.command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=stderr,
        cwd=program.cwd,
        env=program.environment(),
        start_new_session=True,
    )


async def _start(program: Program) -> WarmProcess:
    errors, its_errors = os.pipe()
    for descriptor in (errors, its_errors):  # what is not read is lost, and holds up nobody
        os.set_blocking(descriptor, False)
    try:
        process = await spawn(program, stderr=its_errors)
    except BaseException:
        os.close(errors)
        raise
    finally:
        os.close(its_errors)
    _enlarge(process)
    return WarmProcess(process, errors)


def _enlarge(process: asyncio.subprocess.Process) -> None:
    resize = getattr(fcntl, "F_SETPIPE_SZ", None)  # Linux only
    pipe = process.stdin.transport.get_extra_info("pipe") if process.stdin else None
    if resize is not None and pipe is not None:
        with contextlib.suppress(OSError, ValueError):
            fcntl.fcntl(pipe.fileno(), resize, PIPE_BYTES)
