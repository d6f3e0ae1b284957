"""Decides when to watch another rendition of a stream."""

import asyncio
from collections.abc import Iterable, Sequence

import structlog

from media.decoding.errors import UndecodableSegment
from media.hls.errors import PlaylistError
from media.hls.identity import segment_identity
from media.hls.playlist import MediaPlaylist
from media.outbound.errors import FetchError
from media.playlists.loading import load_playlist
from media.sources.direct import ENDED
from media.sources.source import MediaUrls
from media.watching.decryption import UnsupportedSegment
from media.watching.segment_prober import SegmentProber
from media.watching.step_applier import StepApplier
from media.watching.tasks import never
from monitors.measurement import SegmentMeasurement, Track
from monitors.status import Health

logger = structlog.get_logger(__name__)

WATCH_RENDITION_SEC = 1.0
ASK_OTHERS_AGAIN_SEC = 30.0
ASK_OTHERS_MOST_SEC = 300.0
"""Where the watched rendition fails and no other one plays, the others are asked again after the
first, in the end after the second."""

STANDS_STILL = "stands_still"
UNMEASURABLE = frozenset({"encrypted", "unsupported_codec"})
"""A rendition that failed so is replaced by one that can be measured, or by none."""


class RenditionSwitch:
    """Looks for a rendition that plays where the watched one fails, or for the preferred one."""

    def __init__(self, steps: StepApplier, prober: SegmentProber) -> None:
        self._state = steps.state
        self._config = steps.config
        self._now = steps.now
        self._prober = prober

    async def until_another(self, others: Sequence[MediaUrls]) -> None:
        """Return when another rendition is to be watched.

        That is one that plays while the watched one does not, or the preferred one when it plays
        again. Where none plays, they are asked again later and later.
        """
        if not others:
            await never()
        renditions, wait_sec = self._state.renditions, ASK_OTHERS_AGAIN_SEC
        while True:
            await asyncio.sleep(WATCH_RENDITION_SEC)
            if reason := self._rendition_failure():
                if await self.replaces(reason, others):
                    return
                await asyncio.sleep(wait_sec)
                wait_sec = min(2 * wait_sec, ASK_OTHERS_MOST_SEC)
            elif renditions.is_retry_due(self._now()):
                preferred = [each for each in others if each.rendition == renditions.preferred]
                why = renditions.avoided.get(renditions.preferred)
                wanted = self._wanted(why.reason if why else "")
                if await first_that_plays(preferred, self._prober, wanted=wanted):
                    renditions.forgive(renditions.preferred)
                    return
                renditions.postpone(self._now())

    async def replaces(self, reason: str, others: Sequence[MediaUrls], *, moves: int = 1) -> bool:
        """Give the watched rendition up if another one plays and it still fails; return whether."""
        wanted = self._wanted(reason)
        found = await first_that_plays(others, self._prober, wanted=wanted, moves=moves)
        if found is None or (reason != ENDED and self._rendition_failure() is None):
            return False
        renditions = self._state.renditions
        names = {"left": renditions.used_name, "found": found.rendition_name}
        logger.info("another rendition", reason=reason, **names)
        for each in others:  # those before it do not play either
            if each is found:
                break
            renditions.avoid(each.rendition, reason, self._now())
        renditions.avoid(renditions.used, reason, self._now())
        renditions.forgive(found.rendition)
        return True

    def _wanted(self, reason: str) -> frozenset[Track]:
        """Return what another rendition must have: what the watched one has, or should have."""
        if reason in UNMEASURABLE:
            return self._state.known_tracks()
        health = self._state.health()
        conditions: dict[Track, Health] = {"video": health.video, "audio": health.audio}
        return frozenset(track for track, it in conditions.items() if it is Health.OK)

    def _rendition_failure(self) -> str | None:
        """Why the watched rendition is to be replaced if another one plays."""
        if self._state.renditions.is_failing:
            return self._state.renditions.failure
        return STANDS_STILL if self._state.may_stand_still(self._config) else None


MOST_ASKED = 8  # renditions that are asked for at once, the preferred ones first
LOOKS = 5
LOOK_SHARE = 0.5
"""A playlist is loaded at most this often, this part of a target duration apart: one that is alive
has a new segment within 1.5 target durations (RFC 8216 6.2.1)."""

LEAST_LOOK_SEC = 0.5


async def first_that_plays(
    candidates: Iterable[MediaUrls],
    prober: SegmentProber,
    *,
    wanted: frozenset[Track],
    moves: int = 1,
) -> MediaUrls | None:
    """Return the first rendition that gets new segments and whose newest can be measured.

    None of its tracks may be broken. Tracks that are not `wanted` may be missing or unmeasurable.
    At most `MOST_ASKED` are asked for; the prober remembers nothing of them.

    Args:
        moves: how often new segments must be seen to come.
    """
    asked = list(candidates)[:MOST_ASKED]
    playlists = await asyncio.gather(*(_moving(each, prober, moves) for each in asked))
    for media, found in zip(asked, playlists, strict=True):
        if found and await _can_be_measured(media, found, prober.apart(), wanted):
            return media
    return None


async def _moving(
    media: MediaUrls, prober: SegmentProber, moves: int
) -> list[MediaPlaylist] | None:
    """Return the playlists of a rendition when all of them move on; None where one does not."""
    urls = [media.main, media.audio] if media.audio else [media.main]
    found = await asyncio.gather(*(_moved(url, prober, moves) for url in urls))
    playlists = [each for each in found if each]
    return playlists if len(playlists) == len(found) else None


async def _moved(url: str, prober: SegmentProber, moves: int) -> MediaPlaylist | None:
    """Return the playlist once new segments came `moves` times; None where it is not live."""
    known = await _loaded(url, prober)
    looks = LOOKS * moves
    while known and looks:
        await asyncio.sleep(max(LEAST_LOOK_SEC, LOOK_SHARE * known.target_duration_sec))
        latest, looks = await _loaded(url, prober), looks - 1
        if latest is None:
            return None
        if _newest(latest) != _newest(known):
            known, moves = latest, moves - 1
        if moves == 0:
            return known
    return None


async def _loaded(url: str, prober: SegmentProber) -> MediaPlaylist | None:
    """None where a playlist is over or cannot be loaded."""
    try:
        playlist = await load_playlist(prober.client, url)
    except (FetchError, PlaylistError):
        return None
    if isinstance(playlist, MediaPlaylist) and playlist.segments and not playlist.ended:
        return playlist
    return None


def _newest(playlist: MediaPlaylist) -> tuple[int, str]:
    newest = playlist.segments[-1]
    return newest.sequence, segment_identity(newest)


async def _can_be_measured(
    media: MediaUrls,
    playlists: Sequence[MediaPlaylist],
    prober: SegmentProber,
    wanted: frozenset[Track],
) -> bool:
    sound: frozenset[Track] = frozenset({"audio"})
    carried = [media.main_tracks - sound, sound] if media.audio else [media.main_tracks]
    found = frozenset[Track]()
    try:
        for playlist, tracks in zip(playlists, carried, strict=True):
            measured = await prober.measure(
                playlist.segments[-1],
                target_duration_sec=playlist.target_duration_sec,
                silence_db=0.0,
            )
            if tracks & _broken_in(measured):
                return False
            found |= tracks & _seen_in(measured)
    except (FetchError, UndecodableSegment, UnsupportedSegment):
        return False
    return wanted <= found


def _broken_in(measured: SegmentMeasurement) -> frozenset[Track]:
    """Return what cannot be decoded, although it needs nothing of the segments before."""
    broken: dict[Track, bool] = {
        "video": bool(measured.video_error) and not measured.needs_lead,
        "audio": bool(measured.audio_error),
    }
    return frozenset(track for track, is_broken in broken.items() if is_broken)


def _seen_in(measured: SegmentMeasurement) -> frozenset[Track]:
    there: dict[Track, bool] = {
        "video": measured.has_video and not measured.is_video_missing,
        "audio": measured.has_audio and measured.audio_sec > 0,
    }
    return frozenset(track for track, is_there in there.items() if is_there) - (
        measured.unmeasurable.keys()
    )
