"""The text of HLS playlists as the site words them. Pure; the rules are RFC 8216's.

Unlike most, the site stamps only the first segment, and those behind a discontinuity, with
EXT-X-PROGRAM-DATE-TIME.
"""

import math
from collections.abc import Callable, Sequence

from simulator.origin.clock import as_datetime
from simulator.origin.encoding import Tracks
from simulator.youtube.broadcast import OnAir, without_gap
from simulator.youtube.renditions import Rendition

VIDEO_CODEC = "avc1.4D400C"
AUDIO_CODEC = "mp4a.40.5"


def master_playlist(renditions: Sequence[Rendition], url: Callable[[int], str]) -> str:
    """Return the master playlist (RFC 8216 4.3.4); `url` gives an itag's media playlist."""
    lines = ["#EXTM3U", "#EXT-X-INDEPENDENT-SEGMENTS"]
    for rendition in renditions:
        if rendition.tracks is Tracks.AUDIO:
            lines.append(_sound(rendition, url(rendition.itag)))
    for rendition in renditions:
        if rendition.tracks is not Tracks.AUDIO:
            lines += [_picture(rendition), url(rendition.itag)]
    return "\n".join(lines) + "\n"


def _sound(rendition: Rendition, url: str) -> str:
    return (
        f'#EXT-X-MEDIA:URI="{url}",TYPE=AUDIO,GROUP-ID="{rendition.audio_group}",'
        'NAME="Default",DEFAULT=YES,AUTOSELECT=YES'
    )


def _picture(rendition: Rendition) -> str:
    group = f',AUDIO="{rendition.audio_group}"' if rendition.audio_group else ""
    return (
        f"#EXT-X-STREAM-INF:BANDWIDTH={rendition.bandwidth},"
        f'CODECS="{VIDEO_CODEC},{AUDIO_CODEC}",RESOLUTION={rendition.width}x{rendition.height},'
        f"FRAME-RATE=30,CLOSED-CAPTIONS=NONE{group}"
    )


def media_playlist(
    segments: Sequence[OnAir],
    url: Callable[[int], str],
    *,
    segment_sec: float,
    is_ended: bool = False,
) -> str:
    """Return a media playlist (RFC 8216 4.3.3); `url` gives a media sequence's segment."""
    first = segments[0] if segments else None
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:3",
        f"#EXT-X-TARGETDURATION:{math.ceil(segment_sec)}",
        f"#EXT-X-MEDIA-SEQUENCE:{first.sequence if first else 0}",
    ]
    if first and first.cuts:
        # Counts the tags that have left the playlist; the first segment still shows its own.
        lines.append(f"#EXT-X-DISCONTINUITY-SEQUENCE:{first.cuts - first.is_cut}")
    before = None
    for segment in segments:
        lines += [*_marks(before, segment), f"#EXTINF:{segment.duration_sec},"]
        lines.append(url(segment.sequence))
        before = segment
    return "\n".join([*lines, "#EXT-X-ENDLIST"] if is_ended else lines) + "\n"


def _marks(before: OnAir | None, segment: OnAir) -> list[str]:
    marks = ["#EXT-X-DISCONTINUITY"] if segment.is_cut else []
    if before is None or not without_gap(before, segment):
        moment = as_datetime(segment.captured_at).isoformat(timespec="milliseconds")
        marks.append(f"#EXT-X-PROGRAM-DATE-TIME:{moment}")
    return marks
