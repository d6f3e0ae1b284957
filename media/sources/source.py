"""What is known of a stream, and where its media is.

There are two kinds of sources: a direct manifest (`media.sources.direct`) and a YouTube video
(`media.sources.youtube`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from urllib.parse import urldefrag

from monitors.measurement import Track


class SourceState(StrEnum):
    LIVE = "live"
    UPCOMING = "upcoming"  # not yet there, or away for now: poll again later
    ENDED = "ended"
    UNAVAILABLE = "unavailable"  # there is a stream, but not for us; `Observation.reason` says why
    NOT_OBSERVED = "not_observed"  # the poll failed: nothing is known, which is not down


@dataclass(frozen=True)
class AudioRendition:
    """An audio track in a playlist of its own, beside the one that a player takes by itself."""

    url: str = field(repr=False)
    # its `track`, and `language` and `name` where they are known
    label: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class MediaUrls:
    """Where one rendition of a stream is.

    The URLs may be signed: they belong into no log, event or workflow history.
    """

    # media playlist with the video (and the sound, unless `audio` is given), or with sound alone
    # when the stream has no video
    main: str = field(repr=False)
    main_tracks: frozenset[Track] = frozenset({"video", "audio"})  # what `main` may carry
    declared: frozenset[Track] = frozenset()  # tracks that the stream is said to have
    codecs: tuple[str, ...] = ()
    # media playlist of the sound when it is a rendition of its own
    audio: str | None = field(default=None, repr=False)
    # additional audio tracks that are renditions of their own
    additional_audio: tuple[AudioRendition, ...] = ()
    # of the sound, as `AudioRendition.label`
    audio_label: Mapping[str, str] = field(default_factory=dict)
    # names the broadcast; with another name media sequences begin again
    broadcast: str | None = None
    expires_at: datetime | None = None
    # identifies it among those of the stream, in each poll; empty where there is no choice
    rendition: str = ""
    rendition_name: str = ""

    def ends_apart_from(self, other_url: str) -> bool:
        """Return whether its playlist is another document than `other_url`.

        The renditions of a DASH manifest end together, with the manifest.
        """
        return urldefrag(self.main).url != urldefrag(other_url).url


@dataclass(frozen=True, kw_only=True)
class Observation:
    """The result of one poll of a source."""

    state: SourceState
    reason: str = ""  # stable word for why it is so (`video_private`, `bot_check`, `http_404`, ...)
    message: str = ""  # the same in plain words, free of URLs and secrets
    is_permanent: bool = False  # an `UNAVAILABLE` that time does not heal, once it is confirmed
    title: str | None = None
    starts_at: datetime | None = None
    # for `LIVE`; of a stream that `ENDED` a moment ago what is left of it
    media: MediaUrls | None = None
    renditions: tuple[MediaUrls, ...] = ()  # all of the stream's media, the preferred one first
    # renditions that cannot be watched now, and a stable word for why
    passed_over: Mapping[str, str] = field(default_factory=dict)
    # a poll that failed because the stream's media cannot be fetched or read
    is_fault: bool = False
    retry_after_sec: float | None = None
    # how long a stream that was live must be `UPCOMING` to count as over; None where the source
    # knows no better than others
    grace_sec: float | None = None


class Source(Protocol):
    """A stream that can be polled."""

    async def observe(self, *, refresh: bool = False) -> Observation:
        """Poll, and find the media of a live stream. Never raises for what others do.

        Args:
            refresh: media that was found before is not good enough.
        """

    async def observe_status(self, *, priority: bool = False) -> Observation:
        """Poll as cheaply as possible; `LIVE` may come without media.

        Args:
            priority: the stream is watched, so polls of streams that wait come later.
        """

    def poll_delay_sec(
        self,
        seen: Observation,
        *,
        now: datetime,
        waiting_since: datetime,
        scheduled_start: datetime | None,
        chance: float,
    ) -> float:
        """Return the wait until the next poll of a stream that is not live, in seconds.

        Args:
            waiting_since: when the first poll was.
            scheduled_start: when the user expects it.
            chance: a random number from 0 to 1 for the jitter that spreads load.
        """
