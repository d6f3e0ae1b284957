"""yt-dlp and streamlink as executables of the user: newer ones than the image holds, or others.

Each poll starts a process, which costs about a second of CPU. What is secret goes through files in
a private folder and through standard input, as arguments are for everybody on the machine to see.
"""

import json
import re
import shlex
from collections.abc import Sequence
from pathlib import Path

from media.processes.run_once import Finished, Limits, ProcessFailed, ProcessTimedOut, run_bounded
from media.sources.youtube.resolution import (
    ResolvedVideo,
    ResolveRequest,
    ResolverFailed,
    ResolverTimedOut,
    clean_text,
    read_info,
)
from media.sources.youtube.resolver_options import (
    PollDepth,
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
_NO_LIMIT = -1  # as `resource.RLIM_INFINITY`: V8, in deno, reserves far more addresses than memory
_LINE = re.compile(r"(WARNING|ERROR): (\[youtube\] (?:[\w-]{11}: )?)?(.*)")
_ANSWERED = re.compile(r"\b(?:Client|Server) Error\b")


class ExternalResolvers:
    """Polls through executables, as `ResolverPool` does. Close it after use."""

    def __init__(self, options: YouTubeOptions) -> None:
        self._options = options
        self._workspace = Workspace()
        self._limits = Limits(
            wall_sec=options.extraction_timeout_sec,
            cpu_sec=_CPU_SEC,
            memory_bytes=_NO_LIMIT,
            output_bytes=_OUTPUT_BYTES,
        )

    async def resolve(self, request: ResolveRequest) -> ResolvedVideo:
        try:
            if request.resolver is Resolver.YTDLP:
                return await self._run_ytdlp(request)
            return await self._run_streamlink(request)
        except ProcessTimedOut as error:
            raise ResolverTimedOut(str(error)) from None
        except (ProcessFailed, OSError, ValueError) as error:
            failed = f"{request.resolver} failed ({type(error).__name__})"
            raise ResolverFailed(failed) from None

    async def close(self) -> None:
        self._workspace.close()

    async def _run_ytdlp(self, request: ResolveRequest) -> ResolvedVideo:
        config = self._written(
            f"yt-dlp-{request.depth}", ytdlp_config(self._options, request.depth, self._ca_file())
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
            request.watch_url,
        ]
        finished = await self._run(command, stdin=(cookies or "").encode())
        return read_ytdlp(request, finished.stdout, finished.stderr)

    async def _run_streamlink(self, request: ResolveRequest) -> ResolvedVideo:
        config = self._written("streamlink", streamlink_config(self._options))
        command = [
            str(self._options.streamlink_path),
            *("--config", str(config)),
            "--json",
            request.watch_url,
        ]
        finished = await self._run(command)
        return read_streamlink(request, finished.stdout)

    async def _run(self, command: Sequence[str], stdin: bytes = b"") -> Finished:
        environment = private_environment(str(self._workspace.path), self._ca_file())
        return await run_bounded(command, stdin=stdin, limits=self._limits, env=environment)

    def _ca_file(self) -> str | None:
        return trusted_certificates(self._options.ca_bundle, self._workspace.path)

    def _written(self, name: str, lines: Sequence[str]) -> Path:
        path = self._workspace.path / f"{name}.conf"
        write_whole(path, "\n".join(lines) + "\n")
        return path


def ytdlp_config(options: YouTubeOptions, depth: PollDepth, ca_file: str | None) -> list[str]:
    """The lines of a configuration file that says what `YtDlpResolver` sets."""
    arguments = with_depth(parse_extractor_args(options.extractor_args), depth)
    lines = [
        "--no-playlist",
        "--ignore-no-formats-error",
        "--extractor-retries 1",
        "--use-extractors youtube",
        "--xff never",
        "--cache-dir ~/yt-dlp",
        f"--socket-timeout {options.request_timeout_sec:g}",
        f"--proxy {shlex.quote(options.proxy or '')}",
        *(f"--extractor-args {shlex.quote(text)}" for text in format_extractor_args(arguments)),
    ]
    if ca_file:
        lines.append("--compat-options no-certifi")
    if path := javascript_path():
        lines.append(f"--js-runtimes {shlex.quote(f'deno:{path}')}")
    return lines


def streamlink_config(options: YouTubeOptions) -> list[str]:
    proxy = [f"http-proxy={options.proxy}"] if options.proxy else []
    return [*proxy, f"http-timeout={options.request_timeout_sec:g}"]


def read_ytdlp(request: ResolveRequest, stdout: bytes, stderr: bytes) -> ResolvedVideo:
    """Read what `yt-dlp --dump-single-json` printed."""
    # Where there are no formats, its last warning on the video is the site's reason: the extractor
    # gives it after those on single clients.
    lines = [
        found.groups()
        for found in map(_LINE.match, stderr.decode(errors="replace").splitlines())
        if found
    ]
    errors = [text for kind, _, text in lines if kind == "ERROR"]
    on_video = [text for kind, ours, text in lines if kind == "WARNING" and ours]
    info = json.loads(stdout) if stdout.strip() else None
    if info is None and not errors:
        raise ValueError("yt-dlp printed nothing")
    fields = read_info(info) if isinstance(info, dict) else {}
    return ResolvedVideo(
        resolver=request.resolver,
        depth=request.depth,
        reasons=tuple(errors or ([] if fields.get("formats") else on_video[-1:])),
        warnings=tuple(text for kind, _, text in lines if kind == "WARNING"),
        exception="ExtractorError" if errors else None,
        **fields,
    )


def read_streamlink(request: ResolveRequest, stdout: bytes) -> ResolvedVideo:
    """Read what `streamlink --json` printed.

    In that mode it logs nothing, so it does not say why a video cannot be played: only media, which
    it names by a master playlist for live streams alone, and trouble with requests can be read.
    """
    answer = json.loads(stdout)
    if not isinstance(answer, dict):
        raise ValueError("streamlink printed no object")
    streams = (answer.get("streams") or {}).values()
    masters = [stream["master"] for stream in streams if stream.get("master")]
    error = clean_text(answer.get("error")) or ""
    is_unanswered = error.startswith("Unable to open URL") and not _ANSWERED.search(error)
    return ResolvedVideo(
        resolver=request.resolver,
        depth=request.depth,
        live_status="is_live" if masters else None,
        title=clean_text((answer.get("metadata") or {}).get("title")),
        reasons=(error,) if _ANSWERED.search(error) else (),
        exception="PluginError" if error else None,
        requests=int(is_unanswered),
        unanswered=int(is_unanswered),
        master_url=masters[0] if masters else None,
    )
