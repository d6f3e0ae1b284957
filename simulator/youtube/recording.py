"""What was asked of the site: so that tests can count extractions and check budgets."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class RequestKind(StrEnum):
    WATCH = "watch"  # `/watch`, `/live/ID`: each extraction asks for it once
    PLAYER = "player"  # the player API
    NEXT = "next"  # the API of the page's data
    EMBED = "embed"
    IFRAME_API = "iframe_api"
    PLAYER_JS = "player_js"  # the player's JavaScript, for its challenges
    SHORT_LINK = "short_link"  # `youtu.be/ID`
    MASTER = "master"
    PLAYLIST = "playlist"
    SEGMENT = "segment"
    OTHER = "other"


MEDIA_KINDS = frozenset({RequestKind.MASTER, RequestKind.PLAYLIST, RequestKind.SEGMENT})


@dataclass(frozen=True)
class RecordedRequest:
    """A request and how it was answered."""

    at: float  # unix seconds of the site's clock
    host: str
    kind: RequestKind
    method: str
    path: str
    video_id: str | None = None
    # `clientName` of a player API request (`WEB`, `ANDROID`, `TVHTML5`, ...)
    client: str | None = None
    broadcast: int | None = None  # the N of `ID.N`, for media
    itag: int | None = None
    sequence: int | None = None
    status: int = 0  # of the answer; 0 when there was none


class RequestLog:
    """All requests since the start, in the order of their answers."""

    def __init__(self) -> None:
        self._seen: list[RecordedRequest] = []
        self._changed = asyncio.Event()

    def __len__(self) -> int:
        return len(self._seen)

    def of(
        self, *kinds: RequestKind, video_id: str | None = None, after: int = 0
    ) -> list[RecordedRequest]:
        """Return the requests of these kinds (none: of all) and this video.

        `after` leaves out that many of the first: `len(log)` marks a place.
        """
        return [
            seen
            for seen in self._seen[after:]
            if (not kinds or seen.kind in kinds) and video_id in (None, seen.video_id)
        ]

    def extractions(self, *, video_id: str | None = None, after: int = 0) -> int:
        """Return how often a resolver looked at a video: its visits to the watch page."""
        return len(self.of(RequestKind.WATCH, video_id=video_id, after=after))

    def site_requests(
        self, *, video_id: str | None = None, after: int = 0
    ) -> list[RecordedRequest]:
        """Return what counts against the request budget: all but media."""
        kinds = frozenset(RequestKind) - MEDIA_KINDS
        return self.of(*kinds, video_id=video_id, after=after)

    def add(self, seen: RecordedRequest) -> None:
        self._seen.append(seen)
        self._changed.set()

    async def until(
        self, condition: Callable[["RequestLog"], object], timeout_sec: float = 10
    ) -> None:
        """Return when the condition holds; it is asked again after each request."""
        async with asyncio.timeout(timeout_sec):
            while not condition(self):
                self._changed.clear()
                await self._changed.wait()
