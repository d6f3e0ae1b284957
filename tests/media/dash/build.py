"""Manifests for tests, short."""

from datetime import UTC, datetime, timedelta

from media.dash.mpd_parser import parse_manifest
from media.dash.presentation import Content, Presentation, Track
from media.dash.to_hls import TrackPlaylist, track_playlist
from media.hls.playlist import MediaPlaylist

URL = "https://media.example/live/x.mpd?token=1"
START = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
NAMES = 'initialization="$RepresentationID$/i.mp4" media="$RepresentationID$/$Number$.m4s"'
PICTURE = (
    '<Representation id="v" bandwidth="300000" width="256" height="144" codecs="avc1.4d401e"/>'
)
SOUND = '<Representation id="a" bandwidth="64000" codecs="mp4a.40.2"/>'


def template(inner: str = "", attributes: str = "") -> str:
    return f"<SegmentTemplate {NAMES} {attributes}>{inner}</SegmentTemplate>"


def timeline(*runs: str) -> str:
    return f"<SegmentTimeline>{''.join(f'<S {run}/>' for run in runs)}</SegmentTimeline>"


def adaptation_set(inner: str, kind: str = "video") -> str:
    return f'<AdaptationSet contentType="{kind}" mimeType="{kind}/mp4">{inner}</AdaptationSet>'


def manifest(*periods: str, **attributes: str) -> str:
    """Return a live manifest; a text that is no `<Period` becomes the only one's content."""
    known = {
        "type": "dynamic",
        "availabilityStartTime": START.isoformat(),
        "minimumUpdatePeriod": "PT2S",
    }
    words = "".join(
        f' {name}="{value}"' for name, value in {**known, **attributes}.items() if value
    )
    whole = "".join(it if it.startswith("<Period") else f"<Period>{it}</Period>" for it in periods)
    return f'<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"{words}>{whole}</MPD>'


def parsed(text: str) -> Presentation:
    return parse_manifest(text, URL)


def after(text: str, seconds: float, content: Content = Content.VIDEO) -> TrackPlaylist:
    """Return a track of a manifest so many seconds after the presentation's start."""
    return track_playlist(parsed(text), Track(content, ""), START + timedelta(seconds=seconds))


def names(playlist: MediaPlaylist) -> list[str]:
    """Return the last part of each segment's URL."""
    return [segment.uri.rpartition("/")[2] for segment in playlist.segments]
