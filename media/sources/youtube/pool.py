"""A small pool of warm helper processes that look at YouTube.

A look runs code that parses whatever the site sends, and that may hang or leak. So it runs in a
process that can be killed, and that is replaced now and then.
"""

import asyncio
import contextlib
import os
import signal
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from media.sources.youtube.errors import ResolverFailed, ResolverTimedOut
from media.sources.youtube.helper_protocol import (
    LENGTH_BYTES,
    ResolveRequest,
    ResolverSetup,
    WireError,
    pack,
    unpack,
    unpack_length,
)
from media.sources.youtube.resolution import Resolution
from media.sources.youtube.resolver_options import YouTubeOptions, parse_extractor_args
from media.sources.youtube.workspace import (
    Workspace,
    javascript_path,
    private_environment,
    read_cookies,
    trusted_certificates,
)

_FINDING = TypeAdapter(Resolution)


class ResolverPool:
    """Looks through up to `options.helpers` processes at once. Close it after use."""

    def __init__(self, options: YouTubeOptions) -> None:
        self._options = options
        self._slots = asyncio.Semaphore(options.helpers)
        self._idle: list[_Helper] = []
        self._busy: set[_Helper] = set()
        self._workspace = Workspace()
        self._is_closed = False

    async def look(self, question: ResolveRequest) -> Resolution:
        """Look once.

        Raises:
            ResolverTimedOut: `extraction_timeout_sec` passed; nothing is left of the process.
            ResolverFailed: the process broke, or the pool is closed.
        """
        async with self._slots:
            helper = await self._take()
            try:
                finding = await self._ask(helper, question)
            except BaseException:
                # Cancelled too: the answer would be taken for that of the next question.
                await helper.kill()
                raise
            finally:
                self._busy.discard(helper)
            await self._give_back(helper)
            return finding

    async def close(self) -> None:
        """End all helpers and remove their folder."""
        self._is_closed = True
        await asyncio.gather(*(helper.kill() for helper in (*self._idle, *self._busy)))
        self._idle.clear()
        self._workspace.close()

    def process_ids(self) -> list[int]:
        """Return the helpers' process ids."""
        return [helper.pid for helper in (*self._idle, *self._busy)]

    async def _take(self) -> "_Helper":
        if self._is_closed:
            raise ResolverFailed("the pool is closed")
        helper = self._idle.pop() if self._idle else await self._started()
        if self._is_closed:
            await helper.kill()
            raise ResolverFailed("the pool is closed")
        self._busy.add(helper)
        return helper

    async def _started(self) -> "_Helper":
        try:
            setup = await asyncio.to_thread(resolver_setup, self._options, self._workspace.path)
            return await _Helper.start(setup)
        except OSError as error:
            raise ResolverFailed(f"cannot start a helper: {error.strerror}") from error
        except UnicodeDecodeError:
            raise ResolverFailed("the cookies or certificates are no text") from None

    async def _ask(self, helper: "_Helper", question: ResolveRequest) -> Resolution:
        limit_sec = self._options.extraction_timeout_sec
        try:
            async with asyncio.timeout(limit_sec):
                answer = await helper.ask(asdict(question))
            if failed := answer.get("failed"):
                raise ResolverFailed(f"{question.resolver} cannot be set up ({failed})")
            return _FINDING.validate_python(answer["finding"])
        except TimeoutError:
            raise ResolverTimedOut(f"still looking after {limit_sec:g} s") from None
        except (OSError, EOFError, WireError, KeyError, ValidationError) as error:
            # Without the error itself: it may quote a signed URL.
            raise ResolverFailed(f"a helper broke ({type(error).__name__})") from None

    async def _give_back(self, helper: "_Helper") -> None:
        is_worn = (
            helper.answered >= self._options.looks_per_helper
            or helper.resident_bytes > self._options.helper_memory_bytes
        )
        if is_worn or self._is_closed:
            await helper.kill()
        else:
            self._idle.append(helper)


class _Helper:
    """One helper process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None  # noqa: S101
        assert process.stdout is not None  # noqa: S101
        self._process = process
        self._to = process.stdin
        self._from = process.stdout
        self.pid = process.pid
        self.answered = 0
        self.resident_bytes = 0
        self._is_killed = False

    @classmethod
    async def start(cls, setup: ResolverSetup) -> "_Helper":
        """Start a process.

        Raises:
            OSError: it cannot be started.
        """
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",
            "-m",
            "media.sources.youtube.helper",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            cwd=setup.folder,
            env=helper_environment(setup),
            start_new_session=True,
        )
        helper = cls(process)
        helper._to.write(pack(asdict(setup)))
        return helper

    async def ask(self, message: dict[str, Any]) -> dict[str, Any]:
        """Send `message`, return the answer.

        Raises:
            OSError, EOFError, WireError, KeyError: the process broke.
        """
        self._to.write(pack(message))
        await self._to.drain()
        length = unpack_length(await self._from.readexactly(LENGTH_BYTES))
        answer = unpack(await self._from.readexactly(length))
        self.answered += 1
        self.resident_bytes = int(answer["resident_bytes"])
        return answer

    async def kill(self) -> None:
        """Kill the process and all that it started, and reap it."""
        if not self._is_killed:
            self._is_killed = True  # Once: when it is reaped, its number may be another's.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
            self._to.close()
        # Reaped even when the caller is cancelled meanwhile: nothing survives SIGKILL.
        await asyncio.shield(asyncio.ensure_future(self._process.wait()))


def resolver_setup(options: YouTubeOptions, folder: Path) -> ResolverSetup:
    """Return what a helper that works in `folder` is told. Reads and writes files.

    Raises:
        OSError: the cookies or certificates cannot be read.
    """
    return ResolverSetup(
        folder=str(folder),
        request_timeout_sec=options.request_timeout_sec,
        cookies=read_cookies(options),
        proxy=options.proxy,
        source_address=options.source_address,
        ca_file=trusted_certificates(options.ca_bundle, folder),
        extractor_args=parse_extractor_args(options.extractor_args),
        javascript_path=javascript_path(),
    )


def helper_environment(setup: ResolverSetup) -> dict[str, str]:
    """Return the environment of a helper, in which Python finds the modules that this one does."""
    inherited = {name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ}
    return {
        **private_environment(setup.folder, setup.ca_file),
        "PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path)),
        "PYTHONDONTWRITEBYTECODE": "1",
        **inherited,
    }
