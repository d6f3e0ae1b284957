"""A presentation's representations, as the variants and renditions of a master playlist."""

from media.codecs import AUDIO_CODECS, undecodable_codec
from media.dash.presentation import Content, Presentation, Representation, Track
from media.hls.errors import NoVariant, UnsupportedPlaylist
from media.hls.playlist import MasterPlaylist, Rendition, Variant

_SOUND = "sound"


def master_playlist(presentation: Presentation, url: str) -> MasterPlaylist:
    """Return the representations of the newest period that can be followed."""
    for period in reversed(presentation.periods):
        found = [it for it in period.representations if it.described]
        if found:
            return _master(found, url)
    if any(period.representations for period in presentation.periods):
        raise UnsupportedPlaylist("the manifest's segments are found in no way that can be live")
    raise NoVariant("the manifest names no picture and no sound")


def _master(found: list[Representation], url: str) -> MasterPlaylist:
    pictures = [it for it in found if it.content is not Content.AUDIO]
    sounds = sorted((it for it in found if it.content is Content.AUDIO), key=preference)
    if not pictures:
        alike = [it for it in sounds if it.place == sounds[0].place]
        return MasterPlaylist(variants=tuple(_variant(it, None, url) for it in alike))
    pictures = [it for it in pictures if it.is_main] or pictures
    sound = sounds[0] if sounds else None
    return MasterPlaylist(
        variants=tuple(_variant(it, sound, url) for it in pictures),
        renditions=tuple(_rendition(it, url, is_default=it is sound) for it in sounds),
    )


def _variant(representation: Representation, sound: Representation | None, url: str) -> Variant:
    is_split = representation.content is Content.VIDEO and sound is not None
    is_sound = representation.content is Content.AUDIO
    return Variant(
        uri=Track(representation.content, representation.id).url(url),
        bandwidth=representation.bandwidth + (sound.bandwidth if is_split and sound else 0),
        resolution=representation.resolution,
        # Without any it would be taken for a picture.
        codecs=representation.codecs or (AUDIO_CODECS[:1] if is_sound else ()),
        audio_group=_SOUND if is_split else None,
        protection=representation.protection,
    )


def _rendition(sound: Representation, url: str, *, is_default: bool) -> Rendition:
    return Rendition(
        group_id=_SOUND,
        name=sound.id,
        uri=Track(Content.AUDIO, sound.id).url(url),
        language=sound.language,
        default=is_default,
        codecs=sound.codecs,
        protection=sound.protection,
        same_as=f"set {sound.place}",
    )


def preference(representation: Representation) -> tuple[bool, bool, int, bool, int]:
    """Return a key that sorts first what can be measured, of the main programme, and is cheap."""
    # Of several sets of sound the first comes first.
    told = representation.bandwidth
    is_measurable = not (representation.protection or undecodable_codec(representation.codecs))
    place = representation.place if representation.content is Content.AUDIO else 0
    return not is_measurable, not representation.is_main, place, told == 0, told
