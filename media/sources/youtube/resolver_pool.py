"""Warm processes that poll YouTube through yt-dlp and streamlink.

A poll runs code that parses whatever the site sends, and that may hang or leak.
"""

import asyncio
import sys
from dataclasses import asdict
from pathlib import Path

from pydantic import BaseModel

from media.processes.framing import pack_json
from media.processes.run_once import ProcessFailed, ProcessTimedOut
from media.processes.warm_pool import Program, WarmPool
from media.sources.youtube.resolution import (
    ResolvedVideo,
    ResolveRequest,
    ResolverFailed,
    ResolverTimedOut,
)
from media.sources.youtube.resolver_options import (
    ResolverSetup,
    YouTubeOptions,
    parse_extractor_args,
)
from media.sources.youtube.workspace import (
    Workspace,
    javascript_path,
    private_environment,
    read_cookies,
    trusted_certificates,
)

COMMAND = (sys.executable, "-P", "-m", "media.sources.youtube.resolver_process")
MAX_ANSWER_BYTES = 16 * 1024 * 1024


class _Answer(BaseModel):
    """`failed` is the type of the error why a resolver cannot be set up."""

    resolution: ResolvedVideo | None = None
    failed: str = ""


class ResolverPool:
    """Polls through warm resolver processes. Close it after use."""

    def __init__(self, options: YouTubeOptions) -> None:
        self._options = options
        self._workspace = Workspace()
        self._pool = WarmPool(
            self._program,
            max_job_sec=options.extraction_timeout_sec,
            max_jobs=options.max_resolver_jobs,
            max_resident_bytes=options.max_resolver_bytes,
            check_ready=lambda _: None,
        )

    async def resolve(self, request: ResolveRequest) -> ResolvedVideo:
        """Poll once.

        Raises:
            ResolverTimedOut: `extraction_timeout_sec` passed; nothing is left of the process.
            ResolverFailed: the process broke, or the pool is closed.
        """
        try:
            async with self._pool.lease() as process:
                text = await process.ask(
                    pack_json(asdict(request)), max_answer_bytes=MAX_ANSWER_BYTES
                )
                answer = _Answer.model_validate_json(text)
                if answer.resolution is None:  # a new process reads cookies and certificates again
                    raise ResolverFailed(f"{request.resolver} cannot be set up ({answer.failed})")
        except ProcessTimedOut as error:
            raise ResolverTimedOut(str(error)) from None
        except ProcessFailed as error:
            # Without the cause, which may quote a signed URL.
            raise ResolverFailed(f"a resolver process {error}") from None
        return answer.resolution

    async def close(self) -> None:
        await self._pool.close()
        self._workspace.close()

    def process_ids(self) -> list[int]:
        return self._pool.process_ids()

    async def _program(self) -> Program:
        try:
            setup = await asyncio.to_thread(resolver_setup, self._options, self._workspace.path)
        except UnicodeDecodeError:
            raise ResolverFailed("the cookies or certificates are not text") from None
        return resolver_program(setup)


def resolver_program(setup: ResolverSetup) -> Program:
    return Program(
        command=COMMAND,
        env=private_environment(setup.folder, setup.ca_file),
        cwd=setup.folder,
        setup=pack_json(asdict(setup)),
    )


def resolver_setup(options: YouTubeOptions, folder: Path) -> ResolverSetup:
    return ResolverSetup(
        folder=str(folder),
        request_timeout_sec=options.request_timeout_sec,
        cookies=read_cookies(options),
        proxy=options.proxy,
        ca_file=trusted_certificates(options.ca_bundle, folder),
        extractor_args=parse_extractor_args(options.extractor_args),
        javascript_path=javascript_path(),
    )
