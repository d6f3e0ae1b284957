"""The small grammar inside a playlist: lines, attribute lists, numbers, dates (RFC 8216 4.1, 4.2).

All of it is linear in the length of its input: playlists come from strangers.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple
from urllib.parse import urljoin

from media.hls.errors import MalformedPlaylist, NotAPlaylist, PlaylistTooLarge
from media.hls.playlist import ByteRange

MAX_PLAYLIST_CHARS = 8 * 1024 * 1024
MAX_PREAMBLE_CHARS = 64 * 1024
MAX_LINE_CHARS = 16 * 1024
MAX_LINES = 200_000
MAX_INTEGER = 2**63 - 1

_BLANK = " \t\r"
_MARKS = " \t\r\n\ufeff"
_BEGINNING = re.compile(rf"[{_MARKS}]*+(?:#(?!EXT)[^\n]*+\n[{_MARKS}]*+)*+(#EXTM3U)")
# Not splitlines(): that also breaks at characters that may stand inside a title.
_LINE = re.compile(r"[^\n]+")
_LEADING_DIGITS = re.compile(r"[0-9]+")
_INTEGER = re.compile(r"[0-9]{1,19}")
_DECIMAL = re.compile(r"[0-9]{1,19}(?:\.[0-9]{0,30})?|\.[0-9]{1,30}")
_OTHER_DOCUMENTS = (
    (("<!doctype html", "<html", "<head", "<body"), "an HTML page"),
    (("<mpd",), "a DASH manifest"),
    (("<",), "an XML or HTML document"),
    (("{", "["), "a JSON document"),
)


class Line(NamedTuple):
    """A tag with its value, or a URI with `tag` None."""

    tag: str | None
    value: str


def find_beginning(text: str) -> int:
    """Return where EXTM3U is, behind nothing but blanks, byte order marks and comments.

    RFC 8216 4.3.1.1 has it come first; some servers write a comment before it.
    """
    if len(text) > MAX_PLAYLIST_CHARS:
        raise PlaylistTooLarge(f"the playlist is longer than {MAX_PLAYLIST_CHARS} characters")
    beginning = _BEGINNING.match(text, 0, MAX_PREAMBLE_CHARS)
    if not beginning:
        raise NotAPlaylist(f"expected an HLS playlist, got {_name_document(text)}")
    return beginning.start(1)


def read_lines(text: str, start: int = 0) -> Iterator[Line]:
    """Yield the tags and URIs of a playlist from `start` on, without comments and blank lines."""
    for number, match in enumerate(_LINE.finditer(text, start), start=1):
        if number > MAX_LINES:
            raise too_many_lines()
        if match.end() - match.start() > MAX_LINE_CHARS:
            raise PlaylistTooLarge(f"a line is longer than {MAX_LINE_CHARS} characters")
        line = match.group().strip(_BLANK)
        if line.startswith("#EXT"):
            tag, _, value = line[1:].partition(":")
            yield Line(tag, value.strip(_BLANK))
        elif line and not line.startswith("#"):
            yield Line(None, line)


def tag_pattern(*tags: str) -> re.Pattern[str]:
    return re.compile(rf"\n[ \t]*+#(?:{'|'.join(tags)})(?![^:\s])")


def too_many_lines() -> PlaylistTooLarge:
    return PlaylistTooLarge(f"the playlist has more than {MAX_LINES} lines that matter")


def _name_document(text: str) -> str:
    start = text[:1024].strip(_MARKS).lower()
    if not start:
        return "an empty answer"
    for beginnings, name in _OTHER_DOCUMENTS:
        if start.startswith(beginnings):
            return name
    return "text that does not begin with #EXTM3U"


def attribute_list(text: str) -> dict[str, str]:
    """Return the attributes of a tag, without quotes (RFC 8216 4.2); the first of a name counts."""
    attributes: dict[str, str] = {}
    position = 0
    while (equals := text.find("=", position)) >= 0:
        name = text[position:equals].strip(", \t")
        value, position = _attribute_value(text, equals + 1)
        attributes.setdefault(name, value)
    return attributes


def _attribute_value(text: str, start: int) -> tuple[str, int]:
    """Return the value at `start` and where the next attribute begins."""
    quoted = text.startswith('"', start)
    begin = start + 1 if quoted else start
    end = text.find('"' if quoted else ",", begin)
    if end < 0:
        end = len(text)
    value = text[begin:end]
    return (value if quoted else value.strip(_BLANK)), end + 1


def integer(text: str) -> int | None:
    """Return a decimal-integer of at most 63 bits, or None where it is none."""
    if not _INTEGER.fullmatch(text):
        return None
    number = int(text)
    return number if number <= MAX_INTEGER else None


def decimal(text: str) -> float | None:
    """Return a decimal-floating-point, or None where it is none: no sign, exponent, NaN."""
    return float(text) if _DECIMAL.fullmatch(text) else None


def media_sequence(text: str) -> int:
    """Return the number that `text` begins with; players take anything else for 0."""
    digits = _LEADING_DIGITS.match(text)
    number = integer(digits[0].lstrip("0") or "0") if digits else 0
    if number is None:
        raise MalformedPlaylist(f"EXT-X-MEDIA-SEQUENCE is not under 2^63: {text[:40]!r}")
    return number


def byte_range(tag: str, text: str, *, implicit_offset: int) -> ByteRange:
    """Return what `n[@o]` means (RFC 8216 4.3.2.2); without `o` it begins at `implicit_offset`."""
    length_text, at, offset_text = text.partition("@")
    length = integer(length_text.strip(_BLANK))
    offset = integer(offset_text.strip(_BLANK)) if at else implicit_offset
    if not length or offset is None or offset + length > MAX_INTEGER:
        raise MalformedPlaylist(f"{tag} is no byte range: {text[:40]!r}")
    return ByteRange(offset=offset, length=length)


def date_time(text: str) -> datetime | None:
    """Return an ISO 8601 moment as an aware datetime, or None where it is none.

    One without offset is taken as UTC. Years outside 1970 to 2199 are taken as garbage.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if not 1970 <= moment.year < 2200:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


MAX_URLS_CHARS = 8 * 1024 * 1024  # all of one playlist together: as long as its text may be


class UriResolver:
    def __init__(self) -> None:
        self._room_chars = MAX_URLS_CHARS

    def resolve(self, base_url: str, uri: str) -> str:
        url = absolute_url(base_url, uri)
        self._room_chars -= len(url)
        if self._room_chars < 0:
            raise PlaylistTooLarge(f"its URLs have over {MAX_URLS_CHARS} characters")
        return url


def absolute_url(base_url: str, uri: str) -> str:
    """Resolve `uri` (RFC 3986 5); text that is no URI is returned as it stands."""
    if uri.startswith(("http://", "https://")):
        return uri
    try:
        return urljoin(base_url, uri)
    except ValueError:
        return uri
