"""The long activity: when it returns, what it hands over, where it goes on."""

import asyncio
import contextlib
import dataclasses
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.declarations import WatchInput, WatchOutcome, WatchResult
from activities.watch_stream import _stop
from media.sources.youtube.confirmation import DEFAULT_POLICY, Confirmation
from media.watching import WatchState
from monitors.config import MonitorConfig
from monitors.events import EndReason, EventDraft, EventType
from monitors.status import IncidentKind
from simulator.origin import TINY, AtEnd, ChannelOptions, LiveOrigin, Programme, render
from tests.activities.scripted_http import Answer, Request, scripted
from tests.activities.watching import NO_GATEWAY, worker

TOUCHY = MonitorConfig(blackout_threshold_sec=2, silence_threshold_sec=0, recovery_sec=1)
UNTOLD = EventDraft(
    event_type=EventType.FREEZE, timestamp=datetime(2026, 5, 1, tzinfo=UTC), data={"x": 1}
)
BACKLOG = 4

CHECKPOINT_SEC = 6.0
"""Long enough to start decoders on a busy machine, and to measure what is there."""


class Run:
    """One attempt of the activity, in an environment that records its heartbeats."""

    def __init__(self, *, heartbeat_details: Sequence[Any] = ()) -> None:
        self.environment = ActivityEnvironment()
        self.environment.info = dataclasses.replace(
            self.environment.info, heartbeat_details=list(heartbeat_details)
        )
        self.beats: list[dict[str, Any]] = []
        self.environment.on_heartbeat = lambda state: self.beats.append(state)

    async def watch(
        self,
        url: str,
        *,
        state: dict[str, Any] | None = None,
        checkpoint_sec: float = 60,
        gateway_url: str = NO_GATEWAY,
        allow_private_networks: bool = True,
    ) -> WatchResult:
        order = WatchInput(
            monitor_id="mon-1",
            stream_url=url,
            config=TOUCHY,
            state=state,
            checkpoint_sec=checkpoint_sec,
        )
        async with worker(
            gateway_url=gateway_url, allow_private_networks=allow_private_networks
        ) as parts:
            return await self.environment.run(parts.watching.watch_stream, order)

    def analyzed(self) -> int:
        """Return how many segments the last heartbeat knew."""
        if not self.beats:
            return 0
        return WatchState.model_validate(self.beats[-1]).statistics.total_segments_analyzed

    async def until_analyzed(self, count: int) -> None:
        async with asyncio.timeout(60):
            while self.analyzed() < count:
                await asyncio.sleep(0.02)


def on_air(origin: LiveOrigin, *scenes: tuple[str, float], at_end: AtEnd = AtEnd.STALL) -> str:
    options = ChannelOptions(at_end=at_end, backlog_segments=BACKLOG, window_segments=10)
    return origin.add("live", render(Programme.of(scenes, TINY)), options=options).url


async def test_it_returns_as_soon_as_something_happens() -> None:
    async with LiveOrigin() as origin:
        url = on_air(origin, ("normal", 1.0), ("black", 30.0))
        returned = await Run().watch(url)
        (black,) = origin["live"].scenes_on_air("black")
    assert returned.outcome is WatchOutcome.EVENTS_READY
    (happening,) = returned.event_drafts
    assert happening.event_type is EventType.BLACKOUT
    (incident,) = returned.open_incidents
    assert incident.kind is IncidentKind.BLACKOUT
    assert abs((incident.started_at - black.started_at).total_seconds()) <= 0.101
    assert (returned.health.video, returned.statistics.blackout_events) == ("error", 1)
    assert WatchState.model_validate(returned.state).pending_events == []


async def test_turns_after_turns_tell_the_whole_story_once() -> None:
    async with LiveOrigin() as origin:
        scenes = [("normal", 1.0), ("black", 3.0), ("normal", 4.0)]
        url = on_air(origin, *scenes, at_end=AtEnd.END)
        returns = [await Run().watch(url)]
        while returns[-1].outcome is not WatchOutcome.ENDED:
            returns.append(await Run().watch(url, state=returns[-1].state))
    told = [happening.event_type.value for each in returns for happening in each.event_drafts]
    assert told == ["alert.blackout", "alert.blackout_recovered"]
    assert returns[-1].end_reason is EndReason.ENDLIST_DETECTED
    assert returns[-1].statistics.total_segments_analyzed == 8
    assert returns[-1].open_incidents == []
    (seen,) = returns[-1].coverage  # no gateway took any of it: one span over all turns
    assert seen.reason is None
    assert (seen.end - seen.start).total_seconds() >= 8.0 - 0.01


async def test_at_the_checkpoint_it_returns_though_nothing_happened() -> None:
    async with LiveOrigin() as origin:
        url = on_air(origin, ("normal", 30.0))
        first = await Run().watch(url, checkpoint_sec=CHECKPOINT_SEC)
        second = await Run().watch(url, state=first.state, checkpoint_sec=CHECKPOINT_SEC)
        published = origin["live"].published
    assert first.outcome is second.outcome is WatchOutcome.CHECKPOINT
    assert first.event_drafts == second.event_drafts == []
    assert first.statistics.total_segments_analyzed >= BACKLOG
    assert second.statistics.segments_missed == 0
    assert second.statistics.total_segments_analyzed <= len(published)


async def test_a_worker_that_is_lost_before_its_first_segment_hides_nothing() -> None:
    """Its only heartbeat says when it began; what left the live window since then was missed."""
    async with LiveOrigin() as origin:
        url = on_air(origin, ("normal", 60.0))
        lost = Run()
        watching = asyncio.create_task(lost.watch(url))
        async with asyncio.timeout(30):
            while not lost.beats:
                await asyncio.sleep(0.01)
        began = len(origin["live"].published)
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        assert WatchState.model_validate(lost.beats[0]).tracks == {}
        async with asyncio.timeout(60):
            while len(origin["live"].published) < began + 14:
                await asyncio.sleep(0.1)
        next_one = Run(heartbeat_details=[lost.beats[0]])
        returned = await next_one.watch(url, checkpoint_sec=CHECKPOINT_SEC)
        published = len(origin["live"].published)
    statistics = returned.statistics
    assert statistics.segments_missed >= 3
    seen = statistics.segments_missed + statistics.total_segments_analyzed
    assert began + seen <= published + 1
    assert seen >= 14 - 1


def ask_to_stop(environment: ActivityEnvironment) -> None:
    environment.cancel()


def shut_down(environment: ActivityEnvironment) -> None:
    environment.worker_shutdown()


@pytest.mark.parametrize("stop", [ask_to_stop, shut_down], ids=["cancelled", "worker shuts down"])
async def test_stopped_it_hands_back_what_it_knows(
    stop: Callable[[ActivityEnvironment], None],
) -> None:
    async with LiveOrigin() as origin:
        run = Run()
        watching = asyncio.create_task(run.watch(on_air(origin, ("normal", 30.0))))
        await run.until_analyzed(3)
        stop(run.environment)
        returned = await watching
    assert returned.outcome is WatchOutcome.HANDED_BACK
    state = WatchState.model_validate(json.loads(json.dumps(returned.state)))
    assert state.statistics.total_segments_analyzed >= 3
    assert state.tracks["main"].cursor.next_sequence is not None


async def test_a_cancellation_while_it_returns_loses_nothing() -> None:
    """Whenever the second word comes."""
    async with LiveOrigin() as origin:
        url = on_air(origin, ("normal", 30.0))
        returns = await asyncio.gather(*(stopped_twice(url, turns) for turns in range(5)))
    for returned in returns:
        assert returned.statistics.total_segments_analyzed >= 1


async def test_a_task_that_misses_its_cancellation_is_cancelled_again() -> None:
    async def deaf_at_first() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(600)
        await asyncio.sleep(600)

    task = asyncio.create_task(deaf_at_first())
    await asyncio.sleep(0)
    async with asyncio.timeout(60):
        await _stop([task])
    assert task.cancelled()


async def stopped_twice(url: str, turns: int) -> WatchResult:
    """Shut the worker down, and cancel its watch so many turns of the event loop later."""
    run = Run()
    watching = asyncio.create_task(run.watch(url))
    await run.until_analyzed(1)
    run.environment.worker_shutdown()
    for _ in range(turns):
        await asyncio.sleep(0)
    run.environment.cancel()
    return await watching


async def test_a_heartbeat_carries_the_state_and_a_new_attempt_goes_on_from_it() -> None:
    async with LiveOrigin() as origin:
        url = on_air(origin, ("normal", 30.0))
        lost = Run()
        watching = asyncio.create_task(lost.watch(url))
        await lost.until_analyzed(3)
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        known = lost.analyzed()
        again = Run(heartbeat_details=[lost.beats[-1]])
        stale = WatchState().model_dump(mode="json")
        returned = await again.watch(url, state=stale, checkpoint_sec=1.5)
        published = origin["live"].published
    assert WatchState.model_validate(again.beats[0]).statistics.total_segments_analyzed == known
    assert returned.statistics.segments_missed == 0
    assert known <= returned.statistics.total_segments_analyzed <= len(published)


async def test_what_a_lost_attempt_noticed_and_did_not_tell_is_told() -> None:
    async with LiveOrigin() as origin:
        url = on_air(origin, ("normal", 30.0))
        state = WatchState(pending_events=[UNTOLD]).model_dump(mode="json")
        returned = await Run(heartbeat_details=[state]).watch(url)
    assert (returned.outcome, returned.event_drafts) == (WatchOutcome.EVENTS_READY, [UNTOLD])


async def test_heartbeats_that_time_out_soon_follow_each_other_closely() -> None:
    run = Run()
    info, soon = run.environment.info, timedelta(seconds=0.4)
    run.environment.info = dataclasses.replace(info, heartbeat_timeout=soon)
    async with LiveOrigin() as origin:
        await run.watch(on_air(origin, ("normal", 30.0)), checkpoint_sec=1.5)
    assert len(run.beats) >= 4


async def test_a_heartbeat_that_cannot_be_read_leaves_the_state_of_the_order() -> None:
    async with LiveOrigin() as origin:
        url = on_air(origin, ("normal", 30.0))
        state = WatchState(pending_events=[UNTOLD]).model_dump(mode="json")
        returned = await Run(heartbeat_details=[{"tracks": 7}]).watch(url, state=state)
    assert returned.event_drafts == [UNTOLD]


async def test_a_stream_out_of_reach_for_good_is_a_final_error() -> None:
    before = datetime.fromtimestamp(datetime.now(UTC).timestamp() - DEFAULT_POLICY.apart_sec, UTC)
    heard = Confirmation(reason="address_refused", looks=1, counted_at=before)
    state = WatchState(bad_news=heard).model_dump(mode="json")
    with pytest.raises(ApplicationError) as failure:
        await Run().watch("http://127.0.0.1/live.m3u8", state=state, allow_private_networks=False)
    assert (failure.value.type, failure.value.non_retryable) == ("StreamUnavailable", True)


async def reports_to(answer: Answer) -> tuple[list[Request], WatchResult]:
    """Watch until counters are reported, for less than until they are the next time."""
    async with LiveOrigin() as origin, scripted(answer) as gateway:
        url = on_air(origin, ("normal", 30.0))
        watching = asyncio.create_task(Run().watch(url, gateway_url=gateway.url, checkpoint_sec=5))
        return await _requests(gateway.requests, watching), await watching


async def _requests(
    requests: list[Request], watching: "asyncio.Task[WatchResult]"
) -> list[Request]:
    while not requests and not watching.done():
        await asyncio.sleep(0.05)
    return requests


async def test_counters_are_reported_beside_the_watch_and_a_bad_gateway_does_not_disturb_it() -> (
    None
):
    good, broken, unknown = await asyncio.gather(
        *(reports_to(Answer(status)) for status in (204, 500, 404))
    )
    for requests, returned in (good, broken, unknown):
        assert returned.outcome is WatchOutcome.CHECKPOINT
        told = [each.path for each in requests if each.method == "PUT"]
        assert told == ["/internal/v1/monitors/mon-1/status"]
    report = json.loads(next(each.body for each in good[0] if each.method == "PUT"))
    video = report["media"]["video"]
    assert (video["codec"], video["width"], video["height"]) == ("h264", 128, 72)
    assert video["fps"] == pytest.approx(10, rel=0.01)
    assert 10_000 < video["bitrate_bps"] < 500_000
    assert (report["status"], report["stream_status"]) == ("monitoring", "live")
    assert report["health"]["video"] == "ok"
    assert report["statistics"]["total_segments_analyzed"] >= 1
