"""A stream that is named by its manifest's own URL."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice

from media.dash.presentation import Track as DashTrack
from media.hls.errors import PlaylistError
from media.hls.playlist import MasterPlaylist, MediaPlaylist, Rendition
from media.hls.selection import Choice, rank_renditions
from media.outbound.errors import AddressRefused, FetchError
from media.outbound.stream_client import MediaClient
from media.playlists.loading import load_playlist
from media.sources.source import FurtherSound, MediaUrls, Observation, SourceState
from monitors.measurement import MOST_FURTHER_SOUNDS
from monitors.polling import poll_delay_sec

LONGEST_LANGUAGE = 35
"""Of a language tag (RFC 5646 4.4.1)."""

LONGEST_NAME = 100
"""Characters of a sound track's name. It goes into the state of the watch and into events."""

ABSENT_STATUSES = frozenset({404, 410})

ENDED = "ended"
"""Why a rendition cannot be watched on whose playlist has come to its end."""

MOST_TRIED = 24
"""Renditions of a master playlist that are asked for in one look, the preferred ones first."""

MOST_TRACKS_TRIED = 3
"""Of one DASH manifest, which is loaded and read for each of them."""

TRYING_SEC = 20.0
"""After so long no further one is asked for."""

TRIED_APART_SEC = 2.0
"""For each one that was asked for in vain the next look waits longer: a master playlist whose
renditions are all gone costs no more requests than one with a single rendition."""


@dataclass(frozen=True)
class _Tried:
    """What one rendition's playlist said of the stream.

    Attributes:
        why_not: stable word for why it cannot be watched on; None where it can.
    """

    seen: Observation
    why_not: str | None

    @property
    def rank(self) -> int:
        """Return how much it says of the stream beside others; the most telling first."""
        states = (SourceState.LIVE, SourceState.NOT_OBSERVED, SourceState.UPCOMING)
        return states.index(self.seen.state) if self.seen.state in states else len(states)


class ManifestSource:
    """An HLS stream behind a master or a media playlist.

    Args:
        url: of the playlist.
        client: fetches it.
        looks: each look whether the stream is live takes one of these, however many streams wait:
            a playlist may be large.
    """

    def __init__(
        self, url: str, client: MediaClient, *, looks: asyncio.Semaphore | None = None
    ) -> None:
        self._url = url
        self._client = client
        self._looks = looks or asyncio.Semaphore()

    async def observe(self, *, refresh: bool = False) -> Observation:
        """Load the playlist, and of a master playlist the first media playlist that goes on."""
        try:
            playlist = await self._load(self._url)
            if isinstance(playlist, MediaPlaylist):
                return _observed(playlist, MediaUrls(main=self._url))
            ladder = media_of(playlist)
        except FetchError as error:
            return _not_loaded(error)
        except PlaylistError as error:
            return _failed("bad_playlist", str(error))
        return await self._first_that_goes_on(ladder)

    async def _first_that_goes_on(self, ladder: tuple[MediaUrls, ...]) -> Observation:
        """Look for a rendition to watch, which also says whether the stream is live.

        It is over, or not there, only where that is so of all of them.
        """
        tried = await self._try_in_turn(ladder)
        wait_sec = TRIED_APART_SEC * len(tried) if len(tried) > 1 else None
        if tried[-1].why_not is not None:
            told = min(tried, key=lambda each: each.rank)
            return replace(told.seen, renditions=ladder, retry_after_sec=wait_sec)
        if len(tried) > 1:
            again = await self._try(ladder[0])  # one bad answer is no reason to change
            if again.why_not is None:
                return replace(again.seen, renditions=ladder)
        passed_over = zip(ladder, tried, strict=False)
        return replace(
            tried[-1].seen,
            renditions=ladder,
            passed_over={media.rendition: it.why_not for media, it in passed_over if it.why_not},
            retry_after_sec=wait_sec,
        )

    async def _try_in_turn(self, ladder: Sequence[MediaUrls]) -> list[_Tried]:
        """Ask for the renditions up to the first that can be watched, which is the last then."""
        clock = asyncio.get_running_loop().time
        give_up_at = clock() + TRYING_SEC
        tried = [await self._try(ladder[0])]
        most = MOST_TRACKS_TRIED if DashTrack.named_by(ladder[0].main) else MOST_TRIED
        for media in ladder[1:most]:
            if tried[-1].why_not is None or clock() > give_up_at:
                break
            if tried[-1].why_not == ENDED and not media.has_end_of_its_own(self._url):
                break
            tried.append(await self._try(media))
        return tried

    async def _try(self, media: MediaUrls) -> _Tried:
        """Ask for a rendition; one without the sound of its own is no reason to call it absent."""
        try:
            main = await self._load(media.main)
        except FetchError as error:
            return _Tried(_not_loaded(error), error.code)
        except PlaylistError as error:
            return _Tried(_failed("bad_playlist", str(error)), "bad_playlist")
        if isinstance(main, MasterPlaylist):
            nested = _failed("bad_playlist", "the master playlist names a master playlist")
            return _Tried(nested, nested.reason)
        seen = _observed(main, media)
        if seen.state is not SourceState.LIVE or main.ended:
            return _Tried(seen, seen.reason or ENDED)
        return _Tried(seen, await self._why_unheard(media))

    async def _why_unheard(self, media: MediaUrls) -> str | None:
        try:
            if media.audio:
                await self._load(media.audio)
        except FetchError as error:
            return error.code
        except PlaylistError:
            return "bad_playlist"
        return None

    async def observe_status(self, *, priority: bool = False) -> Observation:
        """Look as `observe` does: there is nothing cheaper."""
        async with self._looks:
            return await self.observe()

    def poll_delay_sec(
        self,
        seen: Observation,
        *,
        now: datetime,
        waiting_since: datetime,
        scheduled_start: datetime | None,
        chance: float,
    ) -> float:
        """Return the wait by the schedule (see `media.sources.source.Source`)."""
        return poll_delay_sec(
            now, waiting_since=waiting_since, scheduled_start=scheduled_start, chance=chance
        )

    async def _load(self, url: str) -> MasterPlaylist | MediaPlaylist:
        return await load_playlist(self._client, url)


def media_of(playlist: MasterPlaylist) -> tuple[MediaUrls, ...]:
    """Return where the renditions are, first the one that costs least to watch.

    Raises:
        NoVariant: the playlist names none.
    """
    return tuple(_media(choice) for choice in rank_renditions(playlist))


def _media(choice: Choice) -> MediaUrls:
    first, *others = choice.sounds or (None,)
    return MediaUrls(
        audio_label=_label(1, first) if first else {},
        further_sounds=tuple(
            FurtherSound(each.uri, _label(place, each))
            for place, each in enumerate(others[:MOST_FURTHER_SOUNDS], 2)
            if each and each.uri
        ),
        main=choice.url,
        declared=choice.declared,
        codecs=choice.variant.codecs,
        audio=choice.audio_url,
        rendition=choice.identity,
        rendition_name=choice.name,
    )


def _label(place: int, sound: Rendition) -> dict[str, str]:
    named = {
        "language": _printable(sound.language, LONGEST_LANGUAGE),
        "name": _printable(sound.name, LONGEST_NAME),
    }
    return {"track": f"audio {place}", **{key: text for key, text in named.items() if text}}


def _printable(text: str | None, longest: int) -> str:
    printable = (character for character in text or "" if character.isprintable())
    return "".join(islice(printable, longest))


def _observed(playlist: MediaPlaylist, media: MediaUrls) -> Observation:
    if playlist.segments:
        return Observation(state=SourceState.LIVE, media=media)
    if playlist.ended:
        return Observation(
            state=SourceState.ENDED, reason="empty", message="the playlist has ended and is empty"
        )
    return Observation(
        state=SourceState.UPCOMING, reason="no_segment", message="no segment is published yet"
    )


def _not_loaded(error: FetchError) -> Observation:
    if isinstance(error, AddressRefused):
        return Observation(
            state=SourceState.UNAVAILABLE,
            reason=error.code,
            message=str(error),
            is_permanent=True,
        )
    if error.status in ABSENT_STATUSES:
        message = f"there is no manifest: it {error}"
        return Observation(state=SourceState.UPCOMING, reason=error.code, message=message)
    return _failed(error.code, f"the manifest cannot be loaded: {error}")


def _failed(reason: str, message: str) -> Observation:
    return Observation(
        state=SourceState.NOT_OBSERVED, reason=reason, message=message, is_fault=True
    )
