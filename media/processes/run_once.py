"""Child processes that run once: started, bounded, terminated and reaped here."""

import asyncio
import contextlib
import os
import resource
import signal
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO

_PRLIMIT = getattr(resource, "prlimit", None)  # Linux only
_MEMFD = getattr(os, "memfd_create", None)  # Linux only


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a child may use before it is stopped."""

    wall_sec: float
    cpu_sec: int
    memory_bytes: int  # address space
    output_bytes: int


class ProcessFailed(Exception):
    """A child cannot be started, or broke; the message says how, `signal` what ended it."""

    def __init__(self, message: str, *, signal: int | None = None) -> None:
        super().__init__(message)
        self.signal = signal


class ProcessTimedOut(ProcessFailed):
    """A child took longer than it may; it is gone."""


@dataclass(frozen=True)
class Finished:
    """What a child left behind; `returncode` is negative for a signal."""

    returncode: int
    stdout: bytes
    stderr: bytes
    extra: Mapping[str, bytes]


async def run_bounded(
    command: Sequence[str],
    *,
    stdin: bytes,
    limits: Limits,
    extra: Iterable[str] = (),
    env: Mapping[str, str] | None = None,
) -> Finished:
    """Run `command` to its end, within `limits`, and return what it wrote.

    Inputs and outputs are anonymous files, not pipes: no data passes through the event loop, and
    the kernel bounds what the child writes. Cancelling kills the child.

    Args:
        extra: names of further outputs; `{NAME}` in an argument becomes the number of its file
            descriptor.
        env: further environment variables; nothing else is inherited.
    """
    with contextlib.ExitStack() as stack:
        source, out, err = (stack.enter_context(_scratch(it)) for it in (stdin, b"", b""))
        further = {name: stack.enter_context(_scratch()) for name in extra}
        numbers = {name: file.fileno() for name, file in further.items()}
        arguments = [_filled_in(argument, numbers) for argument in command]
        try:
            child = await asyncio.create_subprocess_exec(
                *arguments,
                stdin=source,
                stdout=out,
                stderr=err,
                pass_fds=tuple(numbers.values()),
                start_new_session=True,
                env={"PATH": os.defpath, "LC_ALL": "C", **(env or {})},
            )
        except OSError as error:
            raise ProcessFailed(f"cannot start {command[0]}: {error.strerror}") from error
        _bound(child.pid, limits)
        await _wait(child, limits.wall_sec)
        assert child.returncode is not None  # noqa: S101
        contents = {name: _content(file) for name, file in further.items()}
        return Finished(child.returncode, _content(out), _content(err), contents)


def _filled_in(argument: str, numbers: Mapping[str, int]) -> str:
    for name, number in numbers.items():
        argument = argument.replace(f"{{{name}}}", str(number))
    return argument


async def _wait(child: asyncio.subprocess.Process, wall_sec: float) -> None:
    try:
        async with asyncio.timeout(wall_sec):
            await child.wait()
    except TimeoutError:
        raise ProcessTimedOut(f"still running after {wall_sec:g} s") from None
    finally:
        if child.returncode is None:
            kill_group(child.pid)
            await reap(child)


def kill_group(pid: int) -> None:
    """Kill a child and all that it started."""
    # Not `Process.kill`: it may reap the child itself, and asyncio then never learns how it ended.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


async def reap(child: asyncio.subprocess.Process) -> None:
    """Wait for a killed child, even when the caller is cancelled meanwhile."""
    await asyncio.shield(asyncio.ensure_future(child.wait()))


def _bound(pid: int, limits: Limits) -> None:
    if _PRLIMIT is None:
        return
    bounds = {
        resource.RLIMIT_CPU: limits.cpu_sec,
        resource.RLIMIT_AS: limits.memory_bytes,
        resource.RLIMIT_FSIZE: limits.output_bytes,
        resource.RLIMIT_CORE: 0,
    }
    with contextlib.suppress(ProcessLookupError):
        for name, value in bounds.items():
            _PRLIMIT(pid, name, (value, value))


@contextlib.contextmanager
def _scratch(content: bytes = b"") -> Iterator[IO[bytes]]:
    file: IO[bytes]
    if _MEMFD is not None and sys.platform == "linux":
        file = os.fdopen(_MEMFD("stream-tracker"), "w+b", buffering=0)
    else:
        file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115
    with file:
        view = memoryview(content)
        while view:
            view = view[file.write(view) :]
        file.seek(0)
        yield file


def _content(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read()
