"""XML into the few elements that matter here, in time and memory linear in the text.

A manifest comes from a stranger. So nothing is kept but what is read later, names are split without
resolving namespaces (expat copies a namespace's whole name for each element), document types are
refused before they declare anything, and depth, values and elements are counted while reading.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from xml.parsers import expat

from media.hls.errors import MalformedPlaylist, NotAPlaylist, PlaylistTooLarge

MAX_ELEMENTS = 300_000
MAX_DEPTH = 100
MAX_VALUE_CHARS = 2_048
"""The longest attribute or text: addresses are long, and inner elements inherit from outer ones."""

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
    """One element.

    Attributes:
        attributes: by name, without prefixes.
        inner: the elements inside that are read, by name.
    """

    name: str
    attributes: Mapping[str, str]
    text: str = ""
    inner: dict[str, list["Element"]] = field(default_factory=dict)

    def get(self, name: str) -> str | None:
        """Return an attribute, None where it has none."""
        return self.attributes.get(name)

    def all(self, name: str) -> list["Element"]:
        """Return the elements of that name inside, in their order."""
        return self.inner.get(name, [])

    def first(self, name: str) -> "Element | None":
        found = self.inner.get(name)
        return found[0] if found else None


def read_document(text: str) -> Element:
    """Return the root of a manifest.

    Raises:
        MalformedPlaylist: no XML, or with a document type.
        NotAPlaylist: some other XML.
        PlaylistTooLarge: too many elements, too deep, or a value is too long.
    """
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
