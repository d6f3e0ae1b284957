"""Decides when to watch another rendition of a stream."""

import asyncio
from collections.abc import Sequence

import structlog

from media.sources.direct import ENDED
from media.sources.source import MediaUrls
from media.watching.judging import StateJudge
from media.watching.rendition_check import first_that_plays
from media.watching.segment_prober import SegmentProber
from monitors.measurement import Track
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

    def __init__(self, judge: StateJudge, prober: SegmentProber) -> None:
        self._state = judge.state
        self._config = judge.config
        self._now = judge.now
        self._prober = prober

    async def until_another(self, others: Sequence[MediaUrls]) -> None:
        """Return when another rendition is to be watched.

        That is one that plays while the watched one does not, or the preferred one when it plays
        again. Where none plays, they are asked again later and later.
        """
        if not others:
            await asyncio.Event().wait()
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
        """Return why the watched rendition is to be replaced if another one plays."""
        if self._state.renditions.is_failing:
            return self._state.renditions.failure
        return STANDS_STILL if self._state.may_stand_still(self._config) else None
