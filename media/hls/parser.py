"""Text into playlists (RFC 8216, and what of 8216bis live streams use).

A playlist comes from a stranger, again and again, while it changes. So a value that only describes
(EXTINF, a date, a title) and cannot be read costs that value, not the playlist; a value that says
which bytes to fetch, or which segment is which, is never guessed; and size is bounded everywhere.

    PlaylistError (ValueError)
    ├── NotAPlaylist         a web page, XML, JSON, nothing
    ├── MalformedPlaylist    an unreadable number, byte range or key; master and media in one
    ├── PlaylistTooLarge     over 20,000 segments, 1,000 variants, 200,000 lines,
    │                        16 Ki characters a line, 8 Mi in all
    ├── UnsupportedPlaylist  a delta update (EXT-X-SKIP), which is never asked for
    └── NoVariant            raised by `media.hls.renditions`: a master playlist without variants
"""

from media.hls.errors import (
    MalformedPlaylist,
    NotAPlaylist,
    NoVariant,
    PlaylistError,
    PlaylistTooLarge,
    UnsupportedPlaylist,
)
from media.hls.master_parser import MASTER_TAGS, parse_master
from media.hls.media_parser import MEDIA_TAGS, parse_media
from media.hls.playlist import MasterPlaylist, MediaPlaylist
from media.hls.tags import read_lines

__all__ = [
    "MalformedPlaylist",
    "NoVariant",
    "NotAPlaylist",
    "PlaylistError",
    "PlaylistTooLarge",
    "UnsupportedPlaylist",
    "parse_playlist",
]


def parse_playlist(text: str, base_url: str) -> MasterPlaylist | MediaPlaylist:
    """Read a playlist.

    Args:
        text: the whole answer, decoded as UTF-8; a byte order mark is fine.
        base_url: the URL it came from in the end, after redirects.

    Raises:
        PlaylistError: see the tree above; nothing else is raised, whatever `text` is.
    """
    lines = list(read_lines(text))
    tags = {line.tag for line in lines}
    if "EXT-X-SKIP" in tags:
        raise UnsupportedPlaylist(
            "a delta update came (EXT-X-SKIP), a whole playlist was asked for"
        )
    if not tags & MASTER_TAGS:
        return parse_media(lines, base_url)
    if tags & MEDIA_TAGS:
        # RFC 8216 4.1: clients must fail to parse a playlist that is both.
        raise MalformedPlaylist("the playlist is both a master and a media playlist")
    return parse_master(lines, base_url)
