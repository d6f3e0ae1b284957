"""The tags of master playlists (RFC 8216 4.3.4)."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from media.codecs import codecs_in
from media.hls.errors import PlaylistTooLarge
from media.hls.playlist import MasterPlaylist, Rendition, Resolution, Variant
from media.hls.tags import Line, UriResolver, attribute_list, integer, tag_pattern
from media.hls.variables import Variables, carrying

MAX_VARIANTS = 1_000
MASTER_TAG = tag_pattern("EXT-X-STREAM-INF", "EXT-X-MEDIA", "EXT-X-I-FRAME-STREAM-INF")
"""Tags that only master playlists have. EXT-X-I-FRAME-STREAM-INF is recognised, never followed."""


def parse_master(lines: Iterable[Line], base_url: str, variables: Variables) -> MasterPlaylist:
    """Read the lines of a master playlist.

    Raises:
        PlaylistTooLarge: more than `MAX_VARIANTS` variants or renditions.
        MalformedPlaylist: a variable without a value is used.
    """
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
