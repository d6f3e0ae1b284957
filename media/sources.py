"""What is known of a stream at one look, and where its media is.

Two kinds of sources give the same answer: a direct manifest (`media.manifest`) and a YouTube
page (`media.youtube`).
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from monitors.detectors.media import Track


class SourceState(StrEnum):
    """Whether there is something to watch."""

    LIVE = "live"
    UPCOMING = "upcoming"
    """Not yet there, or away for now: ask again later."""

    ENDED = "ended"
    UNAVAILABLE = "unavailable"
    """There is a stream, but not for us; `Observation.reason` says why."""

    NOT_OBSERVED = "not_observed"
    """The look failed: nothing is known, which is not the same as down."""


@dataclass(frozen=True, kw_only=True)
class MediaUrls:
    """Where the lowest rendition with picture and sound is.

    The URLs may be signed: they belong into no log, event or workflow history.

    Attributes:
        main: media playlist with the picture (and the sound, unless `audio` is given), or with
            sound alone when the stream has no picture.
        main_tracks: what `main` carries.
        audio: media playlist of the sound when it is a rendition of its own.
        broadcast: names the broadcast; another name means that media sequences start anew.
        expires_at: when the URLs stop working; None when they do not tell.
    """

    main: str
    main_tracks: frozenset[Track] = frozenset({"video", "audio"})
    audio: str | None = None
    broadcast: str | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Observation:
    """One look at a source.

    Attributes:
        reason: stable word for why it is so (`video_private`, `bot_check`, `http_404`, ...).
        message: the same in plain words, free of URLs and secrets.
        is_permanent: an `UNAVAILABLE` that time does not heal, once it is confirmed.
        starts_at: when the site says that it will start.
        media: for `LIVE`.
        look_again_sec: least wait that the source demands before the next look; None for any.
    """

    state: SourceState
    reason: str = ""
    message: str = ""
    is_permanent: bool = False
    title: str | None = None
    starts_at: datetime | None = None
    media: MediaUrls | None = None
    look_again_sec: float | None = None


class Source(Protocol):
    """A stream that can be looked at."""

    async def observe(self) -> Observation:
        """Look once. Never raises for what the other side does."""
        ...
