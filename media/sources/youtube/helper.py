"""A helper process: answers questions on its standard input until that closes.

`media.sources.youtube.pool` runs it as `python -m media.sources.youtube.helper`, in a process group
of its own.
"""

import contextlib
import os
import queue
import resource
import shutil
import signal
import sys
import threading
from dataclasses import asdict
from typing import IO, Any

from media.sources.youtube.helper_protocol import (
    ResolveRequest,
    ResolverSetup,
    WireError,
    pack,
    read_message,
)
from media.sources.youtube.resolution import Resolution
from media.sources.youtube.resolver_options import Depth, Resolver

CPU_LIMIT_SEC = 600
"""For its whole life. A look takes some hundredths: only a helper that spins comes here, and one
that spins inside a C function would not notice that its worker is gone."""

Inbox = queue.SimpleQueue[dict[str, Any]]


def main() -> None:
    """Answer questions until standard input closes."""
    _limit_cpu()
    questions, answers = _take_over_standard_streams()
    first = read_message(questions)
    if first is None:
        return
    setup = ResolverSetup(**first)
    inbox: Inbox = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(questions, inbox, setup.folder), daemon=True).start()
    looks = Looks(setup)
    while True:
        answers.write(pack(_answer(looks, inbox.get())))
        answers.flush()


class Looks:
    """The resolvers of this process, each made when it is first needed."""

    def __init__(self, setup: ResolverSetup) -> None:
        self._setup = setup
        self._resolvers: dict[Resolver, Any] = {}

    def look(self, question: ResolveRequest) -> Resolution:
        """Look once, as `question` asks."""
        resolver = self._resolvers.get(question.resolver)
        if resolver is None:
            resolver = self._resolvers[question.resolver] = self._made(question.resolver)
        finding: Resolution = resolver.look(question.video_id, question.depth)
        return finding

    def _made(self, resolver: Resolver) -> Any:
        # Each import takes a third of a second and 30 to 50 MB.
        if resolver is Resolver.STREAMLINK:
            # Both patch `urllib3.util.url._PERCENT_RE`. yt-dlp's patch wraps what it finds, and
            # streamlink's lacks the method that it calls: imported second, yt-dlp could not use
            # its better way to send requests any more.
            import yt_dlp.networking  # noqa: F401

            from media.sources.youtube.streamlinks import StreamlinkLooks

            return StreamlinkLooks(self._setup)
        from media.sources.youtube.ytdlp import YtDlp

        return YtDlp(self._setup)


def resident_bytes() -> int:
    """Return the memory that this process holds now; its highest where that is not told."""
    with contextlib.suppress(OSError), open("/proc/self/statm") as pages:
        return int(pages.read().split()[1]) * resource.getpagesize()
    highest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return highest if sys.platform == "darwin" else highest * 1024


def _limit_cpu() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_CPU)
    limit_sec = CPU_LIMIT_SEC if most == resource.RLIM_INFINITY else min(CPU_LIMIT_SEC, most)
    resource.setrlimit(resource.RLIMIT_CPU, (limit_sec, limit_sec))


def _take_over_standard_streams() -> tuple[IO[bytes], IO[bytes]]:
    """Return private copies of both streams: nothing that a library prints may get between."""
    questions = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    os.close(nothing)
    return questions, answers


def _listen(questions: IO[bytes], inbox: Inbox, folder: str) -> None:
    """Pass on questions; end the process group, mid-look or not, when the worker is gone."""
    with contextlib.suppress(WireError):
        while (message := read_message(questions)) is not None:
            inbox.put(message)
    shutil.rmtree(folder, ignore_errors=True)
    os.killpg(os.getpgrp(), signal.SIGKILL)


def _answer(looks: "Looks", message: dict[str, Any]) -> dict[str, Any]:
    try:
        finding = looks.look(_question(message))
    except Exception as error:
        # A resolver that cannot be imported or set up. Not its text, which may quote a secret.
        return {"failed": type(error).__name__, "resident_bytes": resident_bytes()}
    return {"finding": asdict(finding), "resident_bytes": resident_bytes()}


def _question(message: dict[str, Any]) -> ResolveRequest:
    return ResolveRequest(
        Resolver(message["resolver"]), Depth(message["depth"]), message["video_id"]
    )


if __name__ == "__main__":
    main()
