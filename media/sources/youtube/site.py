"""YouTube as one egress address sees it, for all monitors of a worker."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Protocol

from media.sources.source import Observation, SourceState
from media.sources.youtube import site_messages
from media.sources.youtube.classifier import classify
from media.sources.youtube.egress import BudgetExhausted, Egress, EgressPaused, EgressSnapshot, Turn
from media.sources.youtube.errors import ResolverFailed
from media.sources.youtube.external import ExternalResolvers
from media.sources.youtube.helper_protocol import ResolveRequest
from media.sources.youtube.pool import ResolverPool
from media.sources.youtube.resolution import Resolution
from media.sources.youtube.resolver_options import Depth, Resolver, YouTubeOptions

BUSY = "busy"
"""Reason of a look that was not made, because the budget is used up: it says nothing."""

_RETRY_SEC = 60.0
_SECOND_OPINIONS = frozenset({SourceState.LIVE, SourceState.UPCOMING, SourceState.ENDED})


class Looker(Protocol):
    """Whoever can look at a video."""

    async def look(self, question: ResolveRequest) -> Resolution:
        """Look once.

        Raises:
            ResolverFailed: nothing was found.
        """
        ...

    async def close(self) -> None:
        """Leave nothing behind."""
        ...


class YouTubeSite:
    """Looks at videos through one egress and its budget. Close it after use.

    Args:
        options: how the site is asked.
        egress: the budget; one for each address, however many sites are asked through it.
        lookers: who looks; by default as `options` say.
    """

    def __init__(
        self,
        options: YouTubeOptions,
        *,
        egress: Egress | None = None,
        lookers: Mapping[Resolver, Looker] | None = None,
    ) -> None:
        self._options = options
        self._egress = egress or Egress(at_once=options.helpers)
        self._trouble: Observation | None = None
        self._lookers = lookers or _make_lookers(options)

    async def observe(
        self, video_id: str, depth: Depth = Depth.MEDIA, *, patient: bool = False
    ) -> Observation:
        """Look once, and where a resolver itself fails, once more through the next one.

        Never raises for what the site does or the resolvers do.

        Args:
            video_id: its 11 letters.
            depth: how much is to be found out.
            patient: looks at streams that run may go first.
        """
        until = self._egress.patience_ends() if patient else None
        first: _Look | None = None
        for resolver in self._options.resolvers:
            try:
                look = await self._judged(ResolveRequest(resolver, depth, video_id), until)
            except BudgetExhausted as why:
                return first.observation if first else self._not_made(why)
            if first is None:
                first = look
            elif _is_believed(look, after=first):
                return replace(look.observation, title=look.title or first.title)
            if look.observation.reason not in site_messages.WORTH_A_SECOND_LOOK:
                break
        assert first is not None  # noqa: S101  # options name at least one resolver
        return first.observation

    def snapshot(self) -> EgressSnapshot:
        """Return the counters of the egress."""
        return self._egress.snapshot()

    async def close(self) -> None:
        """End all processes."""
        for looker in set(self._lookers.values()):
            await looker.close()

    async def _judged(self, question: ResolveRequest, until: float | None) -> "_Look":
        """Look; deeper where a status contradicts itself or the media of a stream's end may be."""
        look = await self._look(question, until)
        if question.depth is Depth.STATUS and look.is_contradictory:
            return await self._look(replace(question, depth=Depth.MEDIA), until)
        if question.depth is Depth.MEDIA and look.is_just_over:
            return await self._with_remains(look, question)
        return look

    async def _with_remains(self, look: "_Look", question: ResolveRequest) -> "_Look":
        """Return `look` with what is left of the stream's media, if anything is."""
        try:
            deeper = await self._look(replace(question, depth=Depth.REMAINS), None)
        except BudgetExhausted:
            return look
        return deeper if deeper.observation.media else look

    async def _look(self, question: ResolveRequest, until: float | None) -> "_Look":
        turn = await self._egress.begin(expected_requests(question), until=until)
        try:
            finding = await self._lookers[question.resolver].look(question)
        except ResolverFailed as error:
            look = _Look(None, _failed(error))
            self._egress.end(turn, outcome=error.reason, requests=0, refused=False, seen=False)
        except BaseException:
            self._egress.abandon()
            raise
        else:
            look = self._learned(turn, finding)
        is_of_the_way = look.observation.reason in site_messages.NETWORK_FAILURES
        self._trouble = look.observation if is_of_the_way else None
        return look

    def _learned(self, turn: Turn, finding: Resolution) -> "_Look":
        observation = classify(finding)
        self._egress.end(
            turn,
            outcome=observation.reason or str(observation.state),
            requests=finding.requests,
            refused=observation.reason in site_messages.EGRESS_FAILURES,
            seen=observation.state is not SourceState.NOT_OBSERVED,
        )
        paused = self._egress.paused()
        if paused and observation.reason in site_messages.EGRESS_FAILURES:
            return _Look(finding, replace(_paused(paused), title=observation.title))
        return _Look(finding, observation)

    def _not_made(self, why: BudgetExhausted) -> Observation:
        """Return what a look would meet that was not made."""
        if isinstance(why, EgressPaused):
            return _paused(why)
        if self._trouble:  # which is why those before it take so long
            return replace(self._trouble, title=None)
        return Observation(
            state=SourceState.NOT_OBSERVED,
            reason=BUSY,
            message="Other streams are looked at first: the request budget is used up",
        )


def expected_requests(question: ResolveRequest) -> int:
    """Return how many HTTP requests a look makes, at most as a rule."""
    if question.resolver is Resolver.STREAMLINK:
        return 3
    return 1 if question.depth is Depth.STATUS else 6


def _make_lookers(options: YouTubeOptions) -> dict[Resolver, Looker]:
    paths = {
        Resolver.YTDLP: options.ytdlp_path,
        Resolver.STREAMLINK: options.streamlink_path,
    }
    external = [resolver for resolver in options.resolvers if paths[resolver]]
    library = [resolver for resolver in options.resolvers if not paths[resolver]]
    lookers: dict[Resolver, Looker] = {}
    if external:
        lookers |= dict.fromkeys(external, ExternalResolvers(options))
    if library:
        lookers |= dict.fromkeys(library, ResolverPool(options))
    return lookers


class _Look:
    """A look and its judgement; `finding` is None when nothing was found."""

    def __init__(self, finding: Resolution | None, observation: Observation) -> None:
        self.live_status = finding.live_status if finding else None
        self.title = finding.title if finding else None
        self.observation = observation

    @property
    def is_contradictory(self) -> bool:
        """Whether it is live and said to have ended, which is also said while it still plays."""
        return self.live_status == "is_live" and self.observation.state is SourceState.ENDED

    @property
    def is_just_over(self) -> bool:
        """Whether it is over, and the site may still serve its last minutes as it did live."""
        return self.live_status == "post_live" and self.observation.state is SourceState.ENDED


def _is_believed(second: _Look, *, after: _Look) -> bool:
    """Tell whether another resolver's look counts.

    Media is a proof. Else it counts only where the first one did not even see a live status, and
    never for a permanent state: one client's error is not the video's.
    """
    if second.observation.state is SourceState.LIVE:
        return True
    return second.observation.state in _SECOND_OPINIONS and after.live_status is None


def _failed(error: ResolverFailed) -> Observation:
    return Observation(
        state=SourceState.NOT_OBSERVED,
        reason=error.reason,
        message=f"The look at YouTube failed: {error}",
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
