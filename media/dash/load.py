"""From a manifest's text to the playlist that was asked for, in one step."""

from datetime import datetime

from media.dash.mpd_parser import parse_manifest
from media.dash.presentation import Track
from media.dash.to_hls import TrackPlaylist, track_playlist
from media.dash.variants import master_playlist
from media.hls.playlist import MasterPlaylist


def read_manifest(
    text: str, final_url: str, *, url: str, now: datetime
) -> MasterPlaylist | TrackPlaylist:
    """Return the representations as a master playlist, or the segments of one of them.

    Time and memory are linear in the text: at worst 1 µs and 70 bytes a character.

    Args:
        final_url: where it came from in the end, after redirects.
        url: as it was asked for; its fragment names a `Track`.

    Raises:
        PlaylistError: see `media.hls.parser`; nothing else is raised, whatever `text` is.
    """
    presentation = parse_manifest(text, final_url)
    track = Track.named_by(url)
    if track is None:
        return master_playlist(presentation, url)
    return track_playlist(presentation, track, now)
