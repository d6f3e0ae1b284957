"""The renditions that a live video offers, by the site's numbers (itags)."""

from dataclasses import dataclass
from enum import StrEnum

from simulator.origin.encoding import Tracks
from simulator.origin.programme import Programme


class Layout(StrEnum):
    """How picture and sound are offered."""

    MUXED = "muxed"  # together: itags 91 to 93
    SPLIT = "split"  # sound as renditions of its own: itags 233 and 234, pictures 269 and 229
    BOTH = "both"


@dataclass(frozen=True)
class Rendition:
    """One rendition. What it is said to be, not what is served: all carry the lowest picture."""

    itag: int
    tracks: Tracks
    bandwidth: int  # in bits a second
    width: int = 0
    height: int = 0
    # EXT-X-MEDIA group that it belongs to (sound) or needs (picture)
    audio_group: int | None = None


MUXED = (
    Rendition(91, Tracks.BOTH, 290_288, 256, 144),
    Rendition(92, Tracks.BOTH, 546_239, 426, 240),
    Rendition(93, Tracks.BOTH, 1_209_862, 640, 360),
)
SOUNDS = (
    Rendition(233, Tracks.AUDIO, 64_000, audio_group=233),
    Rendition(234, Tracks.AUDIO, 144_000, audio_group=234),
)
PICTURES = (
    Rendition(269, Tracks.VIDEO, 226_000, 256, 144, audio_group=233),
    Rendition(229, Tracks.VIDEO, 475_000, 426, 240, audio_group=234),
)
_OFFERED = {
    Layout.MUXED: MUXED,
    Layout.SPLIT: (*SOUNDS, *PICTURES),
    Layout.BOTH: (*MUXED, *SOUNDS, *PICTURES),
}


def offered(layout: Layout) -> tuple[Rendition, ...]:
    """Return the renditions of a layout, the lowest of each kind first."""
    return _OFFERED[layout]


def find_rendition(layout: Layout, itag: int | None) -> Rendition | None:
    return next((each for each in offered(layout) if each.itag == itag), None)


def with_tracks(programme: Programme, tracks: Tracks) -> Programme:
    """Return what a rendition with these tracks carries of a programme."""
    return programme.with_encoding(programme.encoding.model_copy(update={"tracks": tracks}))
