"""The small grammar in a manifest's attributes: durations, numbers, ranges, templates."""

import re
from collections.abc import Sequence
from fractions import Fraction

from media.dash.xml_document import Element
from media.hls.errors import MalformedPlaylist
from media.hls.playlist import ByteRange
from media.hls.tags import MAX_INTEGER, integer

MAX_DURATION_SEC = 200 * 366 * 86_400
"""Presentations may have begun in 1970, and no live one lasts for longer than this."""

MAX_PADDING = 20

YEAR_SEC, MONTH_SEC = 365 * 86_400, 30 * 86_400
"""As players take them. They have no fixed length, and packagers only ever write 0."""

_DURATION = re.compile(
    r"P(?:(\d{1,4})Y)?(?:(\d{1,4})M)?(?:(\d{1,6})D)?"
    r"(?:T(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,12}(?:\.\d{0,30})?)S)?)?",
    re.ASCII,
)
_RANGE = re.compile(r"(\d{1,19})-(\d{1,19})", re.ASCII)
_IDENTIFIER = re.compile(r"\$(\w*)(?:%0(\d{1,2})d)?\$", re.ASCII)


def duration_sec(text: str | None) -> Fraction | None:
    """Return an xs:duration in seconds, or None where there is none that makes sense."""
    if not text:
        return None
    match = _DURATION.fullmatch(text)
    if match is None or not any(match.groups()):
        return None
    parts = (Fraction(part or 0) for part in match.groups())
    units_sec = (YEAR_SEC, MONTH_SEC, 86_400, 3_600, 60, 1)
    total_sec = sum((part * unit for part, unit in zip(parts, units_sec, strict=True)), Fraction())
    return total_sec if total_sec <= MAX_DURATION_SEC else None


def inherited(levels: Sequence[Element], name: str) -> str | None:
    """Return an attribute of the innermost level that has it, None where none has."""
    return next((it.get(name) for it in reversed(levels) if it.get(name) is not None), None)


def whole(name: str, text: str | None, default: int) -> int:
    """Return an unsigned number.

    Raises:
        MalformedPlaylist: it is none of at most 63 bits.
    """
    if text is None:
        return default
    number = integer(text.strip())
    if number is None:
        raise MalformedPlaylist(f"{name} is not a whole number under 2^63: {text[:40]!r}")
    return number


def positive(name: str, text: str | None, default: int) -> int:
    """Return a number above 0.

    Raises:
        MalformedPlaylist: it is none of at most 63 bits.
    """
    number = whole(name, text, default)
    if number == 0:
        raise MalformedPlaylist(f"{name} is 0")
    return number


def byte_range(name: str, text: str | None) -> ByteRange | None:
    """Return `first-last` (RFC 9110 14.1.2), None where there is none.

    Raises:
        MalformedPlaylist: it is no such range.
    """
    if text is None:
        return None
    match = _RANGE.fullmatch(text.strip())
    first, last = (int(match[1]), int(match[2])) if match else (1, 0)
    if not first <= last < MAX_INTEGER:
        raise MalformedPlaylist(f"{name} is no byte range: {text[:40]!r}")
    return ByteRange(offset=first, length=last - first + 1)


def fill(template: str, *, representation: str, bandwidth: int, number: int, time: int) -> str:
    """Return a URL template with its identifiers replaced (5.3.9.4.4); unknown ones stay."""
    values = {"Number": number, "Time": time, "Bandwidth": bandwidth}

    def value(match: re.Match[str]) -> str:
        name, padding = match.groups()
        if name == "RepresentationID":
            return representation
        if name == "" and padding is None:
            return "$"
        if name not in values:
            return match.group()
        return str(values[name]).zfill(min(int(padding or 1), MAX_PADDING))

    return _IDENTIFIER.sub(value, template)
