"""Large windows: the last segments are read, and what lies before them is summed up.

A day of DVR is 8 MiB of text and 70,000 segments, loaded again every few seconds, of which only the
end is new. So the text before the last `TAIL_SEGMENTS` is never made into segments. Regular
expressions count them, and the few tags that hold on beyond their segment are read as ever.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from media.hls.segment_drafts import is_sane_duration
from media.hls.tags import MAX_LINES, Line, date_time, decimal, too_many_lines

TAIL_SEGMENTS = 1_000  # half an hour of 2 s segments: who was away for longer has missed something
_URI_LINE = re.compile(r"^[ \t]*+[^#\s][^\n]*+\n", re.MULTILINE)
# From an EXTINF to the first character of its URI; blank lines and other tags may lie between. They
# are not without end: a match is found in one go, which nothing else can interrupt.
_SEGMENT = re.compile(
    r"\n[ \t]*+#EXTINF:?([^\n,]*+)[^\n]*+\n"
    r"(?:[ \t\r]*+(?:#(?!EXTINF)[^\n]*+)?\n){0,1000}+[ \t]*+[^#\s]"
)
_LASTING = re.compile(
    r"\n[ \t]*+#(EXT-X-(?:TARGETDURATION|MEDIA-SEQUENCE|DISCONTINUITY-SEQUENCE|ENDLIST"
    r"|KEY|MAP|DISCONTINUITY|DEFINE|SERVER-CONTROL|PART-INF"
    r"|SKIP))(?![^:\s])([^\n]*+)"
)
_DATE = re.compile(r"\n[ \t]*+#EXT-X-PROGRAM-DATE-TIME:([^\n]*+)")
_DISCONTINUITY = re.compile(r"\n[ \t]*+#EXT-X-DISCONTINUITY(?![^:\s])")
_BYTE_RANGE = re.compile(r"\n[ \t]*+#EXT-X-BYTERANGE:[ \t]*+([0-9]{1,19})(?:@([0-9]{1,19}))?")


@dataclass(frozen=True, slots=True)
class Head:
    """What is known of the segments before the tail; `ends_at` where they tell it."""

    segments: int
    ends_at: datetime | None
    range_end: int


def tail_start(text: str) -> int:
    """Return where the lines of the last `TAIL_SEGMENTS` begin; 0 where there are no more."""
    position = len(text)
    for _ in range(TAIL_SEGMENTS + 1):
        position = text.rfind("\n#EXTINF", 0, position)
        if position < 0:
            return 0
    uri = _URI_LINE.search(text, position + 1)
    return uri.end() if uri else 0


def lasting_lines(text: str, end: int) -> Iterator[Line]:
    """Yield the tags before `end` that mean something to later segments, or to all."""
    for number, match in enumerate(_LASTING.finditer(text, 0, end), start=1):
        if number > MAX_LINES:
            raise too_many_lines()
        yield Line(match[1], match[2].removeprefix(":").strip())


def sum_up(text: str, end: int) -> Head:
    """Return what matters of the segments before `end`, where the line after a URI begins."""
    return Head(
        segments=sum(1 for _ in _SEGMENT.finditer(text, 0, end)),
        ends_at=_end_of_dates(text, end),
        range_end=_end_of_ranges(text, end),
    )


def _end_of_dates(text: str, end: int) -> datetime | None:
    """Extrapolate the last date before `end`, as `media.hls.segment_drafts` does."""
    date_at = text.rfind("\n#EXT-X-PROGRAM-DATE-TIME:", 0, end)
    date = _DATE.match(text, date_at) if date_at >= 0 else None
    starts_at = date_time(date[1].strip()) if date else None
    dated = _segment_with(text, date_at, end) if starts_at else None
    if starts_at is None or dated is None or _DISCONTINUITY.search(text, dated.end(), end):
        return None
    passed_sec = _passed_sec(text, dated.start(), end)
    return None if passed_sec is None else starts_at + timedelta(seconds=passed_sec)


def _segment_with(text: str, tag_at: int, end: int) -> re.Match[str] | None:
    """Find the segment that a tag belongs to; its EXTINF may stand before the tag."""
    duration_at = text.rfind("\n#EXTINF", 0, tag_at)
    before = _SEGMENT.match(text, duration_at) if duration_at >= 0 else None
    return before if before and before.end() > tag_at else _SEGMENT.search(text, tag_at, end)


def _passed_sec(text: str, start: int, end: int) -> float | None:
    passed_sec = 0.0
    for segment in _SEGMENT.finditer(text, start, end):
        duration_sec = decimal(segment[1].strip())
        if duration_sec is None or not is_sane_duration(duration_sec):
            return None
        passed_sec += duration_sec
    return passed_sec


def _end_of_ranges(text: str, end: int) -> int:
    range_end = 0
    if text.find("#EXT-X-BYTERANGE:", 0, end) < 0:
        return range_end
    for each in _BYTE_RANGE.finditer(text, 0, end):
        range_end = (int(each[2]) if each[2] else range_end) + int(each[1])
    return range_end
