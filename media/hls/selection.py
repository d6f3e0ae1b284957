"""Which renditions of a stream are fetched: at best the cheapest that show picture and sound."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum

from media.codecs import AUDIO_CODECS, TEXT_CODECS
from media.hls.errors import NoVariant
from media.hls.identity import rendition_identities
from media.hls.playlist import MasterPlaylist, Rendition, Variant
from monitors.measurement import Track

SPLIT_COST_BPS = 250_000  # of a second playlist and a second request a segment, as bandwidth


class Tracks(IntEnum):
    """What a choice carries, as far as the master playlist tells; the best first."""

    PICTURE_AND_SOUND = 0
    PICTURE_ONLY = 1
    SOUND_ONLY = 2


@dataclass(frozen=True, slots=True)
class Choice:
    """What to fetch of a stream."""

    name: str  # for people: size and bit rate. No other choice of the playlist has it.
    identity: str  # the same in each load, see `media.hls.identity.rendition_identities`
    # media playlist of the picture, with its sound where `audio_url` is None; of the sound alone
    # where that is all there is
    url: str
    audio_url: str | None  # media playlist of the sound, where it is a rendition of its own
    sounds: tuple[Rendition, ...]  # its audio tracks, first the one of `audio_url` or the muxed one
    tracks: Tracks
    bandwidth: int  # peak bits per second of all of it; 0 where the playlist does not tell
    variant: Variant

    @property
    def declared(self) -> frozenset[Track]:
        """What it is said to carry; a variant without CODECS says it by its other attributes."""
        variant, is_named = self.variant, bool(self.variant.codecs)
        has_video = variant.resolution is not None or (
            is_named and self.tracks is not Tracks.SOUND_ONLY
        )
        has_audio = variant.audio_group is not None or (
            is_named and self.tracks is not Tracks.PICTURE_ONLY
        )
        said: dict[Track, bool] = {"video": has_video, "audio": has_audio}
        return frozenset(track for track, is_said in said.items() if is_said)


def rank_renditions(master: MasterPlaylist) -> list[Choice]:
    """Return what may be fetched of a stream, first what costs least to watch.

    A variant with picture and sound comes before one with a picture alone, and sound alone comes
    after all that have a picture. Among equals those come first that are not encrypted and whose
    codecs can be decoded, as far as the playlist tells. Then the cost decides. It is the bandwidth
    (which includes the audio rendition, RFC 8216 4.3.4.2, and stands for the decoding too, as the
    ladder's pictures grow with it), and `SPLIT_COST_BPS` more where the sound must be fetched
    separately: that doubles the requests, and two playlists must be kept in step. So muxed 240p at
    500 kbit/s is preferred to split 144p at 300 kbit/s, but not muxed 360p at 900 kbit/s. Then the
    smaller picture, then the playlist's own order. A bandwidth that is not told counts as high.

    Redundant variants (the same attributes, another URI: RFC 8216 6.2.4) stand side by side.
    """
    if not master.variants:
        raise NoVariant("the master playlist names no variant")
    groups = _audio_groups(master.renditions)
    sounds = {name: _distinct(group) for name, group in groups.items()}
    sizes_told = any(variant.resolution for variant in master.variants)
    choices = [
        _choice(each, sounds.get(each.audio_group or "", ()), sizes_told=sizes_told)
        for each in master.variants
    ]
    identities = rendition_identities([(each.url, each.audio_url) for each in choices])
    named = zip(_with_distinct_names(choices), identities, strict=True)
    return sorted((replace(each, identity=identity) for each, identity in named), key=_cost)


def _with_distinct_names(choices: Iterable[Choice]) -> Iterator[Choice]:
    known: Counter[str] = Counter()
    for choice in choices:
        known[choice.name] += 1
        count = known[choice.name]
        yield replace(choice, name=f"{choice.name} ({count})") if count > 1 else choice


def _audio_groups(renditions: Iterable[Rendition]) -> dict[str, list[Rendition]]:
    groups: dict[str, list[Rendition]] = {}
    for rendition in renditions:
        groups.setdefault(rendition.group_id, []).append(rendition)
    return groups


def _choice(variant: Variant, sounds: tuple[Rendition, ...], *, sizes_told: bool) -> Choice:
    tracks = _tracks(variant, has_audio_group=bool(sounds), sizes_told=sizes_told)
    is_heard = bool(sounds) and tracks is Tracks.PICTURE_AND_SOUND
    return Choice(
        name=_name(variant, tracks),
        identity="",
        url=variant.uri,
        audio_url=sounds[0].uri if is_heard else None,
        sounds=sounds,
        tracks=tracks,
        bandwidth=variant.bandwidth,
        variant=variant,
    )


def _name(variant: Variant, tracks: Tracks) -> str:
    size = variant.resolution
    kind = "sound" if tracks is Tracks.SOUND_ONLY else "picture"
    what = f"{size.width}x{size.height}" if size else kind
    return f"{what} {variant.bandwidth / 1000:.0f} kbit/s" if variant.bandwidth else what


def _tracks(variant: Variant, *, has_audio_group: bool, sizes_told: bool) -> Tracks:
    """Without CODECS a variant counts as muxed, unless it is the only one without a picture size.

    Audio taken for video would report a blackout. An unknown codec counts as a new video codec.
    """
    names = [name for name in map(str.lower, variant.codecs) if not name.startswith(TEXT_CODECS)]
    if not names:
        sized = variant.resolution is not None or not sizes_told
        return Tracks.PICTURE_AND_SOUND if sized else Tracks.SOUND_ONLY
    heard = [name for name in names if name.startswith(AUDIO_CODECS)]
    if variant.resolution is None and len(heard) == len(names):
        return Tracks.SOUND_ONLY
    return Tracks.PICTURE_AND_SOUND if heard or has_audio_group else Tracks.PICTURE_ONLY


def _distinct(group: Sequence[Rendition]) -> tuple[Rendition, ...]:
    """Return one rendition of each sound, the one to be heard first."""
    # That is one without URI, which is muxed into the variant (RFC 8216 4.3.4.1); else the one that
    # a player takes by itself.
    found: dict[str, Rendition] = {}
    for each in sorted(group, key=_preference):
        found.setdefault(each.same_as or f"{each.language} {each.name}", each)
    return tuple(found.values())


def _preference(rendition: Rendition) -> tuple[bool, bool, bool]:
    return rendition.uri is not None, not rendition.default, not rendition.autoselect


def _cost(choice: Choice) -> tuple[Tracks, bool, bool, int, float]:
    size = choice.variant.resolution
    return (
        choice.tracks,
        not choice.variant.is_measurable,
        choice.bandwidth == 0,
        choice.bandwidth + (SPLIT_COST_BPS if choice.audio_url else 0),
        size.width * size.height if size else float("inf"),
    )
