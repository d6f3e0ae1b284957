"""A stream ends only when that is sure: never on a single bad answer."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import httpx
import pytest

from media.decoding.ffmpeg_probe import FfmpegProbe
from media.outbound.client import media_client
from media.outbound.guard import OutboundGuard
from media.sources.direct import ManifestSource
from media.sources.source import Observation, SourceState
from media.watching import StreamUnavailable
from media.watching.stream import MANIFEST_GONE_SEC, SAID_OVER_APART_SEC
from monitors.config import MonitorConfig
from monitors.events import EndReason
from simulator.origin import TINY, Channel, LiveOrigin, Programme, WallClock, render
from tests.testkit.viewing import Studio, Viewer, studio

OVER = Observation(state=SourceState.ENDED, message="over")
GRACE_SEC = 300.0
OFFLINE = Observation(state=SourceState.UPCOMING, message="offline", grace_sec=GRACE_SEC)
UNSEEN = Observation(state=SourceState.NOT_OBSERVED, reason="bot_check", message="a bot check")
REFUSED = Observation(
    state=SourceState.NOT_OBSERVED, reason="http_403", message="HTTP 403", is_fault=True
)
PATIENT = MonitorConfig(suspend_threshold_sec=6)


class Leaping:
    """A clock that is put forward, as if the watch had lasted longer."""

    def __init__(self, clock: WallClock) -> None:
        self._clock = clock
        self._ahead_sec = 0.0

    def leap(self, sec: float) -> None:
        self._ahead_sec += sec

    def now(self) -> float:
        return self._clock.now() + self._ahead_sec

    async def sleep(self, sec: float) -> None:
        await self._clock.sleep(sec)


class Turning(ManifestSource):
    """A source whose answer a test may change while it is watched."""

    answer: Observation | None = None
    looks = 0

    def __init__(self, url: str, client: httpx.AsyncClient) -> None:
        super().__init__(url, client)
        self.status_checks: list[str] = []

    async def observe_status(self, *, priority: bool = False) -> Observation:
        self.status_checks.append("priority" if priority else "patient")
        return await super().observe_status(priority=priority)

    async def observe(self, *, refresh: bool = False) -> Observation:
        self.looks += 1
        return self.answer or await super().observe(refresh=refresh)


async def leaping_on(viewer: Viewer, clock: Leaping, sec: float) -> Viewer:
    """Watch to the end while the clock leaps on a few times a second."""
    watching = asyncio.create_task(viewer.to_the_end())
    while not watching.done():
        clock.leap(sec)
        await asyncio.sleep(0.2)
    return await watching


async def looked_again(viewer: Viewer, source: Turning) -> None:
    """Watch until the source has answered once more, and that was learned from."""
    looks, learned_at = source.looks, viewer.state.looked_at
    await viewer.until(
        lambda it: source.looks > looks and it.state.looked_at != learned_at,
    )


@asynccontextmanager
async def on_air() -> AsyncIterator[tuple[Channel, Studio, Leaping]]:
    """Put a healthy stream on air; yield it, and what watches it by a clock that can leap."""
    clock = WallClock(1)
    leaping = Leaping(clock)
    async with LiveOrigin(clock=clock) as origin, studio(leaping) as calm:
        yield origin.add("live", render(Programme.of([("normal", 30)], TINY))), calm, leaping


def seen_at_least(count: int) -> Callable[[Viewer], bool]:
    return lambda viewer: len(viewer.seen) >= count


async def test_a_manifest_that_is_gone_is_suspended_first_and_over_in_the_end() -> None:
    async with on_air() as (channel, calm, leaping):
        began = leaping.now()
        viewer = await Viewer.of(calm, channel.url, PATIENT).until(seen_at_least(3))
        channel.disappear()
        await leaping_on(viewer, leaping, MANIFEST_GONE_SEC / 12)
        lasted_sec = leaping.now() - began
    assert viewer.types == ["stream.suspended"]
    assert viewer.ended is EndReason.MANIFEST_GONE
    assert lasted_sec >= MANIFEST_GONE_SEC


async def test_a_manifest_that_comes_back_goes_on_and_starts_the_count_anew() -> None:
    async with on_air() as (channel, calm, leaping):
        viewer = await Viewer.of(calm, channel.url, PATIENT).until(seen_at_least(3))
        for _ in range(2):
            number = channel.disappear()
            await viewer.until(lambda it: it.state.gone is not None)
            leaping.leap(MANIFEST_GONE_SEC * 0.7)
            channel.clear(number)
            seen = len(viewer.seen)
            await viewer.until(seen_at_least(seen + 1))
            assert viewer.state.gone is None
    assert viewer.ended is None
    assert viewer.sequences() == list(range(len(viewer.seen)))
    assert set(viewer.types) <= {"stream.suspended", "stream.resumed"}


async def test_a_source_that_asks_for_patience_gets_it() -> None:
    async with on_air() as (channel, calm, leaping):
        began = leaping.now()
        source = Turning(channel.url, calm.client)
        viewer = await Viewer(calm, source, PATIENT).until(seen_at_least(3))
        channel.disappear()
        source.answer = OFFLINE
        await leaping_on(viewer, leaping, GRACE_SEC / 12)
        lasted_sec = leaping.now() - began
    assert viewer.types == ["stream.suspended"]
    assert viewer.ended is EndReason.MANIFEST_GONE
    assert lasted_sec >= GRACE_SEC


async def test_time_in_which_the_source_cannot_be_asked_does_not_end_a_stream() -> None:
    """Offline, hours of a bot check, offline: that is a grace that has only begun."""
    async with on_air() as (channel, calm, leaping):
        source = Turning(channel.url, calm.client)
        viewer = await Viewer(calm, source, PATIENT).until(seen_at_least(3))
        channel.disappear()
        for answer in (OFFLINE, UNSEEN, OFFLINE):
            source.answer = answer
            await looked_again(viewer, source)
            leaping.leap(10)
            await looked_again(viewer, source)
            leaping.leap(2 * GRACE_SEC if answer is UNSEEN else 10)
            await looked_again(viewer, source)
        assert viewer.ended is None
        assert viewer.state.gone
        assert viewer.state.gone.duration_sec < GRACE_SEC


@pytest.mark.parametrize(
    ("answer", "types"),
    [
        pytest.param(UNSEEN, [], id="nobody can look"),
        pytest.param(
            REFUSED, ["alert.segment_error", "alert.segment_error_recovered"], id="it is refused"
        ),
    ],
)
async def test_only_what_is_seen_to_fail_is_a_fault_of_the_stream(
    answer: Observation, types: list[str]
) -> None:
    async with on_air() as (channel, calm, leaping):
        source = Turning(channel.url, calm.client)
        viewer = await Viewer(calm, source).until(seen_at_least(3))
        number = channel.disappear()
        source.answer = answer
        for _ in range(4):
            await looked_again(viewer, source)
            health = viewer.state.health()
            assert (health.video, health.reason) == ("unknown", answer.message)
            leaping.leap(40)
        source.answer = None
        channel.clear(number)
        seen = len(viewer.seen)
        await viewer.until(seen_at_least(seen + 3))
        assert viewer.state.health().reason is None
    assert viewer.types == types


async def test_a_source_that_says_once_that_the_stream_is_over_does_not_end_it() -> None:
    async with on_air() as (channel, calm, leaping):
        source = Turning(channel.url, calm.client)
        viewer = await Viewer(calm, source).until(seen_at_least(3))
        source.answer = OVER
        number = channel.disappear()
        await viewer.until(lambda it: it.state.not_live == 1)
        leaping.leap(SAID_OVER_APART_SEC)
        source.answer = None
        channel.clear(number)
        seen = len(viewer.seen)
        await viewer.until(seen_at_least(seen + 1))
        assert viewer.ended is None
        assert viewer.state.not_live == 0


async def test_a_stream_that_stands_still_is_asked_about_before_those_that_wait() -> None:
    async with on_air() as (channel, calm, leaping):
        source = Turning(channel.url, calm.client)
        viewer = await Viewer(calm, source, PATIENT).until(seen_at_least(3))
        channel.stall()
        leaping.leap(10)
        await viewer.until(lambda _: bool(source.status_checks))
    assert source.status_checks[0] == "priority"


async def test_a_flapping_stream_that_stands_still_again_is_asked_about_once_more() -> None:
    """Its suspension stays open between the stalls: none of them is an event."""
    async with on_air() as (channel, calm, leaping):
        source = Turning(channel.url, calm.client)
        viewer = Viewer(calm, source, PATIENT)
        for _ in range(5):
            await viewer.until(seen_at_least(len(viewer.seen) + 2))
            channel.stall()
            leaping.leap(10)
            await viewer.until(lambda it: it.state.stall.is_open)
            channel.resume()
            await viewer.until(lambda it: not it.state.stall.is_open)
        assert viewer.types[-1] == "stream.suspended"
        source.status_checks.clear()
        channel.stall()
        leaping.leap(10)
        await viewer.until(lambda _: bool(source.status_checks))
        assert viewer.types.count("stream.suspended") == 4
    assert source.status_checks[0] == "priority"


async def test_a_source_that_says_twice_that_the_stream_is_over_ends_it() -> None:
    async with on_air() as (channel, calm, leaping):
        source = Turning(channel.url, calm.client)
        viewer = await Viewer(calm, source).until(seen_at_least(3))
        source.answer = OVER
        channel.disappear()
        await leaping_on(viewer, leaping, SAID_OVER_APART_SEC / 5)
    assert viewer.ended is EndReason.STREAM_NO_LONGER_LIVE


async def test_a_source_that_is_out_of_reach_for_good_ends_the_watch_with_its_reason() -> None:
    async with media_client(OutboundGuard(allow_private_networks=False)) as client:
        leaping = Leaping(WallClock())
        calm = Studio(client, FfmpegProbe("none", parallel=1), leaping)
        viewer = Viewer.of(calm, "http://127.0.0.1:9/live.m3u8")
        with pytest.raises(StreamUnavailable) as error:
            await leaping_on(viewer, leaping, 30)
    assert error.value.reason == "address_refused"


async def test_a_playlist_that_has_ended_does_not_stand_still() -> None:
    """The end is seen long after the last segment: the watch was busy, or elsewhere."""
    async with on_air() as (channel, calm, leaping):
        viewer = await Viewer.of(calm, channel.url, PATIENT).until(seen_at_least(3))
        channel.stall()
        last = channel.published[-1].sequence
        await viewer.until(lambda it: last in it.sequences())
        channel.end()
        leaping.leap(30)
        await viewer.to_the_end()
    assert viewer.ended is EndReason.ENDLIST_DETECTED
    assert viewer.types == []
