"""Loading a media playlist again and again, with what its server offers for that."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace

import structlog

from media.hls.cursor import PlaylistCursor
from media.hls.errors import PlaylistError, UnsupportedPlaylist
from media.hls.pieces import PIECE_SEC
from media.hls.playlist import MediaPlaylist
from media.hls.reload import (
    BLOCKING,
    BLOCKING_PART,
    MIN_RELOAD_SEC,
    PublicationPhase,
    counted_start,
    delivery_directives,
    next_reload_delay,
    publication_period_sec,
    with_directives,
)
from media.outbound.errors import FetchError
from media.outbound.fetching import PLAYLIST_TIMEOUT_SEC, Mirrors
from media.outbound.stream_client import MediaClient
from media.playlists.loading import load_again
from media.watching.resume_hint import PlaylistLook

logger = structlog.get_logger(__name__)

RETRY_SEC = 2.0
MOST_REFUSALS = 3  # after this many bad answers in a row, a server is asked without directives
BLOCKED_TIMES = 2
BLOCKED_EXTRA_SEC = 1.0
"""A blocking request may take this many times what it waits for, and a little more. A stream that
stands still is polled instead."""


class PlaylistReloads:
    """The requests for one playlist.

    A server that answers delivery directives badly (an error, a hang, at once the same as before)
    is asked without them until there is news, and after `MOST_REFUSALS` for good.
    """

    def __init__(
        self,
        url: str,
        client: MediaClient,
        *,
        check_interval_sec: float | None,
        mirrors: Mirrors,
    ) -> None:
        self._url = url
        self._client = client
        self._check_interval_sec = check_interval_sec
        self._mirrors = mirrors

    def delay_sec(self, last: PlaylistLook | None) -> float:
        if last is None:
            return RETRY_SEC
        return max(0.0, self._due_at(last) - _clock())

    def _due_at(self, last: PlaylistLook) -> float:
        if BLOCKING in self._directives(last):
            return last.started + MIN_RELOAD_SEC
        delay_sec = next_reload_delay(
            last.playlist,
            changed=last.changed,
            check_interval_sec=self._check_interval_sec,
            read_sec=last.read_sec,
        )
        if last.changed and self._check_interval_sec is None:
            period_sec = publication_period_sec(last.playlist, delay_sec)
            delay_sec += last.phase.later_sec(period_sec) if period_sec else 0.0
        return last.started + delay_sec

    def in_parts(self, last: PlaylistLook) -> bool:
        """Whether segments are measured before they are complete."""
        server, is_obeyed = last.playlist.server, last.refusals < MOST_REFUSALS
        return server.can_block_reload and is_obeyed and self._check_interval_sec is None

    async def load(self, last: PlaylistLook | None, cursor: PlaylistCursor) -> PlaylistLook:
        """Return the playlist as it is, with the numbers of `cursor`, which stays where it is."""
        if last and (directives := self._directives(last)):
            try:
                return await self._request(last, cursor, directives)
            except (FetchError, PlaylistError) as error:
                logger.info("delivery directives refused", error=str(error))
                last = replace(last, refusals=last.refusals + 1)
        return await self._request(last, cursor, {})

    def _directives(self, last: PlaylistLook) -> Mapping[str, str]:
        if last.refusals >= MOST_REFUSALS:
            return {}
        return delivery_directives(
            last.playlist,
            age_sec=_clock() - last.loaded_at,
            may_block=last.changed and self._check_interval_sec is None,
        )

    async def _request(
        self, last: PlaylistLook | None, cursor: PlaylistCursor, directives: Mapping[str, str]
    ) -> PlaylistLook:
        asked_at = _clock()
        started = counted_start(asked_at, self._due_at(last) if last else None)
        loaded = await load_again(
            self._client,
            with_directives(self._url, directives),
            known=frozenset(cursor.remembered.values()),
            previous=last.playlist if last and directives else None,
            is_large=bool(last and last.is_large),
            timeout_sec=_timeout_sec(last, directives),
            mirrors=self._mirrors,
        )
        if not isinstance(loaded.playlist, MediaPlaylist):
            raise UnsupportedPlaylist("a master playlist where a media playlist was")
        playlist = cursor.numbered(loaded.playlist)
        refusals = last.refusals if last else 0
        if last and directives:
            in_vain = BLOCKING in directives and playlist.edge <= last.playlist.edge
            refusals = refusals + 1 if in_vain else 0
        return PlaylistLook(
            url=self._url,
            playlist=playlist,
            loaded_at=asked_at,
            started=started,
            read_sec=loaded.read_sec,
            is_large=loaded.is_large,
            refusals=refusals,
            phase=_phase(last, playlist, asked_at),
        )


def _phase(last: PlaylistLook | None, playlist: MediaPlaylist, asked_at: float) -> PublicationPhase:
    interval_sec = next_reload_delay(playlist, changed=True)
    period_sec = publication_period_sec(playlist, interval_sec)
    if last is None or period_sec is None:
        return PublicationPhase()
    new = playlist.edge[0] - last.playlist.edge[0]
    return last.phase.after(asked_at - last.loaded_at, new, period_sec)


def _timeout_sec(last: PlaylistLook | None, directives: Mapping[str, str]) -> float:
    if last is None or BLOCKING not in directives:
        return PLAYLIST_TIMEOUT_SEC
    part_sec = last.playlist.server.part_target_sec
    awaited_sec = last.playlist.target_duration_sec
    if part_sec is not None and BLOCKING_PART in directives:
        awaited_sec = PIECE_SEC + part_sec
    return min(PLAYLIST_TIMEOUT_SEC, BLOCKED_TIMES * awaited_sec + BLOCKED_EXTRA_SEC)


def _clock() -> float:
    return asyncio.get_running_loop().time()
