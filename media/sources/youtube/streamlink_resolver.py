"""Streamlink as a library: the second, independent poll. Runs in a resolver process only.

It asks as another client and needs three requests. Its failures are log lines, not errors.
"""

import logging
from typing import Any

from streamlink.exceptions import PluginError, StreamlinkError
from streamlink.session.session import Streamlink
from streamlink.stream.hls.hls import HLSStream, MuxedHLSStream

from media.sources.youtube.resolution import ResolvedVideo, ResolveRequest
from media.sources.youtube.resolver_options import ResolverSetup

LIVE_LINE = "This video is live."
FAILURE_PREFIX = "Could not get video info - "


class _LogCapture(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[tuple[int, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append((record.levelno, record.getMessage()))


class StreamlinkResolver:
    """Polls videos through one streamlink session."""

    def __init__(self, setup: ResolverSetup) -> None:
        self._session = _session(setup)
        self._session.http.hooks["response"].append(self._record_answer)
        self._statuses: list[int] = []
        self._capture = _LogCapture()
        log = logging.getLogger("streamlink")
        log.handlers = [self._capture]
        log.setLevel(logging.DEBUG)
        log.propagate = False

    def resolve(self, request: ResolveRequest) -> ResolvedVideo:
        """Poll once. Raises nothing. The depth makes no difference to it."""
        self._statuses.clear()
        self._capture.lines.clear()
        fields = self._resolve(request.watch_url)
        return ResolvedVideo(
            resolver=request.resolver,
            depth=request.depth,
            requests=len(self._statuses) + (fields.get("unanswered") or 0),
            http_statuses=tuple(status for status in self._statuses if status >= 400),
            **fields,
        )

    def _resolve(self, url: str) -> dict[str, Any]:
        try:
            _, plugin_class, resolved = self._session.resolve_url(url)
            plugin = plugin_class(self._session, resolved)
            streams = plugin.streams()
        except PluginError as error:
            has_answer = getattr(getattr(error, "err", None), "response", None) is not None
            return {
                "reasons": (str(error),) if has_answer else (),
                "warnings": (str(error),),
                "exception": type(getattr(error, "err", None) or error).__name__,
                "unanswered": 0 if has_answer else 1,
            }
        except (StreamlinkError, OSError, ValueError) as error:
            return {"warnings": (str(error),), "exception": type(error).__name__}
        return read_lines(self._capture.lines) | {
            "title": plugin.title,
            "master_url": _master_url(list(streams.values())),
        }

    def _record_answer(self, answer: Any, *_: Any, **__: Any) -> None:
        self._statuses.append(answer.status_code)


def read_lines(lines: list[tuple[int, str]]) -> dict[str, Any]:
    """Read log lines (level, text) into the fields of a `ResolvedVideo`."""
    failures = [text for level, text in lines if level >= logging.ERROR]
    is_live = any(text == LIVE_LINE for _, text in lines)
    return {
        "live_status": "is_live" if is_live else None,
        "reasons": tuple(text.removeprefix(FAILURE_PREFIX) for text in failures),
        "warnings": tuple(text for level, text in lines if level == logging.WARNING),
    }


def _master_url(streams: list[Any]) -> str | None:
    for stream in streams:
        if isinstance(stream, HLSStream | MuxedHLSStream) and stream.multivariant:
            return str(stream.multivariant.uri)
    return None


def _session(setup: ResolverSetup) -> Streamlink:
    session = Streamlink(plugins_lazy=True)
    session.set_option("no-plugin-cache", True)
    session.set_option("http-trust-env", False)
    session.set_option("http-timeout", setup.request_timeout_sec)
    if setup.proxy:
        session.set_option("http-proxy", setup.proxy)
    if setup.ca_file:
        session.set_option("http-ssl-verify", setup.ca_file)
    return session
