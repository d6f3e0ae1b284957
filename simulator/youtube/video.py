"""One video of the site, and the ways its life can go."""

import math
from collections.abc import Callable, Sequence
from enum import StrEnum

from simulator.origin.clock import Clock
from simulator.origin.encoding import TINY, Encoding
from simulator.origin.programme import Programme
from simulator.youtube.broadcast import Broadcast
from simulator.youtube.challenge import make_challenge
from simulator.youtube.pages import Look
from simulator.youtube.playability import WEB_CLIENTS, VideoState
from simulator.youtube.recording import RequestKind
from simulator.youtube.renditions import Layout
from simulator.youtube.signed_urls import MediaRequest

SIX_HOURS_SEC = 21_600
JAVASCRIPT_CLIENTS = WEB_CLIENTS | {"TVHTML5"}

Scenes = Sequence[tuple[str, float]]
"""Kinds of `simulator.origin.scenes.SceneKind` and their seconds, in sum whole segments."""

NORMAL: Scenes = (("normal", 12),)


class MediaEnd(StrEnum):
    """What the playlists of a finished broadcast do."""

    FROZEN = "frozen"
    ENDLIST = "endlist"
    GONE = "gone"  # 404


class Video:
    """A video; every method changes it from now on, or from the moment of the script's step."""

    def __init__(self, video_id: str, clock: Clock, *, title: str = "A live stream") -> None:
        self.video_id = video_id
        self.title = title
        self.layout = Layout.BOTH
        self.url_life_sec: float = SIX_HOURS_SEC  # of media URLs, from when they are given out
        self.window_sec = 30  # what a media playlist lists, unless its URL asks for more or less
        # Only JavaScript clients get the manifest, and its path carries a challenge: 403 until it
        # is answered.
        self.needs_javascript = False
        self.manifest_clients: frozenset[str] | None = None  # as in `clientName`; None: all
        self.media_end = MediaEnd.FROZEN  # `GONE` takes the playlists at any time
        self.broadcasts: dict[int, Broadcast] = {}
        self._clock = clock
        self._state = VideoState.UNAVAILABLE
        self._client_states: dict[str, VideoState] = {}
        self._is_premiere = False
        self._starts_at: float | None = None
        self._ended_at: float | None = None
        self._steps: list[tuple[float, Callable[[Video], object]]] = []
        self._step_at: float | None = None
        self._number = 0

    @property
    def now(self) -> float:
        """The present of the site's clock; inside a script's step the step's moment."""
        return self._clock.now() if self._step_at is None else self._step_at

    @property
    def state(self) -> VideoState:
        """What clients are told, unless they are told something of their own."""
        self._present()
        return self._state

    @property
    def broadcast(self) -> Broadcast:
        """The latest broadcast; there must have been one."""
        self._present()
        return self.broadcasts[self._number]

    def upcoming(self, in_sec: float) -> None:
        """Announce a live stream; again with another time: reschedule it."""
        self._announce(VideoState.UPCOMING, in_sec)

    def premiere(self, in_sec: float) -> None:
        """Announce a premiere: a recording that is shown as if it were live."""
        self._announce(VideoState.PREMIERE, in_sec)

    def go_live(
        self,
        scenes: Scenes = NORMAL,
        *,
        encoding: Encoding = TINY,
        backlog: int = 5,
        first_sequence: int = 0,
        cuts: int = 0,
    ) -> None:
        """Begin the first broadcast: scenes that are shown again and again; see `Broadcast`."""
        self._starts_at = self._present()
        programme = Programme.of(scenes, encoding)
        self._begin(programme, backlog=backlog, first_sequence=first_sequence, cuts=cuts)

    def new_broadcast(self, scenes: Scenes | None = None, *, backlog: int = 0) -> None:
        """Begin `ID.N+1` with sequence 0 on the same page, as after a long encoder stall."""
        before = self.broadcast
        before.end(self.now)
        programme = before.programme
        if scenes is not None:
            programme = Programme.of(scenes, programme.encoding)
        self._begin(programme, backlog=backlog, first_sequence=0, cuts=0)

    def show(self, scenes: Scenes) -> None:
        """Show other scenes from the next segment on."""
        self.broadcast.show(Programme.of(scenes, self.broadcast.programme.encoding), self.now)

    def stall(self) -> None:
        """Freeze the playlists; the page still says live."""
        self.broadcast.stall(self.now)

    def resume(self) -> None:
        """Go on after a stall, same broadcast, next sequence."""
        self.broadcast.resume(self.now)

    def cut(self) -> None:
        self.broadcast.cut(self.now)

    def end(
        self, state: VideoState = VideoState.POST_LIVE, *, media: MediaEnd = MediaEnd.FROZEN
    ) -> None:
        """End the stream; `media` is what its playlists do from now on."""
        self.broadcast.end(self.now)
        self.media_end = media
        self._ended_at = self.now
        self._state = state

    def say(self, state: VideoState, *, client: str | None = None) -> None:
        """Tell all clients a state, or one of them its own until all are told another."""
        self._present()
        if client is None:
            self._state = state
            self._client_states.clear()
        else:
            self._client_states[client] = state

    def script(self, *steps: tuple[float, Callable[["Video"], object]]) -> None:
        """Change by itself: each step is seconds from now and what to do then.

        Steps take effect at their exact moment, whenever the next request comes.
        """
        now = self.now
        self._steps += [(now + after_sec, action) for after_sec, action in steps]
        self._steps.sort(key=lambda step: step[0])

    def advance(self) -> None:
        """Do the script's steps that are due and publish what is due."""
        while self._steps and self._steps[0][0] <= self._clock.now():
            self._step_at, action = self._steps.pop(0)
            try:
                action(self)
            finally:
                self._step_at = None
        if self._number:
            self.broadcasts[self._number].advance(self.now)

    def look(self, client: str) -> Look:
        state = self._client_states.get(client, self._state)
        return Look(
            video_id=self.video_id,
            title=self.title,
            client=client,
            state=state,
            now=self.now,
            is_premiere=self._is_premiere,
            starts_at=self._starts_at,
            ended_at=self._ended_at,
            manifest_url=self._manifest_url(client),
        )

    def challenge(self, expires_at: int) -> str:
        """Return the challenge in the manifest's path, for `needs_javascript`."""
        return make_challenge(self.video_id, expires_at)

    def _present(self) -> float:
        """Catch up with the script, unless a step of it is being done, and return `now`."""
        if self._step_at is None:
            self.advance()
        return self.now

    def _announce(self, state: VideoState, in_sec: float) -> None:
        self._starts_at = self._present() + in_sec
        self._is_premiere = state is VideoState.PREMIERE
        self._state = state

    def _begin(self, programme: Programme, *, backlog: int, first_sequence: int, cuts: int) -> None:
        self._number += 1
        self.broadcasts[self._number] = Broadcast(
            self._number,
            programme,
            self.now,
            first_sequence=first_sequence,
            backlog=backlog,
            cuts=cuts,
        )
        self._state = VideoState.LIVE
        self._ended_at = None
        self.media_end = MediaEnd.FROZEN

    def _manifest_url(self, client: str) -> str | None:
        clients = JAVASCRIPT_CLIENTS if self.needs_javascript else self.manifest_clients
        if not self.broadcasts or (clients is not None and client not in clients):
            return None
        expires_at = math.ceil(self.now + self.url_life_sec)
        challenge = self.challenge(expires_at) if self.needs_javascript else None
        return MediaRequest(
            kind=RequestKind.MASTER,
            video_id=self.video_id,
            broadcast=self._number,
            expires_at=expires_at,
            window_sec=self.window_sec,
            challenge=challenge,
        ).url()
