"""The text of live HLS playlists. Pure.

Rules from RFC 8216: media playlists 4.3.2 and 4.3.3, master playlists 4.3.4.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from simulator.origin.clock import as_datetime
from simulator.origin.publication import Published

VIDEO_CODEC = "avc1.4d401e"
AUDIO_CODEC = "mp4a.40.2"


@dataclass(frozen=True)
class PlaylistSegment:
    """A segment as a playlist lists it."""

    entry: Published
    uri: str
    duration_sec: float  # of this rendition, which may differ a little from the channel's schedule
    byte_range: tuple[int, int] | None = None  # length and offset, where the URI is a larger file


@dataclass(frozen=True)
class InitSegment:
    """EXT-X-MAP of a fragmented MP4 rendition."""

    uri: str
    byte_range: tuple[int, int] | None = None


def media_playlist(
    segments: Sequence[PlaylistSegment],
    *,
    longest_sec: float,
    init: InitSegment | None = None,
    key_uri: str | None = None,
    program_date_time: bool = True,
    ended: bool = False,
) -> str:
    """Return a live media playlist of these segments, which are numbered without a gap."""
    first = segments[0].entry if segments else None
    lines = ["#EXTM3U", "#EXT-X-VERSION:7"]
    lines.append(f"#EXT-X-TARGETDURATION:{_target(longest_sec)}")
    lines.append(f"#EXT-X-MEDIA-SEQUENCE:{first.sequence if first else 0}")
    if first and first.discontinuities:
        # Counts the tags that have left the playlist; the first segment still shows its own.
        lines.append(f"#EXT-X-DISCONTINUITY-SEQUENCE:{first.discontinuities - first.discontinuity}")
    if init:
        lines.append(f'#EXT-X-MAP:URI="{init.uri}"{_map_range(init)}')
    if key_uri:  # after EXT-X-MAP, which stays plain
        lines.append(f'#EXT-X-KEY:METHOD=AES-128,URI="{key_uri}"')
    for segment in segments:
        lines += _segment_lines(segment, program_date_time=program_date_time)
    if ended:
        lines.append("#EXT-X-ENDLIST")
    return "\n".join(lines) + "\n"


def _target(longest_sec: float) -> int:
    """Return the target duration: no EXTINF, rounded to an integer, may exceed it (4.3.3.1)."""
    return max(1, math.floor(longest_sec + 0.5))


def _map_range(init: InitSegment) -> str:
    if not init.byte_range:
        return ""
    length, offset = init.byte_range
    return f',BYTERANGE="{length}@{offset}"'


def _segment_lines(segment: PlaylistSegment, *, program_date_time: bool) -> list[str]:
    lines = ["#EXT-X-DISCONTINUITY"] if segment.entry.discontinuity else []
    if program_date_time:
        captured = as_datetime(segment.entry.captured_at).isoformat(timespec="milliseconds")
        lines.append(f"#EXT-X-PROGRAM-DATE-TIME:{captured.replace('+00:00', 'Z')}")
    lines.append(f"#EXTINF:{segment.duration_sec:.6f},")
    if segment.byte_range:
        length, offset = segment.byte_range
        lines.append(f"#EXT-X-BYTERANGE:{length}@{offset}")
    return [*lines, segment.uri]


@dataclass(frozen=True)
class Variant:
    """A row of a master playlist; `bandwidth` in bits a second, sound included."""

    uri: str
    bandwidth: int
    width: int
    height: int
    fps: int
    has_audio: bool = True


def master_playlist(variants: Sequence[Variant], audio_uri: str | None = None) -> str:
    lines = ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-INDEPENDENT-SEGMENTS"]
    if audio_uri:
        lines.append(
            '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="sound",NAME="main",DEFAULT=YES,AUTOSELECT=YES,'
            f'URI="{audio_uri}"'
        )
    for variant in variants:
        codecs = [VIDEO_CODEC] * (variant.width > 0) + [AUDIO_CODEC] * variant.has_audio
        attributes = [f"BANDWIDTH={variant.bandwidth}", f'CODECS="{",".join(codecs)}"']
        if variant.width:
            attributes.append(f"RESOLUTION={variant.width}x{variant.height}")
            attributes.append(f"FRAME-RATE={variant.fps:.3f}")
        if audio_uri:
            attributes.append('AUDIO="sound"')
        lines += [f"#EXT-X-STREAM-INF:{','.join(attributes)}", variant.uri]
    return "\n".join(lines) + "\n"
