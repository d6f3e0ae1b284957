"""Where the files of a presentation are, and how the segments of a representation are found.

ISO/IEC 23009-1, 5.6 and 5.3.9. A period may describe the segments of all its representations. Only
the description of the chosen one is read: otherwise 100 KB of a list that 200 representations
inherit are 20 MB.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from media.dash.presentation import Address, Addressing, Run
from media.dash.xml_document import MAX_VALUE_CHARS, Element, byte_range, inherited, positive, whole
from media.hls.errors import PlaylistTooLarge
from media.hls.tags import absolute_url, integer


def description(levels: Sequence[Element]) -> tuple[Element, ...]:
    """Return the elements that tell how segments are found, the outermost first.

    Empty for a file that is no sequence of segments (SegmentBase), which is never live. The levels
    are a representation's period, adaptation set and itself.
    """
    for name in ("SegmentTemplate", "SegmentList"):
        found = [element for level in levels if (element := level.first(name))]
        if found:
            return tuple(found)
    return ()


def addressing(described: Sequence[Element]) -> Addressing:
    """Read a `description`; inner levels add to and replace what outer ones say (5.3.9.1)."""
    duration, last = inherited(described, "duration"), inherited(described, "endNumber")
    timelines = _innermost(described, "SegmentTimeline")
    return Addressing(
        media=inherited(described, "media"),
        listed=tuple(map(_listed, _innermost(described, "SegmentURL"))),
        initialization=_initialization(described),
        is_chunked=inherited(described, "availabilityTimeComplete") == "false",
        timescale=positive("timescale", inherited(described, "timescale"), 1),
        start_number=whole("startNumber", inherited(described, "startNumber"), 1),
        end_number=None if last is None else whole("endNumber", last, 0),
        time_offset=whole(
            "presentationTimeOffset", inherited(described, "presentationTimeOffset"), 0
        ),
        duration=positive("duration", duration, 1) if duration else None,
        timeline=tuple(map(_run, timelines[0].all("S"))) if timelines else None,
    )


def _innermost(described: Sequence[Element], name: str) -> list[Element]:
    return next((found for level in reversed(described) if (found := level.all(name))), [])


def _initialization(described: Sequence[Element]) -> Address | None:
    if template := inherited(described, "initialization"):
        return Address(template)
    elements = _innermost(described, "Initialization")
    if not elements:
        return None
    element = elements[0]
    return Address(
        element.get("sourceURL") or "", byte_range("range of Initialization", element.get("range"))
    )


def _listed(element: Element) -> Address:
    return Address(element.get("media") or "", byte_range("mediaRange", element.get("mediaRange")))


def _run(element: Element) -> Run:
    start, repeat = element.get("t"), element.get("r")
    return Run(
        start=None if start is None else whole("t", start, 0),
        duration=positive("d", element.get("d") or "0", 0),
        repeat=-1 if (repeat or "").startswith("-") else whole("r", repeat, 0),
    )


MAX_PADDING = 20
_IDENTIFIER = re.compile(r"\$(\w*)(?:%0(\d{1,2})d)?\$", re.ASCII)


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


MAX_ALTERNATIVES = 4  # more are left out: each level may multiply them


@dataclass(frozen=True, slots=True)
class BaseUrls:
    """Alternatives that lead to the same files, in the order in which they are to be tried."""

    urls: tuple[str, ...]

    def inside(self, element: Element) -> "BaseUrls":
        """Return those that hold inside of `element`.

        Each of its own is an alternative; where they carry priorities (DVB-DASH 10.8.2), the
        lowest is tried first. Relative ones are resolved against each outer one, the preferred
        outer one first.
        """
        own = sorted(element.all("BaseURL")[:MAX_ALTERNATIVES], key=_priority)
        texts = [text for it in own if (text := it.text.strip())]
        if not texts:
            return self
        resolved = (absolute_url(outer, text) for outer in self.urls for text in texts)
        urls = tuple(dict.fromkeys(resolved))[:MAX_ALTERNATIVES]
        if max(map(len, urls)) > MAX_VALUE_CHARS:
            raise PlaylistTooLarge(f"a base URL has over {MAX_VALUE_CHARS} characters")
        return BaseUrls(urls)


def _priority(base_url: Element) -> int:
    told = integer(base_url.get("priority") or "")
    return 1 if told is None else told
