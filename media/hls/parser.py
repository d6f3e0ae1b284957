"""Text into playlists (RFC 8216, and what of 8216bis live streams use).

A playlist comes from a stranger, again and again, while it changes. So a value that only describes
(EXTINF, a date, a title) and cannot be read costs that value, not the playlist; a value that says
which bytes to fetch, or which segment is which, is never guessed; and size is bounded everywhere.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType

from media.codecs import codecs_in
from media.hls.errors import MalformedPlaylist, PlaylistTooLarge
from media.hls.media_parser import MEDIA_TAG, parse_media
from media.hls.playlist import MasterPlaylist, MediaPlaylist, Rendition, Resolution, Variant
from media.hls.tags import (
    Line,
    UriResolver,
    attribute_list,
    find_beginning,
    integer,
    read_lines,
    tag_pattern,
)
from media.hls.variables import Variables, carrying

MAX_VARIANTS = 1_000
MASTER_TAG = tag_pattern("EXT-X-STREAM-INF", "EXT-X-MEDIA", "EXT-X-I-FRAME-STREAM-INF")
"""Tags that only master playlists have. EXT-X-I-FRAME-STREAM-INF is recognised, never followed."""


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
        PlaylistError: nothing else is raised, whatever `text` is.
    """
    start = find_beginning(text)
    variables = Variables(base_url, imported)
    if not MASTER_TAG.search(text, start):
        return parse_media(text, start, base_url, variables, previous)
    if MEDIA_TAG.search(text, start):
        # RFC 8216 4.1: clients must fail to parse a playlist that is both.
        raise MalformedPlaylist("the playlist is both a master and a media playlist")
    return parse_master(read_lines(text, start), base_url, variables)


def parse_master(lines: Iterable[Line], base_url: str, variables: Variables) -> MasterPlaylist:
    variants: list[Variant] = []
    renditions: list[Rendition] = []
    uris = UriResolver()
    stream_inf: str | None = None
    for line in lines:
        if line.tag == "EXT-X-STREAM-INF":
            stream_inf = line.value
        elif line.tag == "EXT-X-MEDIA":
            attributes = variables.attributes(line.value)
            if attributes.get("TYPE") == "AUDIO":
                uri = attributes.get("URI")
                renditions.append(
                    ext_x_media(attributes, uris.resolve(base_url, uri) if uri else None)
                )
        elif line.tag == "EXT-X-DEFINE":
            variables.define(attribute_list(line.value))
        elif line.tag is None and stream_inf is not None:
            uri = uris.resolve(base_url, variables.expand(line.value))
            variants.append(ext_x_stream_inf(variables.attributes(stream_inf), uri))
            stream_inf = None
        if len(variants) > MAX_VARIANTS or len(renditions) > MAX_VARIANTS:
            raise PlaylistTooLarge(f"more than {MAX_VARIANTS} variants or renditions")
    return _with_variables(MasterPlaylist(tuple(variants), tuple(renditions)), variables)


def _with_variables(master: MasterPlaylist, variables: Variables) -> MasterPlaylist:
    """Return `master` with media playlists that can import its variables (8216bis 4.4.2.3)."""
    values = variables.values
    if not values:
        return master
    return replace(
        master,
        variants=tuple(replace(it, uri=carrying(it.uri, values)) for it in master.variants),
        renditions=tuple(
            replace(it, uri=carrying(it.uri, values) if it.uri else None)
            for it in master.renditions
        ),
    )


def ext_x_stream_inf(attributes: Mapping[str, str], uri: str) -> Variant:
    """Return a variant (RFC 8216 4.3.4.2)."""
    peak = integer(attributes.get("BANDWIDTH", ""))
    average = integer(attributes.get("AVERAGE-BANDWIDTH", ""))
    return Variant(
        uri=uri,
        bandwidth=peak or average or 0,
        resolution=_resolution(attributes.get("RESOLUTION", "")),
        codecs=codecs_in(attributes.get("CODECS", "")),
        audio_group=attributes.get("AUDIO"),
    )


def _resolution(text: str) -> Resolution | None:
    width_text, _, height_text = text.lower().partition("x")
    width, height = integer(width_text), integer(height_text)
    return Resolution(width, height) if width and height else None


def ext_x_media(attributes: Mapping[str, str], uri: str | None) -> Rendition:
    """Return a rendition (RFC 8216 4.3.4.1)."""
    return Rendition(
        group_id=attributes.get("GROUP-ID", ""),
        name=attributes.get("NAME", ""),
        uri=uri,
        language=attributes.get("LANGUAGE"),
        default=attributes.get("DEFAULT") == "YES",
        autoselect=attributes.get("AUTOSELECT") == "YES",
    )
