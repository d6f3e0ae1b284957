"""YouTube as one egress address sees it, for all monitors of a worker."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Protocol

from media.sources.source import Observation, SourceState
from media.sources.youtube import site_messages
from media.sources.youtube.classifier import classify
from media.sources.youtube.external_resolvers import ExternalResolvers
from media.sources.youtube.request_budget import BudgetExhausted, Egress, EgressPaused, Lease
from media.sources.youtube.resolution import ResolvedVideo, ResolveRequest, ResolverFailed
from media.sources.youtube.resolver_options import PollDepth, Resolver, YouTubeOptions
from media.sources.youtube.resolver_pool import ResolverPool

BUSY = "busy"  # reason of a poll that was not made, because the budget is used up: it says nothing
_RETRY_SEC = 60.0
_SECOND_OPINIONS = frozenset({SourceState.LIVE, SourceState.UPCOMING, SourceState.ENDED})


class ResolverBackend(Protocol):
    async def resolve(self, request: ResolveRequest) -> ResolvedVideo:
        """Poll once, or raise `ResolverFailed`."""

    async def close(self) -> None:
        pass


class YouTubeSite:
    """Polls videos through one egress and its budget. Close it after use."""

    def __init__(
        self,
        options: YouTubeOptions,
        *,
        egress: Egress | None = None,
        backends: Mapping[Resolver, ResolverBackend] | None = None,
        max_background_wait_sec: float = 40.0,  # for a lease; before a poll counts as hung
    ) -> None:
        self._options = options
        self._egress = egress or Egress()
        self._backends = backends or _open_backends(options)
        self._max_background_wait_sec = max_background_wait_sec
        self._network_failure: Observation | None = None

    async def observe(
        self, video_id: str, depth: PollDepth = PollDepth.MEDIA, *, background: bool = False
    ) -> Observation:
        """Poll once, and where a resolver itself fails, once more through the next one.

        Never raises for what the site does or the resolvers do.
        """
        now = asyncio.get_running_loop().time()
        give_up_at = now + self._max_background_wait_sec if background else None
        first: _Poll | None = None
        for resolver in self._options.resolvers:
            try:
                poll = await self._poll_further(
                    ResolveRequest(resolver, depth, video_id), give_up_at
                )
            except BudgetExhausted as why:
                return first.observation if first else self._without_poll(why)
            if first is None:
                first = poll
            elif _is_believed(poll, after=first):
                return replace(poll.observation, title=poll.title or first.title)
            if poll.observation.reason not in site_messages.RESOLVER_FAILURES:
                break
        assert first is not None  # noqa: S101  # options name at least one resolver
        return first.observation

    async def close(self) -> None:
        for backend in set(self._backends.values()):
            await backend.close()

    async def _poll_further(self, request: ResolveRequest, give_up_at: float | None) -> "_Poll":
        """Poll; deeper where a status contradicts itself, or media may be left after the end."""
        poll = await self._poll(request, give_up_at)
        if request.depth is PollDepth.STATUS and poll.is_contradictory:
            return await self._poll(replace(request, depth=PollDepth.MEDIA), give_up_at)
        if request.depth is PollDepth.MEDIA and poll.is_just_over:
            try:
                deeper = await self._poll(replace(request, depth=PollDepth.REMAINS), None)
            except BudgetExhausted:
                return poll
            return deeper if deeper.observation.media else poll
        return poll

    async def _poll(self, request: ResolveRequest, give_up_at: float | None) -> "_Poll":
        async with self._egress.lease(request.expected_requests, give_up_at=give_up_at) as lease:
            try:
                resolution = await self._backends[request.resolver].resolve(request)
            except ResolverFailed as error:
                poll = _Poll(None, _failed(error))
                self._egress.record(
                    lease, error.reason, requests=0, is_refused=False, is_answered=False
                )
            else:
                poll = self._judge(resolution, lease)
        is_of_the_network = poll.observation.reason in site_messages.NETWORK_FAILURES
        self._network_failure = poll.observation if is_of_the_network else None
        return poll

    def _judge(self, resolution: ResolvedVideo, lease: Lease) -> "_Poll":
        observation = classify(resolution)
        is_refused = observation.reason in site_messages.EGRESS_FAILURES
        self._egress.record(
            lease,
            observation.reason or str(observation.state),
            requests=resolution.requests,
            is_refused=is_refused,
            is_answered=observation.state is not SourceState.NOT_OBSERVED,
        )
        pause = self._egress.pause()
        if pause and is_refused:
            observation = replace(_paused(pause), title=observation.title)
        return _Poll(resolution, observation)

    def _without_poll(self, why: BudgetExhausted) -> Observation:
        if isinstance(why, EgressPaused):
            return _paused(why)
        if self._network_failure:  # which is why the polls before it take so long
            return replace(self._network_failure, title=None)
        return Observation(
            state=SourceState.NOT_OBSERVED,
            reason=BUSY,
            message="Other streams are looked at first: the request budget is used up",
        )


def _open_backends(options: YouTubeOptions) -> dict[Resolver, ResolverBackend]:
    paths = {Resolver.YTDLP: options.ytdlp_path, Resolver.STREAMLINK: options.streamlink_path}
    external = [resolver for resolver in options.resolvers if paths[resolver]]
    library = [resolver for resolver in options.resolvers if not paths[resolver]]
    backends: dict[Resolver, ResolverBackend] = {}
    if external:
        backends |= dict.fromkeys(external, ExternalResolvers(options))
    if library:
        backends |= dict.fromkeys(library, ResolverPool(options))
    return backends


class _Poll:
    def __init__(self, resolution: ResolvedVideo | None, observation: Observation) -> None:
        self.live_status = resolution.live_status if resolution else None
        self.title = resolution.title if resolution else None
        self.observation = observation

    @property
    def is_contradictory(self) -> bool:
        """Whether it is live and said to have ended, which is also said while it still plays."""
        return self.live_status == "is_live" and self.observation.state is SourceState.ENDED

    @property
    def is_just_over(self) -> bool:
        """Whether it is over, and the site may still serve its last minutes as it did live."""
        return self.live_status == "post_live" and self.observation.state is SourceState.ENDED


def _is_believed(second: _Poll, *, after: _Poll) -> bool:
    """Return whether another resolver's poll counts."""
    # Media is a proof. Else it counts only where the first one did not even see a live status, and
    # never for a permanent state: one client's error is not the video's.
    if second.observation.state is SourceState.LIVE:
        return True
    return second.observation.state in _SECOND_OPINIONS and after.live_status is None


def _failed(error: ResolverFailed) -> Observation:
    return Observation(
        state=SourceState.NOT_OBSERVED,
        reason=error.reason,
        message=f"The poll of YouTube failed: {error}",
        retry_after_sec=_RETRY_SEC,
    )


def _paused(pause: EgressPaused) -> Observation:
    """Return what is known during a pause: the same in its whole length, for all monitors."""
    known = {meaning.reason: meaning.message for meaning in site_messages.TRANSIENT}
    says = known.get(pause.reason, pause.reason)
    length_min = max(1, round(pause.length_sec / 60))
    until = datetime.now(UTC) + timedelta(seconds=pause.remaining_sec)
    return Observation(
        state=SourceState.NOT_OBSERVED,
        reason=pause.reason,
        message=f"{says}; nothing is asked for {length_min} min, until {until:%H:%M} UTC",
        retry_after_sec=pause.remaining_sec,
    )
