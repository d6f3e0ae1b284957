"""What the names of codecs in manifests mean (RFC 6381; the registry at mp4ra.org)."""

import re
from collections.abc import Iterable

AUDIO_CODECS = (
    "mp4a", "ac-3", "ec-3", "ac-4", "opus", "vorbis", "flac", "alac", "mp3", "mhm", "mha",
    "dts", "iamf", "samr", "sawb", "sevc", "lpcm", "ipcm",
)  # fmt: skip
TEXT_CODECS = ("wvtt", "stpp", "tx3g")

UNDECODABLE_CODECS = (
    "ac-4", "mhm", "mha", "dts", "iamf", "samr", "sawb", "sevc", "lpcm", "ipcm",
    "vvc", "vvi", "evc", "lvc",
)  # fmt: skip
"""Beginnings of the names that no decoder of ours reads (`media.decoding.decoder.whitelist`).

A name that nobody knows is not among them: it is tried.
"""


MOST_CODECS = 8  # one variant or representation may name: they go into the watch's state
_NAME = re.compile(r"[A-Za-z0-9_.+-]{1,64}")


def codecs_in(text: str) -> tuple[str, ...]:
    """Return the names in a CODECS or `@codecs` attribute; what cannot be one is left out."""
    names = (name.strip() for name in text.split(",", MOST_CODECS)[:MOST_CODECS])
    return tuple(name for name in names if _NAME.fullmatch(name))


def undecodable_codec(names: Iterable[str]) -> str | None:
    """Return the first name of a codec that cannot be decoded, None where all may be."""
    return next((it for it in names if it.lower().startswith(UNDECODABLE_CODECS)), None)


def codec_of(names: Iterable[str], *, sound: bool) -> str | None:
    """Return the first name of a codec of sound, or else of pictures; None where none is told."""
    media = (it for it in names if not it.lower().startswith(TEXT_CODECS))
    return next((it for it in media if it.lower().startswith(AUDIO_CODECS) is sound), None)
