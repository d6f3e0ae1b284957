"""A resolver process: polls videos as it is asked on standard input, until that closes.

`media.sources.youtube.resolver_pool` runs it, in a process group of its own.
"""

import contextlib
import os
import queue
import resource
import shutil
import signal
import threading
from dataclasses import asdict
from typing import IO, Any

from media.processes.framing import pack_json, read_json
from media.sources.youtube.resolution import ResolvedVideo, ResolveRequest
from media.sources.youtube.resolver_options import PollDepth, Resolver, ResolverSetup

CPU_LIMIT_SEC = 600
"""For its whole life. A poll takes some hundredths: only a process that spins comes here, and one
that spins inside a C function does not notice that its worker is gone."""


def main() -> None:
    _limit_cpu()
    requests, answers = _take_over_standard_streams()
    setup = ResolverSetup(**read_json(requests))
    inbox = queue.SimpleQueue[ResolveRequest]()
    threading.Thread(target=_listen, args=(requests, inbox, setup.folder), daemon=True).start()
    resolvers = Resolvers(setup)
    answer: dict[str, Any] = {}  # ready
    while True:
        answers.write(pack_json(answer))
        answers.flush()
        answer = _answer(resolvers, inbox.get())


class Resolvers:
    """The resolvers of this process, each made when it is first needed."""

    def __init__(self, setup: ResolverSetup) -> None:
        self._setup = setup
        self._made: dict[Resolver, Any] = {}

    def resolve(self, request: ResolveRequest) -> ResolvedVideo:
        if request.resolver not in self._made:
            self._made[request.resolver] = self._make(request.resolver)
        resolution: ResolvedVideo = self._made[request.resolver].resolve(request)
        return resolution

    def _make(self, resolver: Resolver) -> Any:
        # Each import takes a third of a second and 30 to 50 MB.
        if resolver is Resolver.STREAMLINK:
            # Both patch `urllib3.util.url._PERCENT_RE`. yt-dlp's patch wraps what it finds, and
            # streamlink's lacks the method that it calls: imported second, yt-dlp could not use
            # its better way to send requests any more.
            import yt_dlp.networking  # noqa: F401

            from media.sources.youtube.streamlink_resolver import StreamlinkResolver

            return StreamlinkResolver(self._setup)
        from media.sources.youtube.ytdlp_resolver import YtDlpResolver

        return YtDlpResolver(self._setup)


def _limit_cpu() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_CPU)
    limit_sec = CPU_LIMIT_SEC if most == resource.RLIM_INFINITY else min(CPU_LIMIT_SEC, most)
    resource.setrlimit(resource.RLIMIT_CPU, (limit_sec, limit_sec))


def _take_over_standard_streams() -> tuple[IO[bytes], IO[bytes]]:
    """Return private copies of both streams: nothing that a library prints gets between."""
    requests = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    os.close(nothing)
    return requests, answers


def _listen(requests: IO[bytes], inbox: "queue.SimpleQueue[ResolveRequest]", folder: str) -> None:
    """Pass on requests; end the process group, mid-poll or not, when the worker is gone."""
    with contextlib.suppress(ValueError):
        while (message := read_json(requests)) is not None:
            inbox.put(
                ResolveRequest(
                    Resolver(message["resolver"]), PollDepth(message["depth"]), message["video_id"]
                )
            )
    shutil.rmtree(folder, ignore_errors=True)
    os.killpg(os.getpgrp(), signal.SIGKILL)


def _answer(resolvers: Resolvers, request: ResolveRequest) -> dict[str, Any]:
    try:
        return {"resolution": asdict(resolvers.resolve(request))}
    except Exception as error:
        # A resolver that cannot be imported or set up. Not its text, which may quote a secret.
        return {"failed": type(error).__name__}


if __name__ == "__main__":
    main()
