"""yt-dlp and streamlink as executables of the user: newer ones than the image holds, or others.

Each look starts a process, which costs about a second of CPU. What is secret goes through files in
a private folder and through standard input, as arguments are for everybody on the machine to see.
"""

import asyncio
import os
import shlex
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from media.processes.bounded import ChildFailed, ChildTimedOut, Finished, Limits, run_bounded
from media.sources.youtube.errors import ResolverFailed, ResolverTimedOut
from media.sources.youtube.external_output import read_streamlink, read_ytdlp
from media.sources.youtube.helper_protocol import ResolveRequest, watch_url
from media.sources.youtube.resolution import Resolution
from media.sources.youtube.resolver_options import (
    Depth,
    Resolver,
    YouTubeOptions,
    format_extractor_args,
    parse_extractor_args,
    with_depth,
)
from media.sources.youtube.workspace import (
    Workspace,
    javascript_path,
    private_environment,
    read_cookies,
    trusted_certificates,
    write_whole,
)

_CPU_SEC = 60
_OUTPUT_BYTES = 32 * 1024 * 1024
_NO_LIMIT = -1
"""As `resource.RLIM_INFINITY`: V8, in deno, reserves far more addresses than memory."""


class ExternalResolvers:
    """Looks through executables, up to `options.helpers` at once. Close it after use."""

    def __init__(self, options: YouTubeOptions) -> None:
        self._options = options
        self._slots = asyncio.Semaphore(options.helpers)
        self._workspace = Workspace()
        self._limits = Limits(
            wall_sec=options.extraction_timeout_sec,
            cpu_sec=_CPU_SEC,
            memory_bytes=_NO_LIMIT,
            output_bytes=_OUTPUT_BYTES,
        )

    async def look(self, question: ResolveRequest) -> Resolution:
        """Look once.

        Raises:
            ResolverTimedOut: `extraction_timeout_sec` passed; nothing is left of the process.
            ResolverFailed: the executable cannot be run, or says nothing that can be read.
        """
        async with self._slots:
            try:
                if question.resolver is Resolver.YTDLP:
                    return await self._ask_ytdlp(question)
                return await self._ask_streamlink(question)
            except ChildTimedOut as error:
                raise ResolverTimedOut(str(error)) from None
            except (ChildFailed, OSError, ValueError) as error:
                raise ResolverFailed(
                    f"{question.resolver} failed ({type(error).__name__})"
                ) from None

    async def close(self) -> None:
        """Remove the private folder."""
        self._workspace.close()

    async def _ask_ytdlp(self, question: ResolveRequest) -> Resolution:
        config = self._written(
            f"yt-dlp-{question.depth}", ytdlp_config(self._options, question.depth, self._ca_file())
        )
        cookies = read_cookies(self._options)
        command = [
            str(self._options.ytdlp_path),
            "--ignore-config",
            "--config-locations",
            str(config),
            # A copy in memory, to which yt-dlp may write as it likes.
            *(["--cookies", "/dev/stdin"] if cookies is not None else []),
            "--dump-single-json",
            "--",
            watch_url(question.video_id),
        ]
        finished = await self._run(command, stdin=(cookies or "").encode())
        return read_ytdlp(question, finished.stdout, finished.stderr)

    async def _ask_streamlink(self, question: ResolveRequest) -> Resolution:
        config = self._written("streamlink", streamlink_config(self._options))
        command = [
            str(self._options.streamlink_path),
            *("--config", str(config)),
            "--json",
            watch_url(question.video_id),
        ]
        finished = await self._run(command)
        return read_streamlink(question, finished.stdout)

    async def _run(self, command: Sequence[str], stdin: bytes = b"") -> Finished:
        """Run `command` with an environment of its own, which `run_bounded` does not give."""
        environment = private_environment(str(self._workspace.path), self._ca_file())
        env = shutil.which("env", path=os.defpath) or "/usr/bin/env"
        settings = [f"{name}={value}" for name, value in environment.items()]
        return await run_bounded([env, *settings, *command], stdin=stdin, limits=self._limits)

    def _ca_file(self) -> str | None:
        return trusted_certificates(self._options.ca_bundle, self._workspace.path)

    def _written(self, name: str, lines: Sequence[str]) -> Path:
        path = self._workspace.path / f"{name}.conf"
        write_whole(path, "\n".join(lines) + "\n")
        return path


def ytdlp_config(options: YouTubeOptions, depth: Depth, ca_file: str | None) -> list[str]:
    """Return a configuration file's lines: the same as `ytdlp.py` sets."""
    settings: dict[str, Any] = {
        "--proxy": options.proxy or "",
        "--source-address": options.source_address,
        "--socket-timeout": options.request_timeout_sec,
        "--extractor-retries": 1,
        "--use-extractors": "youtube",
        "--xff": "never",
        "--cache-dir": "~/yt-dlp",
        "--compat-options": "no-certifi" if ca_file else None,
        "--js-runtimes": f"deno:{path}" if (path := javascript_path()) else None,
    }
    arguments = with_depth(parse_extractor_args(options.extractor_args), depth)
    return [
        "--no-playlist",
        "--ignore-no-formats-error",
        *(
            f"{name} {shlex.quote(str(value))}"
            for name, value in settings.items()
            if value is not None
        ),
        *(f"--extractor-args {shlex.quote(text)}" for text in format_extractor_args(arguments)),
    ]


def streamlink_config(options: YouTubeOptions) -> list[str]:
    """Return a configuration file's lines: the same as `streamlinks.py` sets."""
    settings = {
        "http-proxy": options.proxy,
        "interface": options.source_address,
        "http-timeout": f"{options.request_timeout_sec:g}",
    }
    return [f"{name}={value}" for name, value in settings.items() if value is not None]
