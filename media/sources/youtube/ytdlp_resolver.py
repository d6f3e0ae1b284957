"""yt-dlp as a library: one poll of one video. Runs in a resolver process only.

The poll asks for no processing and no exception about missing formats: so the live status is kept
where a video cannot be played, and the site's reason arrives beside it.
"""

import io
from dataclasses import dataclass, field
from typing import Any

from yt_dlp import YoutubeDL
from yt_dlp.networking.exceptions import HTTPError, RequestError
from yt_dlp.utils import DownloadError, ExtractorError, GeoRestrictedError

from media.sources.youtube.resolution import ResolvedVideo, ResolveRequest, read_info
from media.sources.youtube.resolver_options import ResolverSetup, with_depth


@dataclass
class _Record:
    """What happens during one poll."""

    reasons: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    countries: list[str] = field(default_factory=list)
    exception: str | None = None
    http_statuses: list[int] = field(default_factory=list)
    requests: int = 0
    unanswered: int = 0

    def fields(self) -> dict[str, Any]:
        return {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in vars(self).items()
        }


class _Logger:
    """What yt-dlp logs to: keeps warnings."""

    def __init__(self, client: "_Client") -> None:
        self._client = client

    def debug(self, message: str) -> None:
        """Ignore progress."""

    def warning(self, message: str) -> None:
        self._client.record.warnings.append(str(message))

    def error(self, message: str) -> None:
        """Ignore an error: it is raised too."""


class _Client(YoutubeDL):  # type: ignore[misc]  # yt-dlp is not typed
    """A `YoutubeDL` that counts its requests and their answers."""

    record = _Record()

    def urlopen(self, request: Any) -> Any:
        self.record.requests += 1
        try:
            return super().urlopen(request)
        except HTTPError as error:
            self.record.http_statuses.append(error.status)
            raise
        except RequestError:
            self.record.unanswered += 1
            raise


class YtDlpResolver:
    """Polls videos through one `YoutubeDL`, which keeps its session with the site."""

    def __init__(self, setup: ResolverSetup) -> None:
        self._client = _Client(_parameters(setup))
        self._client.params["logger"] = _Logger(self._client)
        _ = self._client.cookiejar  # read now: bad cookies are no fault of a video
        self._given_args = setup.extractor_args
        self._extractor = self._client.get_info_extractor("Youtube")
        self._record_reasons()

    def resolve(self, request: ResolveRequest) -> ResolvedVideo:
        """Poll once. Raises nothing."""
        self._client.record = record = _Record()
        self._client.params["extractor_args"] = with_depth(self._given_args, request.depth)
        info = self._extract(request.watch_url, record)
        fields = read_info(info) if info else {}
        return ResolvedVideo(
            resolver=request.resolver, depth=request.depth, **fields, **record.fields()
        )

    def _extract(self, url: str, record: _Record) -> dict[str, Any] | None:
        try:
            info = self._client.extract_info(url, download=False, process=False, ie_key="Youtube")
        except DownloadError as error:
            _record_failure(record, error.exc_info[1] or error)
        except Exception as error:
            # Whatever it is, it must not end the process: the poll failed, nothing more is known.
            _record_failure(record, error)
        else:
            if info and info.get("_type", "video") == "video":
                return dict(info)
            record.reasons += ["requires payment"] if info else []
        return None

    def _record_reasons(self) -> None:
        """Record what the extractor reports of the video as a whole, apart from the warnings."""
        # Both are warnings when missing formats are ignored, but only these are about the video.
        raise_no_formats = self._extractor.raise_no_formats
        raise_geo_restricted = self._extractor.raise_geo_restricted

        def no_formats(message: Any, *args: Any, **kwargs: Any) -> None:
            self._client.record.reasons.append(str(message))
            raise_no_formats(message, *args, **kwargs)

        def geo_restricted(message: Any = "", countries: Any = None, **kwargs: Any) -> None:
            self._client.record.reasons.append(str(message))
            self._client.record.countries += countries or ()
            raise_geo_restricted(message, countries=countries, **kwargs)

        self._extractor.raise_no_formats = no_formats
        self._extractor.raise_geo_restricted = geo_restricted


def _record_failure(record: _Record, error: BaseException) -> None:
    cause = getattr(error, "cause", None) or error
    record.exception = type(cause).__name__
    if not isinstance(error, ExtractorError):
        record.warnings.append(str(error))
        return
    record.reasons.append(error.orig_msg)
    record.warnings.append(str(error))
    if isinstance(error, GeoRestrictedError):
        record.countries += error.countries or ()


def _parameters(setup: ResolverSetup) -> dict[str, Any]:
    parameters: dict[str, Any] = {
        "quiet": True,
        "noprogress": True,
        "noplaylist": True,
        "ignore_no_formats_error": True,
        "extractor_retries": 1,
        "socket_timeout": setup.request_timeout_sec,
        "allowed_extractors": ["youtube"],
        "geo_bypass": False,
        "cachedir": setup.folder,
        # An empty text stands for no proxy; None would let the environment decide.
        "proxy": setup.proxy or "",
        "js_runtimes": {"deno": {"path": setup.javascript_path}},
    }
    if setup.cookies is not None:
        parameters["cookiefile"] = io.StringIO(setup.cookies)
    if setup.ca_file:
        # Without the first, yt-dlp trusts certifi's list whatever SSL_CERT_FILE says.
        parameters["compat_opts"] = {"no-certifi"}
    return parameters
