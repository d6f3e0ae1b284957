"""Text into playlists (RFC 8216, and what of 8216bis live streams use).

A playlist comes from a stranger, again and again, while it changes. So a value that only describes
(EXTINF, a date, a title) and cannot be read costs that value, not the playlist; a value that says
which bytes to fetch, or which segment is which, is never guessed; and size is bounded everywhere.

    PlaylistError (ValueError)
    ├── NotAPlaylist         a web page, XML, JSON, nothing
    │   └── ChannelList      an M3U of channels, each with a stream of its own
    ├── MalformedPlaylist    an unreadable number, byte range or key; a variable without a value;
    │                        master and media in one
    ├── PlaylistTooLarge     over 8 Mi characters; of what is read of it (`media.hls.window`):
    │                        20,000 segments, 1,000 variants, 200,000 lines, 16 Ki characters a line
    │                        and 8 Mi in all URLs, once they are absolute
    ├── UnsupportedPlaylist  a delta update (EXT-X-SKIP) of a playlist that is not known
    └── NoVariant            raised by `media.hls.selection`: a master playlist without variants
"""

from collections.abc import Mapping
from types import MappingProxyType

from media.hls.errors import MalformedPlaylist
from media.hls.master_parser import MASTER_TAG, parse_master
from media.hls.media_parser import MEDIA_TAG, parse_media
from media.hls.playlist import MasterPlaylist, MediaPlaylist
from media.hls.tags import find_beginning, read_lines
from media.hls.variables import Variables


def parse_playlist(
    text: str,
    base_url: str,
    *,
    imported: Mapping[str, str] = MappingProxyType({}),
    previous: MediaPlaylist | None = None,
) -> MasterPlaylist | MediaPlaylist:
    """Read a playlist.

    Args:
        text: the whole answer, decoded as UTF-8; a byte order mark is fine.
        base_url: the URL it came from in the end, after redirects.
        imported: variables of the master playlist (EXT-X-DEFINE with IMPORT).
        previous: the same media playlist as it was before, which a delta update goes on from
            (EXT-X-SKIP, 8216bis 6.2.5.1).

    Raises:
        PlaylistError: see the tree above; nothing else is raised, whatever `text` is.
    """
    start = find_beginning(text)
    variables = Variables(base_url, imported)
    if not MASTER_TAG.search(text, start):
        return parse_media(text, start, base_url, variables, previous)
    if MEDIA_TAG.search(text, start):
        # RFC 8216 4.1: clients must fail to parse a playlist that is both.
        raise MalformedPlaylist("the playlist is both a master and a media playlist")
    return parse_master(read_lines(text, start), base_url, variables)
