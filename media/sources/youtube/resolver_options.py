"""What the resolvers of one egress are told."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

ExtractorArgs = dict[str, dict[str, list[str]]]  # by extractor and name, as `YoutubeDL` has them
_MEBIBYTE = 1024 * 1024


class Resolver(StrEnum):
    YTDLP = "yt-dlp"
    STREAMLINK = "streamlink"


class PollDepth(StrEnum):
    """How much a poll finds out, and so what it costs."""

    STATUS = "status"  # whether the video is live, in one request where the site lets it
    MEDIA = "media"  # also where its media is, in 3 to 6 requests
    REMAINS = "remains"  # also where the last media of an ended stream is, while the site keeps it


@dataclass(frozen=True, kw_only=True)
class YouTubeOptions:
    """How YouTube is asked, from one egress."""

    # Netscape cookie file of an account, for yt-dlp; only ever read
    cookies_file: Path | None = None
    # URL of the proxy for everything that the resolvers fetch; None for none
    proxy: str | None = field(default=None, repr=False)
    ca_bundle: Path | None = None
    # each as yt-dlp's `--extractor-args` takes it (`youtube:player_client=web`)
    extractor_args: tuple[str, ...] = field(default=(), repr=False)
    # executables to run instead of the libraries
    ytdlp_path: Path | None = None
    streamlink_path: Path | None = None
    # who is asked, in this order, until one of them sees the video
    resolvers: tuple[Resolver, ...] = (Resolver.YTDLP, Resolver.STREAMLINK)
    extraction_timeout_sec: float = 30  # a poll that takes longer is killed
    request_timeout_sec: float = 10
    max_resolver_jobs: int = 500  # polls after which a resolver process is replaced
    max_resolver_bytes: int = 400 * _MEBIBYTE  # memory beyond which it is replaced

    def __post_init__(self) -> None:
        """Check what fails at every poll otherwise."""
        parse_extractor_args(self.extractor_args)
        if not self.resolvers:
            raise ValueError("at least one resolver is needed")


@dataclass(frozen=True, kw_only=True)
class ResolverSetup:
    """What a resolver process works with, once for its life."""

    folder: str  # its working folder, which it removes when its worker is gone
    request_timeout_sec: float
    # content of the cookie file, so that no copy of it lies on a disk
    cookies: str | None = field(default=None, repr=False)
    proxy: str | None = field(default=None, repr=False)
    ca_file: str | None = None
    extractor_args: ExtractorArgs = field(default_factory=dict, repr=False)
    javascript_path: str | None = None  # the deno binary; None to let yt-dlp look for it


_STATUS_ARGS = {"player_client": ["web"], "skip": ["hls", "dash"], "player_skip": ["js"]}
"""All that a status needs is in the watch page."""

_REMAINS_ARGS = {"formats": ["incomplete"], "skip": ["dash"]}
"""yt-dlp leaves out HLS that lacks the beginning of a stream that is over, unless it is told so."""


def with_depth(given: ExtractorArgs, depth: PollDepth) -> ExtractorArgs:
    if depth is PollDepth.MEDIA:
        return given
    ours = given.get("youtube", {})
    if depth is PollDepth.STATUS:
        return given | {"youtube": ours | _STATUS_ARGS}
    more = {name: [*ours.get(name, ()), *values] for name, values in _REMAINS_ARGS.items()}
    return given | {"youtube": ours | more}


def parse_extractor_args(texts: Iterable[str]) -> ExtractorArgs:
    """Read `KEY:NAME=VALUE,VALUE;NAME=VALUE` as yt-dlp's command line does."""
    arguments: ExtractorArgs = {}
    for text in texts:
        extractor, colon, rest = text.partition(":")
        if not colon or not re.fullmatch(r"[\w.+-]+", extractor):
            raise ValueError("extractor arguments must look like youtube:name=value")
        arguments.setdefault(extractor.lower(), {}).update(map(_argument, rest.split(";")))
    return arguments


def format_extractor_args(arguments: ExtractorArgs) -> list[str]:
    """Return texts that `parse_extractor_args` reads as `arguments`."""
    return [
        f"{extractor}:{';'.join(map(_argument_text, named.items()))}"
        for extractor, named in arguments.items()
    ]


def _argument_text(argument: tuple[str, list[str]]) -> str:
    name, values = argument
    return f"{name}={','.join(value.replace(',', chr(92) + ',') for value in values)}"


def _argument(text: str) -> tuple[str, list[str]]:
    name, _, values = text.partition("=")
    parts = re.split(r"(?<!\\),", values)
    return (
        name.strip().lower().replace("-", "_"),
        [part.replace(r"\,", ",").strip() for part in parts],
    )
