"""Text into a presentation (ISO/IEC 23009-1, 5.3).

As with playlists: what only describes and cannot be read costs that value; what says which bytes to
fetch is never guessed; and nothing in the document is ever loaded by the parser: document types and
entities are refused, remote periods (`xlink:href`) are left out.
"""

from collections.abc import Sequence
from datetime import datetime
from fractions import Fraction
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from media.dash.attributes import byte_range, duration_sec, positive, whole
from media.dash.presentation import (
    Address,
    Addressing,
    Content,
    Period,
    Presentation,
    Representation,
    Run,
)
from media.hls.errors import MalformedPlaylist, NotAPlaylist, PlaylistTooLarge
from media.hls.playlist import Resolution
from media.hls.tags import absolute_url, date_time, integer

MAX_ELEMENTS = 50_000
MAX_PERIODS = 100
MAX_REPRESENTATIONS = 200
"""In a period."""

MAX_ADDRESS_CHARS = 2_048
MAX_ID_CHARS = 200
"""A template is filled once for each segment, with the id as often as it asks for it."""

DIRECT_CLOCK = "urn:mpeg:dash:utc:direct:2014"
TRICK_MODE = "http://dashif.org/guidelines/trickmode"
_XLINK = "{http://www.w3.org/1999/xlink}href"
_AUDIO_CODECS = ("mp4a", "ac-3", "ec-3", "ac-4", "opus", "vorbis", "flac", "mhm", "mha", "dts")


def is_manifest(text: str) -> bool:
    """Tell whether `text` looks like a DASH manifest."""
    return "<MPD" in text[:4096]


def parse_manifest(text: str, base_url: str) -> Presentation:
    """Read a manifest.

    Args:
        text: the whole answer.
        base_url: the URL it came from in the end, after redirects.

    Raises:
        PlaylistError: it cannot be read; see `media.hls.parser`.
    """
    root = _document(text)
    periods = _periods(root, _base_url(root, base_url))
    return Presentation(
        is_live=root.get("type") == "dynamic",
        available_from=date_time(root.get("availabilityStartTime", "")),
        length_sec=_length_sec(root, periods),
        window_sec=_seconds(duration_sec(root.get("timeShiftBufferDepth"))),
        clock=_clock(root),
        periods=periods,
    )


def _document(text: str) -> Element:
    try:
        root: Element = fromstring(text.lstrip("\ufeff \t\r\n").encode(), forbid_dtd=True)
    except DefusedXmlException:
        raise MalformedPlaylist("the manifest declares a document type") from None
    except (ParseError, ValueError) as error:
        raise MalformedPlaylist(f"the manifest is no XML: {error}") from None
    if not root.tag.endswith("}MPD") and root.tag != "MPD":
        raise NotAPlaylist("the manifest's root is no MPD")
    if sum(1 for _ in root.iter()) > MAX_ELEMENTS:
        raise PlaylistTooLarge(f"the manifest has more than {MAX_ELEMENTS} elements")
    return root


def _clock(root: Element) -> datetime | None:
    for timing in root.findall("{*}UTCTiming"):
        if timing.get("schemeIdUri") == DIRECT_CLOCK:
            return date_time(timing.get("value", ""))
    return None


def _length_sec(root: Element, periods: Sequence[Period]) -> Fraction | None:
    """Return how long it will have been; more periods may come to a manifest that is renewed."""
    told_sec = duration_sec(root.get("mediaPresentationDuration"))
    if told_sec is not None or root.get("minimumUpdatePeriod") is not None:
        return told_sec
    return periods[-1].end_sec if periods else None


def _periods(root: Element, base_url: str) -> tuple[Period, ...]:
    """Read the periods; where one begins and ends follows from its neighbours (5.3.2.1)."""
    elements = root.findall("{*}Period")
    if len(elements) > MAX_PERIODS:
        raise PlaylistTooLarge(f"the manifest has more than {MAX_PERIODS} periods")
    starts_sec = _starts_sec(elements)
    following = [*starts_sec, duration_sec(root.get("mediaPresentationDuration"))][1:]
    periods = []
    for element, start_sec, next_sec in zip(elements, starts_sec, following, strict=True):
        length_sec = duration_sec(element.get("duration"))
        end_sec = next_sec if length_sec is None else start_sec + length_sec
        if element.get(_XLINK) is None:
            periods.append(Period(start_sec, end_sec, _representations(element, base_url)))
    return tuple(periods)


def _starts_sec(periods: Sequence[Element]) -> list[Fraction]:
    starts_sec: list[Fraction] = []
    end_sec = Fraction(0)
    for period in periods:
        told_sec = duration_sec(period.get("start"))
        starts_sec.append(end_sec if told_sec is None else told_sec)
        end_sec = starts_sec[-1] + (duration_sec(period.get("duration")) or 0)
    return starts_sec


def _representations(period: Element, base_url: str) -> tuple[Representation, ...]:
    base_url = _base_url(period, base_url)
    found = []
    for adaptation_set in period.findall("{*}AdaptationSet"):
        if _is_trick_mode(adaptation_set):
            continue
        set_url = _base_url(adaptation_set, base_url)
        for element in adaptation_set.findall("{*}Representation"):
            levels = [period, adaptation_set, element]
            content = _content(adaptation_set, element)
            if content:
                found.append(_representation(levels, content, _base_url(element, set_url)))
    if len(found) > MAX_REPRESENTATIONS:
        raise PlaylistTooLarge(f"a period has more than {MAX_REPRESENTATIONS} representations")
    return tuple(found)


def _representation(levels: list[Element], content: Content, base_url: str) -> Representation:
    """Read one; `levels` are the elements around it, the outermost first, and its own."""
    *_, element = levels
    size = [integer(_inherited(levels, name) or "") for name in ("width", "height")]
    return Representation(
        id=_bounded(element.get("id", ""), MAX_ID_CHARS),
        content=content,
        bandwidth=integer(element.get("bandwidth", "")) or 0,
        resolution=Resolution(size[0], size[1]) if size[0] and size[1] else None,
        codecs=_codecs(levels),
        base_url=base_url,
        addressing=_addressing(levels),
        protection=_protection(levels),
    )


def _content(adaptation_set: Element, representation: Element) -> Content | None:
    """Tell what a representation carries; None for texts, pictures and the like."""
    levels = [adaptation_set, representation]
    heard = [name for name in _codecs(levels) if name.startswith(_AUDIO_CODECS)]
    mime_type = _inherited(levels, "mimeType") or ""
    kind = adaptation_set.get("contentType") or mime_type.partition("/")[0]
    kinds = {part.get("contentType") for part in adaptation_set.findall("{*}ContentComponent")}
    if kinds >= {"video", "audio"}:
        return Content.BOTH
    if kind == "video":
        return Content.BOTH if heard else Content.VIDEO
    return Content.AUDIO if kind == "audio" else None


def _codecs(levels: Sequence[Element]) -> tuple[str, ...]:
    names = (_inherited(levels, "codecs") or "").lower().split(",")
    return tuple(name.strip() for name in names if name.strip())


def _inherited(levels: Sequence[Element], name: str) -> str | None:
    """Return an attribute of the innermost level that has it."""
    return next((it.get(name) for it in reversed(levels) if it.get(name) is not None), None)


def _protection(levels: Sequence[Element]) -> str | None:
    marks = [mark for level in levels for mark in level.findall("{*}ContentProtection")]
    return next((mark.get("value") or "DRM" for mark in marks), None)


def _is_trick_mode(adaptation_set: Element) -> bool:
    return any(
        mark.get("schemeIdUri") == TRICK_MODE
        for name in ("EssentialProperty", "SupplementalProperty")
        for mark in adaptation_set.findall(f"{{*}}{name}")
    )


def _base_url(element: Element, outer_url: str) -> str:
    text = _bounded((element.findtext("{*}BaseURL") or "").strip(), MAX_ADDRESS_CHARS)
    return absolute_url(outer_url, text) if text else outer_url


def _bounded(text: str, most_chars: int) -> str:
    if len(text) > most_chars:
        raise PlaylistTooLarge(f"an address or id of the manifest has over {most_chars} characters")
    return text


def _addressing(levels: Sequence[Element]) -> Addressing | None:
    """Read how segments are found; inner levels add to and replace outer ones (5.3.9.1).

    None for a file that is no sequence of segments (SegmentBase), which is never live.
    """
    for name in ("SegmentTemplate", "SegmentList"):
        found = [it for level in levels for it in level.findall(f"{{*}}{name}")]
        if found:
            return _described(found)
    return None


def _described(found: Sequence[Element]) -> Addressing:
    timelines = [it for element in found for it in element.findall("{*}SegmentTimeline")]
    duration = _inherited(found, "duration")
    return Addressing(
        media=_template(found, "media"),
        listed=_listed(found),
        initialization=_initialization(found),
        timescale=positive("timescale", _inherited(found, "timescale"), 1),
        start_number=whole("startNumber", _inherited(found, "startNumber"), 1),
        time_offset=whole("presentationTimeOffset", _inherited(found, "presentationTimeOffset"), 0),
        duration=positive("duration", duration, 1) if duration else None,
        timeline=_runs(timelines[-1]) if timelines else None,
    )


def _template(found: Sequence[Element], name: str) -> str | None:
    template = _inherited(found, name)
    return None if template is None else _bounded(template, MAX_ADDRESS_CHARS)


def _initialization(found: Sequence[Element]) -> Address | None:
    if template := _template(found, "initialization"):
        return Address(template)
    elements = [it for element in found for it in element.findall("{*}Initialization")]
    if not elements:
        return None
    return Address(
        _bounded(elements[-1].get("sourceURL", ""), MAX_ADDRESS_CHARS),
        byte_range("range of Initialization", elements[-1].get("range")),
    )


def _listed(found: Sequence[Element]) -> tuple[Address, ...]:
    return tuple(
        Address(
            _bounded(it.get("media", ""), MAX_ADDRESS_CHARS),
            byte_range("mediaRange", it.get("mediaRange")),
        )
        for element in found
        for it in element.findall("{*}SegmentURL")
    )


def _runs(timeline: Element) -> tuple[Run, ...]:
    return tuple(
        Run(
            start=whole("t", it.get("t"), 0) if it.get("t") is not None else None,
            duration=positive("d", it.get("d") or "0", 0),
            repeat=-1 if (it.get("r") or "").startswith("-") else whole("r", it.get("r"), 0),
        )
        for it in timeline.findall("{*}S")
    )


def _seconds(exact: Fraction | None) -> float | None:
    return None if exact is None else float(exact)
