"""XML into the few elements that matter here, and their attributes into values.

A manifest comes from a stranger. So nothing is kept but what is read later, names are split without
resolving namespaces (expat copies a namespace's whole name for each element), document types are
refused before they declare anything, and depth, values and elements are counted while reading: time
and memory are linear in the text.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from xml.parsers import expat

from media.hls.errors import MalformedPlaylist, NotAPlaylist, PlaylistTooLarge
from media.hls.playlist import ByteRange
from media.hls.tags import MAX_INTEGER, integer

MAX_ELEMENTS = 300_000
MAX_DEPTH = 100
MAX_VALUE_CHARS = 2_048  # of an attribute or text; inner elements inherit addresses
_DESCRIBED = frozenset({"SegmentTemplate", "SegmentList", "SegmentTimeline"})
_INSIDE: Mapping[str, frozenset[str]] = {
    "MPD": frozenset({"Period", "BaseURL", "UTCTiming"}),
    "Period": _DESCRIBED | {"AdaptationSet", "BaseURL"},
    "AdaptationSet": _DESCRIBED
    | {
        *("Representation", "BaseURL", "ContentProtection", "ContentComponent"),
        *("EssentialProperty", "SupplementalProperty", "Role"),
    },
    "Representation": _DESCRIBED | {"BaseURL", "ContentProtection"},
    "SegmentTemplate": frozenset({"SegmentTimeline", "Initialization"}),
    "SegmentList": frozenset({"SegmentTimeline", "Initialization", "SegmentURL"}),
    "SegmentTimeline": frozenset({"S"}),
}
"""Which elements are read inside which (ISO/IEC 23009-1, 5.3); all others are passed over."""


@dataclass(slots=True)
class Element:
    """One element; `attributes` and the elements `inner` are by name, without prefixes."""

    name: str
    attributes: Mapping[str, str]
    text: str = ""
    inner: dict[str, list["Element"]] = field(default_factory=dict)

    def get(self, name: str) -> str | None:
        return self.attributes.get(name)

    def all(self, name: str) -> list["Element"]:
        return self.inner.get(name, [])

    def first(self, name: str) -> "Element | None":
        found = self.inner.get(name)
        return found[0] if found else None


def read_document(text: str) -> Element:
    """Return the root of a manifest."""
    reader = _Reader()
    try:
        reader.read(text.lstrip("\ufeff \t\r\n"))
    except (expat.ExpatError, ValueError) as error:
        if isinstance(error, (MalformedPlaylist, NotAPlaylist, PlaylistTooLarge)):
            raise
        raise MalformedPlaylist(f"the manifest is no XML: {error}") from None
    return reader.root


class _Reader:
    """Takes expat's calls. Of an element that is not read it takes only the depth."""

    def __init__(self) -> None:
        self.root = Element("", {})
        self._open: list[Element] = []
        self._passed_over = 0
        self._count = 0

    def read(self, text: str) -> None:
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._doctype
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.Parse(text, True)

    def _doctype(self, *_: object) -> None:
        # Before any entity is declared, and so before one can be expanded or fetched.
        raise MalformedPlaylist("the manifest declares a document type")

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition(":")[2]
        if not self._open and name != "MPD":
            raise NotAPlaylist("the manifest's root is no MPD")
        if self._passed_over or (self._open and name not in _INSIDE.get(self._open[-1].name, ())):
            self._passed_over += 1
            if self._passed_over > MAX_DEPTH:
                raise PlaylistTooLarge(f"the manifest is nested more than {MAX_DEPTH} deep")
            return
        self._count += 1
        if self._count > MAX_ELEMENTS:
            raise PlaylistTooLarge(f"the manifest has more than {MAX_ELEMENTS} elements")
        self._keep(Element(name, _without_prefixes(attributes)))

    def _keep(self, element: Element) -> None:
        if self._open:
            self._open[-1].inner.setdefault(element.name, []).append(element)
        else:
            self.root = element
        self._open.append(element)

    def _end(self, _: str) -> None:
        if self._passed_over:
            self._passed_over -= 1
        else:
            self._open.pop()

    def _text(self, text: str) -> None:
        if self._passed_over or self._open[-1].name != "BaseURL":
            return
        element = self._open[-1]
        element.text += text
        if len(element.text) > MAX_VALUE_CHARS:
            raise _too_long()


def _without_prefixes(attributes: dict[str, str]) -> dict[str, str]:
    if max(map(len, attributes.values()), default=0) > MAX_VALUE_CHARS:
        raise _too_long()
    if not any(":" in name for name in attributes):
        return attributes
    return {name.rpartition(":")[2]: value for name, value in attributes.items()}


def _too_long() -> PlaylistTooLarge:
    return PlaylistTooLarge(f"a value in the manifest has over {MAX_VALUE_CHARS} characters")


MAX_DURATION_SEC = 200 * 366 * 86_400  # some began in 1970, and no live one lasts longer
YEAR_SEC, MONTH_SEC = 365 * 86_400, 30 * 86_400  # as players take them; packagers only write 0
_DURATION = re.compile(
    r"P(?:(\d{1,4})Y)?(?:(\d{1,4})M)?(?:(\d{1,6})D)?"
    r"(?:T(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,12}(?:\.\d{0,30})?)S)?)?",
    re.ASCII,
)
_RANGE = re.compile(r"(\d{1,19})-(\d{1,19})", re.ASCII)


def duration_sec(text: str | None) -> Fraction | None:
    """Return an xs:duration; None where there is none that makes sense."""
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
    """Return an attribute of the innermost level that has it."""
    return next((it.get(name) for it in reversed(levels) if it.get(name) is not None), None)


def whole(name: str, text: str | None, default: int) -> int:
    """Return an unsigned number of at most 63 bits."""
    if text is None:
        return default
    number = integer(text.strip())
    if number is None:
        raise MalformedPlaylist(f"{name} is not a whole number under 2^63: {text[:40]!r}")
    return number


def positive(name: str, text: str | None, default: int) -> int:
    number = whole(name, text, default)
    if number == 0:
        raise MalformedPlaylist(f"{name} is 0")
    return number


def byte_range(name: str, text: str | None) -> ByteRange | None:
    """Return `first-last` (RFC 9110 14.1.2), None where there is none."""
    if text is None:
        return None
    match = _RANGE.fullmatch(text.strip())
    first, last = (int(match[1]), int(match[2])) if match else (1, 0)
    if not first <= last < MAX_INTEGER:
        raise MalformedPlaylist(f"{name} is no byte range: {text[:40]!r}")
    return ByteRange(offset=first, length=last - first + 1)
