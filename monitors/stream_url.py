"""Which stream a URL means."""

import hashlib
import re
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import SplitResult, parse_qs, urlsplit

import idna
from pydantic_core import to_json

MAX_URL_BYTES = 2048  # as events carry it: JSON in UTF-8

_SHORT_HOSTS = frozenset({"youtu.be", "www.youtu.be"})
_YOUTUBE_DOMAINS = ("youtube.com", "youtube-nocookie.com")
_VIDEO_ID = re.compile(r"[A-Za-z0-9_-]{11}")
_UNSAFE = re.compile(r"[\x00-\x20\x7f\\]")
DEFAULT_PORTS = {"http": 80, "https": 443}
_DIGEST_LENGTH = 32
_NETLOC_LENGTH = 160


class InvalidStreamUrl(ValueError):
    """The URL cannot be monitored; the message gives the reason."""


class StreamKind(StrEnum):
    """How the media behind a URL is found."""

    YOUTUBE = "youtube"
    HLS = "hls"
    DASH = "dash"
    MANIFEST = "manifest"  # a direct URL whose path does not tell; its content type will


@dataclass(frozen=True)
class StreamSource:
    """A stream; `key` is equal for all its URLs, free of secrets, at most 200 characters."""

    url: str
    kind: StreamKind
    key: str


def parse_stream_url(url: str) -> StreamSource:
    """Tell which stream `url` means.

    Raises:
        InvalidStreamUrl: not an http(s) URL, credentials in it, or a YouTube page that is no
            single video.
    """
    parts = split_http_url(url)
    host = (parts.hostname or "").rstrip(".")
    if _is_youtube(host):
        video_id = _youtube_video_id(host, parts)
        return StreamSource(
            url=f"https://www.youtube.com/watch?v={video_id}",
            kind=StreamKind.YOUTUBE,
            key=f"youtube:{video_id}",
        )
    return StreamSource(url=url, kind=_manifest_kind(parts.path), key=_manifest_key(parts))


def split_http_url(url: str) -> SplitResult:
    """Split an http(s) URL that names a host and carries no credentials; refuse any other."""
    if _UNSAFE.search(url):
        raise InvalidStreamUrl("contains a space, a backslash or a control character")
    if len(url) > MAX_URL_BYTES or len(to_json(url)) - len('""') > MAX_URL_BYTES:
        raise InvalidStreamUrl(f"is longer than {MAX_URL_BYTES} bytes")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise InvalidStreamUrl(f"is not a URL: {error}") from None
    if parts.scheme not in DEFAULT_PORTS:
        raise InvalidStreamUrl("must start with http:// or https://")
    if not parts.hostname or port == 0:
        raise InvalidStreamUrl("names no host")
    if "@" in parts.netloc:
        raise InvalidStreamUrl("must not carry a user name or password")
    _check_name(parts.hostname)
    return parts


def _check_name(host: str) -> None:
    """Refuse international names that HTTP clients cannot encode or decode (RFC 5891)."""
    try:
        if not host.isascii():
            idna.encode(host.lower())
        if any(label.startswith("xn--") for label in host.split(".")):
            idna.decode(host)
    except idna.IDNAError:
        raise InvalidStreamUrl("names a host that is no valid domain name") from None


def youtube_video_id(source: StreamSource) -> str:
    return source.key.removeprefix("youtube:")


def _is_youtube(host: str) -> bool:
    return host in _SHORT_HOSTS or any(
        host == domain or host.endswith(f".{domain}") for domain in _YOUTUBE_DOMAINS
    )


def _youtube_video_id(host: str, parts: SplitResult) -> str:
    if host in _SHORT_HOSTS:
        candidate = parts.path.strip("/")
    elif parts.path.rstrip("/") == "/watch":
        candidate = parse_qs(parts.query).get("v", [""])[0]
    elif parts.path.startswith("/live/"):
        candidate = parts.path.removeprefix("/live/").strip("/")
    else:
        raise InvalidStreamUrl(
            "is a YouTube page but no single video: use watch?v=ID, /live/ID or youtu.be/ID"
        )
    if not _VIDEO_ID.fullmatch(candidate):
        raise InvalidStreamUrl("has no YouTube video id of 11 letters, digits, '-' or '_'")
    return candidate


def _manifest_kind(path: str) -> StreamKind:
    if path.lower().endswith((".m3u8", ".m3u")):
        return StreamKind.HLS
    if path.lower().endswith(".mpd"):
        return StreamKind.DASH
    return StreamKind.MANIFEST


def _manifest_key(parts: SplitResult) -> str:
    """Name a manifest by its host, and by a digest of what follows: paths carry tokens, too."""
    port = parts.port or DEFAULT_PORTS[parts.scheme]
    host = (parts.hostname or "").rstrip(".")
    host = f"[{host}]" if ":" in host else _ascii(host)
    netloc = host if port == DEFAULT_PORTS[parts.scheme] else f"{host}:{port}"
    place = f"{netloc}{parts.path or '/'}?{parts.query}"
    digest = hashlib.sha256(place.encode()).hexdigest()[:_DIGEST_LENGTH]
    return f"url:{netloc[:_NETLOC_LENGTH]}#{digest}"


def _ascii(host: str) -> str:
    return host if host.isascii() else idna.encode(host).decode()
