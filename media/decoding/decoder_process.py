"""One decoder process, as its pool sees it."""

import asyncio
import contextlib
import fcntl
import os
import secrets
import signal
import sys
from collections.abc import Sequence

import structlog

from media.decoding.decoder.protocol import JobHead, Material
from media.decoding.errors import DecoderFailed, UndecodableSegment
from media.decoding.result_check import Ready, read_answer, received
from monitors.measurement import SegmentMeasurement

logger = structlog.get_logger(__name__)

SEGMENTS_PER_DECODER = 20_000
"""Then it is replaced, as what leaks adds up. After hours, at a cost of half a second."""

PIPE_BYTES = 1024 * 1024
"""So that most segments are handed over in one go."""

READY_BYTES = 1024

LARGE_BYTES = 256 * 1024
"""A larger answer is read beside the event loop. No segment of usual length has one."""

SAID_BYTES = 2_000
"""Of what a decoder writes to its standard error, between two segments, for the log."""


class DecoderProcess:
    """One decoder process.

    Args:
        process: that was started.
        errors: descriptor of the pipe that its standard error goes to, which does not block.
    """

    def __init__(self, process: asyncio.subprocess.Process, errors: int) -> None:
        assert process.stdin is not None  # noqa: S101
        assert process.stdout is not None  # noqa: S101
        self._process = process
        self._to = process.stdin
        self._from = process.stdout
        self._errors = errors
        self.pid = process.pid
        self._measured = 0
        self._resident_bytes = 0
        self._is_killed = False

    @property
    def is_running(self) -> bool:
        """Whether it lives, as far as is known yet."""
        return self._process.returncode is None

    def is_used_up(self, kept_bytes: int) -> bool:
        """Tell whether it is to be replaced."""
        return self._measured >= SEGMENTS_PER_DECODER or self._resident_bytes > kept_bytes

    async def ready(self) -> Ready:
        """Wait until it is.

        Raises:
            OSError, EOFError, ValueError: it broke.
        """
        return Ready.model_validate_json(await received(self._from, READY_BYTES))

    async def measure(self, head: JobHead, material: Material) -> SegmentMeasurement:
        """Have a segment measured.

        Raises:
            UndecodableSegment: it says that it cannot be decoded.
            OSError, EOFError, ValueError: it broke.
        """
        head = head._replace(number=secrets.randbits(64))
        self._to.write(head.pack() + material.parameter_sets + material.lead)
        self._to.write(material.segment)
        await self._to.drain()
        text = await received(self._from, head.most_answer_bytes)
        if len(text) <= LARGE_BYTES:
            answer, measurement = read_answer(text, head)
        else:
            answer, measurement = await asyncio.to_thread(read_answer, text, head)
        self._measured += 1
        self._resident_bytes = answer.resident_bytes
        self._log_errors()
        if measurement is None:
            raise UndecodableSegment(answer.undecodable)
        return measurement

    def failure(self, error: Exception) -> DecoderFailed | UndecodableSegment:
        """Return what happened to a decoder that is dead."""
        code = self._process.returncode or 0
        if code == -signal.SIGPROF:
            return UndecodableSegment("takes too much CPU time")
        if code < 0 and not isinstance(error, ValueError):
            return DecoderFailed(f"the decoder was stopped by signal {-code}")
        return DecoderFailed(f"the decoder broke ({type(error).__name__})")

    def _log_errors(self) -> None:
        """Log what it wrote to its standard error; a pipe holds 64 KiB at most."""
        with contextlib.suppress(BlockingIOError):
            if said := os.read(self._errors, PIPE_BYTES):
                text = said[-SAID_BYTES:].decode(errors="replace")
                logger.warning("a decoder wrote an error", pid=self.pid, text=text)

    async def kill(self) -> None:
        """Kill the process and reap it."""
        if not self._is_killed:
            self._is_killed = True  # Once: when it is reaped, its number may be another's.
            # Not `Process.kill`: it may reap the process itself, and asyncio then never learns how
            # it ended.
            if self.is_running:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self.pid, signal.SIGKILL)
            self._to.close()
            self._log_errors()
            os.close(self._errors)
        # Reaped even when the caller is cancelled meanwhile: nothing survives SIGKILL.
        await asyncio.shield(asyncio.ensure_future(self._process.wait()))


async def start_decoder(command: Sequence[str]) -> DecoderProcess:
    """Start a decoder; it is not ready yet.

    Raises:
        DecoderFailed: it cannot be started.
    """
    errors, its_errors = os.pipe()
    for descriptor in (errors, its_errors):  # what is not read is lost, and holds up nobody
        os.set_blocking(descriptor, False)
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=its_errors,
            cwd="/",
            env=_environment(),
            start_new_session=True,
        )
    except BaseException as error:
        os.close(errors)
        if isinstance(error, OSError):
            raise DecoderFailed(f"cannot start a decoder: {error.strerror}") from error
        raise
    finally:
        os.close(its_errors)
    _enlarge(process)
    return DecoderProcess(process, errors)


def _environment() -> dict[str, str]:
    """Return a decoder's environment: nothing of the worker's but where Python finds modules."""
    inherited = {name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ}
    return {
        "PATH": os.defpath,
        "LC_ALL": "C.UTF-8",
        "PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path)),
        "PYTHONDONTWRITEBYTECODE": "1",
        # It may start no threads, and has no use for any.
        "OPENBLAS_NUM_THREADS": "1",
        **inherited,
    }


def _enlarge(process: asyncio.subprocess.Process) -> None:
    resize = getattr(fcntl, "F_SETPIPE_SZ", None)  # Linux only
    pipe = process.stdin.transport.get_extra_info("pipe") if process.stdin else None
    if resize is not None and pipe is not None:
        with contextlib.suppress(OSError):
            fcntl.fcntl(pipe.fileno(), resize, PIPE_BYTES)
