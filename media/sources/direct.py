"""A stream that is named by its manifest's own URL."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice

from media.dash.presentation import Track as DashTrack
from media.hls.errors import ChannelList, PlaylistError
from media.hls.playlist import MasterPlaylist, MediaPlaylist, Rendition
from media.hls.selection import Choice, rank_renditions
from media.outbound.errors import AddressRefused, FetchError
from media.outbound.stream_client import MediaClient
from media.playlists.loading import load_playlist
from media.sources.source import AudioRendition, MediaUrls, Observation, SourceState
from monitors.measurement import MOST_ADDITIONAL_AUDIO
from monitors.polling import poll_delay_sec

MAX_LANGUAGE_CHARS = 35  # the longest language tag (RFC 5646 4.4.1)
MAX_NAME_CHARS = 100  # of an audio track: it goes into the state of the watch and into events
ABSENT_STATUSES = frozenset({404, 410})
ENDED = "ended"  # why a rendition cannot be watched on whose playlist has come to its end
MAX_RENDITIONS_TRIED = 24  # in one poll of a master playlist, the preferred ones first
MAX_DASH_TRACKS_TRIED = 3  # fewer of a DASH manifest, which is loaded and read for each of them
MAX_TRYING_SEC = 20.0

WAIT_PER_RENDITION_SEC = 2.0
"""Wait before the next poll for each rendition that was tried: a master playlist whose renditions
are all gone costs no more requests than one with a single rendition."""


@dataclass(frozen=True)
class _Trial:
    """What one rendition's playlist says of the stream."""

    seen: Observation
    failure: str | None  # stable word for why it cannot be watched on; None where it can

    @property
    def rank(self) -> int:
        """How little it says of the stream beside other trials."""
        states = (SourceState.LIVE, SourceState.NOT_OBSERVED, SourceState.UPCOMING)
        return states.index(self.seen.state) if self.seen.state in states else len(states)


class ManifestSource:
    """A stream behind an HLS playlist or a DASH manifest."""

    def __init__(
        self, url: str, client: MediaClient, *, poll_slots: asyncio.Semaphore | None = None
    ) -> None:
        self._url = url
        self._client = client
        # A poll takes one: a playlist may be large, and many streams may wait.
        self._poll_slots = poll_slots or asyncio.Semaphore()

    async def observe(self, *, refresh: bool = False) -> Observation:
        """Load the playlist, and of a master playlist the first rendition that goes on."""
        try:
            playlist = await load_playlist(self._client, self._url)
            if isinstance(playlist, MediaPlaylist):
                return _observed(playlist, MediaUrls(main=self._url))
            renditions = media_of(playlist)
        except FetchError as error:
            return _not_loaded(error)
        except ChannelList as error:
            return _refused("channel_list", str(error))
        except PlaylistError as error:
            return _failed("bad_playlist", str(error))
        return await self._choose(renditions)

    async def observe_status(self, *, priority: bool = False) -> Observation:
        async with self._poll_slots:
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
        return poll_delay_sec(
            now, waiting_since=waiting_since, scheduled_start=scheduled_start, chance=chance
        )

    async def _choose(self, renditions: tuple[MediaUrls, ...]) -> Observation:
        """Return a rendition to watch, which also says whether the stream is live."""
        # The stream is over, or absent, only if all renditions are.
        trials = await self._try_in_order(renditions)
        wait_sec = WAIT_PER_RENDITION_SEC * len(trials) if len(trials) > 1 else None
        if trials[-1].failure is not None:
            best = min(trials, key=lambda each: each.rank)
            return replace(best.seen, renditions=renditions, retry_after_sec=wait_sec)
        if len(trials) > 1:
            again = await self._try(renditions[0])  # one bad answer is no reason to change
            if again.failure is None:
                return replace(again.seen, renditions=renditions)
        tried = zip(renditions, trials, strict=False)
        return replace(
            trials[-1].seen,
            renditions=renditions,
            passed_over={media.rendition: it.failure for media, it in tried if it.failure},
            retry_after_sec=wait_sec,
        )

    async def _try_in_order(self, renditions: Sequence[MediaUrls]) -> list[_Trial]:
        """Try renditions up to the first that can be watched, which is the last then."""
        clock = asyncio.get_running_loop().time
        give_up_at = clock() + MAX_TRYING_SEC
        is_dash = DashTrack.named_by(renditions[0].main)
        trials = [await self._try(renditions[0])]
        for media in renditions[1 : MAX_DASH_TRACKS_TRIED if is_dash else MAX_RENDITIONS_TRIED]:
            if trials[-1].failure is None or clock() > give_up_at:
                break
            if trials[-1].failure == ENDED and not media.ends_apart_from(self._url):
                break
            trials.append(await self._try(media))
        return trials

    async def _try(self, media: MediaUrls) -> _Trial:
        """Load a rendition; it is not absent only because its audio playlist is."""
        try:
            main = await load_playlist(self._client, media.main)
        except FetchError as error:
            return _Trial(_not_loaded(error), error.code)
        except PlaylistError as error:
            return _Trial(_failed("bad_playlist", str(error)), "bad_playlist")
        if isinstance(main, MasterPlaylist):
            nested = _failed("bad_playlist", "the master playlist names a master playlist")
            return _Trial(nested, nested.reason)
        seen = _observed(main, media)
        if seen.state is not SourceState.LIVE or main.ended:
            return _Trial(seen, seen.reason or ENDED)
        return _Trial(seen, await self._audio_failure(media))

    async def _audio_failure(self, media: MediaUrls) -> str | None:
        try:
            if media.audio:
                await load_playlist(self._client, media.audio)
        except FetchError as error:
            return error.code
        except PlaylistError:
            return "bad_playlist"
        return None


def media_of(playlist: MasterPlaylist) -> tuple[MediaUrls, ...]:
    """Where the renditions are, first the one that costs least to watch."""
    return tuple(_media(choice) for choice in rank_renditions(playlist))


def _media(choice: Choice) -> MediaUrls:
    first, *others = choice.sounds or (None,)
    return MediaUrls(
        audio_label=_label(1, first) if first else {},
        additional_audio=tuple(
            AudioRendition(each.uri, _label(place, each))
            for place, each in enumerate(others[:MOST_ADDITIONAL_AUDIO], 2)
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
        "language": _printable(sound.language, MAX_LANGUAGE_CHARS),
        "name": _printable(sound.name, MAX_NAME_CHARS),
    }
    return {"track": f"audio {place}", **{key: text for key, text in named.items() if text}}


def _printable(text: str | None, max_chars: int) -> str:
    printable = (character for character in text or "" if character.isprintable())
    return "".join(islice(printable, max_chars))


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
        return _refused(error.code, str(error))
    if error.status in ABSENT_STATUSES:
        message = f"there is no manifest: it {error}"
        return Observation(state=SourceState.UPCOMING, reason=error.code, message=message)
    return _failed(error.code, f"the manifest cannot be loaded: {error}")


def _refused(reason: str, message: str) -> Observation:
    return Observation(
        state=SourceState.UNAVAILABLE, reason=reason, message=message, is_permanent=True
    )


def _failed(reason: str, message: str) -> Observation:
    return Observation(
        state=SourceState.NOT_OBSERVED, reason=reason, message=message, is_fault=True
    )
