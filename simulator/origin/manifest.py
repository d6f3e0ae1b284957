"""The text of live DASH manifests (ISO/IEC 23009-1). Pure."""

from collections.abc import Sequence

from simulator.origin.clock import as_datetime
from simulator.origin.publication import Published
from simulator.origin.rendition import AUDIO_CODEC, VIDEO_CODEC, Rendition

NAMESPACE = "urn:mpeg:dash:schema:mpd:2011"
DIRECT_CLOCK = "urn:mpeg:dash:utc:direct:2014"
UNITS_PER_SEC = 1_000_000


def dash_manifest(
    window: Sequence[Published],
    renditions: Sequence[Rendition],
    *,
    now: float,
    by_clock: bool,
    ended: bool,
) -> str:
    """Return a manifest of these segments, which are numbered without a gap, the oldest first.

    All renditions are on the same schedule. By clock it names a duration and leaves the segments to
    the clock, instead of listing them.
    """
    start = _clock_start(window, now) if by_clock else 0.0
    attributes = {
        # ffmpeg leaves the start out when it has ended; so do we.
        **({} if ended else {"availabilityStartTime": as_datetime(start).isoformat()}),
        "type": "static" if ended else "dynamic",
        "minimumUpdatePeriod": "PT1S",
        "timeShiftBufferDepth": f"PT{sum(each.duration_sec for each in window):.3f}S",
        "profiles": "urn:mpeg:dash:profile:isoff-live:2011",
    }
    if ended and by_clock and window:
        attributes["mediaPresentationDuration"] = f"PT{_end_sec(window) - start:.6f}S"
    words = "".join(f' {name}="{value}"' for name, value in attributes.items())
    sets = "".join(_adaptation_set(each, window, by_clock=by_clock) for each in renditions)
    clock = f'<UTCTiming schemeIdUri="{DIRECT_CLOCK}" value="{as_datetime(now).isoformat()}"/>'
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<MPD xmlns="{NAMESPACE}"{words}>\n'
        f'<Period id="p0" start="PT0S">\n{sets}</Period>\n{clock}\n</MPD>\n'
    )


def _clock_start(window: Sequence[Published], now: float) -> float:
    """Return when the segment of number 0 was captured, with all of them equally long."""
    if not window:
        return now
    return window[-1].captured_at - window[-1].sequence * window[-1].duration_sec


def _end_sec(window: Sequence[Published]) -> float:
    return window[-1].captured_at + window[-1].duration_sec


def _adaptation_set(rendition: Rendition, window: Sequence[Published], *, by_clock: bool) -> str:
    encoding = rendition.rendered.programme.encoding
    kind = "video" if encoding.has_video else "audio"
    codecs = [VIDEO_CODEC] * encoding.has_video + [AUDIO_CODEC] * encoding.has_audio
    size = f' width="{encoding.width}" height="{encoding.height}"' if encoding.has_video else ""
    bandwidth = rendition.rendered.peak_bandwidth
    representation = (
        f'<Representation id="{rendition.label}" bandwidth="{bandwidth}"{size} '
        f'codecs="{",".join(codecs)}"/>'
    )
    head = f'<AdaptationSet contentType="{kind}" mimeType="{kind}/mp4">'
    template = _template(window, by_clock=by_clock)
    return f"{head}\n{template}\n{representation}\n</AdaptationSet>\n"


def _template(window: Sequence[Published], *, by_clock: bool) -> str:
    first = window[0] if window else None
    names = (
        'initialization="$RepresentationID$/init.mp4" '
        f'media="$RepresentationID$/g{first.generation if first else 0}-$Number$.m4s"'
    )
    if by_clock:
        units = _units(first.duration_sec if first else 1.0)
        return (
            f'<SegmentTemplate timescale="{UNITS_PER_SEC}" duration="{units}" '
            f'startNumber="0" {names}/>'
        )
    runs = "".join(
        f'<S t="{_units(each.captured_at)}" d="{_units(each.duration_sec)}"/>' for each in window
    )
    return (
        f'<SegmentTemplate timescale="{UNITS_PER_SEC}" '
        f'startNumber="{first.sequence if first else 0}" {names}>\n'
        f"<SegmentTimeline>{runs}</SegmentTimeline></SegmentTemplate>"
    )


def _units(seconds: float) -> int:
    return round(seconds * UNITS_PER_SEC)
