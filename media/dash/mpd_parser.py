"""Text into a presentation (ISO/IEC 23009-1, 5.3).

As with playlists: what only describes and cannot be read costs that value; what says which bytes to
fetch is never guessed; and nothing in the document is ever loaded by the parser: document types and
entities are refused, remote periods (`xlink:href`) are left out.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from fractions import Fraction
from functools import partial

from media.codecs import AUDIO_CODECS, codecs_in
from media.dash.addressing import BaseUrls, description
from media.dash.presentation import Content, Period, Presentation, Representation
from media.dash.xml_document import Element, duration_sec, inherited, read_document
from media.hls.errors import PlaylistTooLarge
from media.hls.playlist import Resolution
from media.hls.tags import date_time, integer

MAX_REPRESENTATIONS = 200  # in a period
MAX_ID_CHARS = 200  # a template is filled once a segment, with the id as often as it asks for it
MAX_COMPONENTS = 8  # an adaptation set may declare this many
DIRECT_CLOCK = "urn:mpeg:dash:utc:direct:2014"
TRICK_MODE = "http://dashif.org/guidelines/trickmode"
MAIN_ROLES = frozenset({"main", "dub"})
COMMON_ENCRYPTION = "urn:mpeg:dash:mp4protection:2011"
MAX_MARKS = 16  # one element's descriptors of one kind that are read


def is_manifest(text: str) -> bool:
    return "<MPD" in text[:4096]


def parse_manifest(text: str, base_url: str) -> Presentation:
    """Read a manifest; what its periods hold is read later, and may be refused then."""
    root = read_document(text)
    told_sec, may_grow = duration_sec(root.get("mediaPresentationDuration")), _may_grow(root)
    window_sec = duration_sec(root.get("timeShiftBufferDepth"))
    periods = _periods(root, None if may_grow else told_sec, BaseUrls((base_url,)).inside(root))
    return Presentation(
        is_live=root.get("type") == "dynamic",
        available_from=date_time(root.get("availabilityStartTime") or ""),
        length_sec=_length_sec(root, periods) if told_sec is None else told_sec,
        may_grow=may_grow,
        window_sec=None if window_sec is None else float(window_sec),
        clock=_clock(root),
        periods=periods,
    )


def _clock(root: Element) -> datetime | None:
    for timing in root.all("UTCTiming"):
        if timing.get("schemeIdUri") == DIRECT_CLOCK:
            return date_time(timing.get("value") or "")
    return None


def _length_sec(root: Element, periods: Sequence[Period]) -> Fraction | None:
    """Return how long it will have been; more periods may come to a manifest that is renewed."""
    is_renewed = root.get("minimumUpdatePeriod") is not None
    return periods[-1].end_sec if periods and not is_renewed else None


def _may_grow(root: Element) -> bool:
    """Return whether the length may be wrong."""
    # A live manifest that is not renewed describes a whole presentation (5.3.1.2). But GStreamer's
    # dashsink renews it nevertheless, with the length so far, or 0.4 s.
    return root.get("type") == "dynamic" and root.get("minimumUpdatePeriod") is None


def _periods(root: Element, length_sec: Fraction | None, base_urls: BaseUrls) -> tuple[Period, ...]:
    """Read the periods; where one begins and ends follows from its neighbours (5.3.2.1)."""
    elements = root.all("Period")
    starts_sec = _starts_sec(elements)
    following = [*starts_sec, length_sec][1:]
    ids = Counter(element.get("id") for element in elements)
    periods = []
    for element, start_sec, next_sec in zip(elements, starts_sec, following, strict=True):
        told_sec = duration_sec(element.get("duration"))
        end_sec = next_sec if told_sec is None else start_sec + told_sec
        if element.get("href") is None:
            name = element.get("id")
            read = partial(_found, element, base_urls)
            periods.append(Period(name if ids[name] == 1 else None, start_sec, end_sec, read))
    return tuple(periods)


def _starts_sec(periods: Sequence[Element]) -> list[Fraction]:
    starts_sec: list[Fraction] = []
    end_sec = Fraction(0)
    for period in periods:
        told_sec = duration_sec(period.get("start"))
        starts_sec.append(end_sec if told_sec is None else told_sec)
        end_sec = starts_sec[-1] + (duration_sec(period.get("duration")) or 0)
    return starts_sec


def _found(period: Element, base_urls: BaseUrls) -> tuple[Representation, ...]:
    base_urls = base_urls.inside(period)
    found = []
    for place, adaptation_set in enumerate(period.all("AdaptationSet")):
        if _is_trick_mode(adaptation_set):
            continue
        set_urls = base_urls.inside(adaptation_set)
        for element in adaptation_set.all("Representation"):
            levels = [period, adaptation_set, element]
            if content := _content(adaptation_set, element):
                base = set_urls.inside(element)
                found.append(_representation(levels, content, place=place, base_urls=base))
            if len(found) > MAX_REPRESENTATIONS:
                raise PlaylistTooLarge(
                    f"a period has more than {MAX_REPRESENTATIONS} representations"
                )
    return tuple(found)


def _representation(
    levels: Sequence[Element], content: Content, *, place: int, base_urls: BaseUrls
) -> Representation:
    _, adaptation_set, element = levels
    size = [integer(inherited(levels, name) or "") for name in ("width", "height")]
    return Representation(
        id=_id(element),
        content=content,
        place=place,
        is_main=_is_main(adaptation_set),
        language=adaptation_set.get("lang"),
        bandwidth=integer(element.get("bandwidth") or "") or 0,
        resolution=Resolution(size[0], size[1]) if size[0] and size[1] else None,
        codecs=_codecs(levels),
        base_urls=base_urls.urls,
        described=description(levels),
        protection=_protection(levels),
    )


def _id(representation: Element) -> str:
    name = representation.get("id") or ""
    if len(name) > MAX_ID_CHARS:
        raise PlaylistTooLarge(f"an id in the manifest has over {MAX_ID_CHARS} characters")
    return name


def _content(adaptation_set: Element, representation: Element) -> Content | None:
    """Return what a representation carries; None for texts, pictures and the like."""
    levels = [adaptation_set, representation]
    heard = [name for name in _codecs(levels) if name.startswith(AUDIO_CODECS)]
    mime_type = inherited(levels, "mimeType") or ""
    kind = adaptation_set.get("contentType") or mime_type.partition("/")[0]
    components = adaptation_set.all("ContentComponent")[:MAX_COMPONENTS]
    if {part.get("contentType") for part in components} >= {"video", "audio"}:
        return Content.BOTH
    if kind == "video":
        return Content.BOTH if heard else Content.VIDEO
    return Content.AUDIO if kind == "audio" else None


def _codecs(levels: Sequence[Element]) -> tuple[str, ...]:
    return codecs_in((inherited(levels, "codecs") or "").lower())


def _protection(levels: Sequence[Element]) -> str | None:
    """Return the scheme (ISO/IEC 23009-1, 5.8.5.2), `DRM` where only systems are named."""
    marks = [mark for level in levels for mark in level.all("ContentProtection")[:MAX_MARKS]]
    schemes = (mark for mark in marks if mark.get("schemeIdUri") == COMMON_ENCRYPTION)
    told = next((value for mark in schemes if (value := mark.get("value"))), "DRM")
    return told if marks else None


def _is_main(adaptation_set: Element) -> bool:
    """Judge by the roles (5.8.5.5); a set without any is main."""
    roles = {mark.get("value") for mark in adaptation_set.all("Role")[:MAX_MARKS]}
    return not roles or bool(roles & MAIN_ROLES)


def _is_trick_mode(adaptation_set: Element) -> bool:
    return any(
        mark.get("schemeIdUri") == TRICK_MODE
        for name in ("EssentialProperty", "SupplementalProperty")
        for mark in adaptation_set.all(name)
    )
