"""A watch that is stopped at any moment goes on elsewhere from its state, as if never stopped."""

import asyncio
import json
import random
from dataclasses import dataclass

import pytest

from media.watching import ResumeHint, WatchState
from monitors.events import EndReason
from simulator.origin import TINY, AtEnd, ChannelOptions, LiveOrigin, Programme, WallClock, render
from tests.testkit.viewing import PATIENCE_SEC, Viewer, studio

SCENES = [
    *(("normal", 3.5), ("black", 4.3), ("normal", 2.2), ("silent", 3.8), ("normal", 2.7)),
    *(("frozen", 5.6), ("normal", 3.9)),
]
SPEED = 2
OTHER_WORKER_SHARE = 0.5
OPTIONS = ChannelOptions(at_end=AtEnd.END, window_segments=40)


def through_json(state: WatchState) -> WatchState:
    return WatchState.model_validate(json.loads(json.dumps(state.model_dump(mode="json"))))


class Relay:
    """Watches one stream by turns that all end early: each goes on where the last one stopped."""

    def __init__(self, viewer: Viewer, seed: int) -> None:
        self.viewer = viewer
        self.turns = 0
        self._chance = random.Random(seed)

    async def hand_over(self) -> Viewer:
        """Cancel at random moments; the next turn gets the state as it was left."""
        async with asyncio.timeout(PATIENCE_SEC):
            while self.viewer.ended is None:
                await self._turn()
                self.viewer.state = through_json(self.viewer.state)
                if self._chance.random() < OTHER_WORKER_SHARE:
                    self.viewer.hint = ResumeHint()
        return self.viewer

    async def crash(self) -> Viewer:
        """Die at random moments; the next turn gets the state of the last heartbeat."""
        async with asyncio.timeout(PATIENCE_SEC):
            while self.viewer.ended is None:
                await self._doomed_turn()
        return self.viewer

    async def _turn(self) -> bool:
        """Watch for a moment; tell whether it was long enough to have something to tell."""
        self.turns += 1
        looking = asyncio.create_task(self.viewer.look())
        done, _ = await asyncio.wait([looking], timeout=self._chance.uniform(0.05, 1.2))
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
        return bool(done)

    async def _doomed_turn(self) -> None:
        heartbeat_details = [self.viewer.state.model_dump(mode="json")]
        beating = asyncio.create_task(self._heartbeat(heartbeat_details))
        has_told = await self._turn()
        beating.cancel()
        await asyncio.gather(beating, return_exceptions=True)
        self.viewer.hint = ResumeHint()  # died with its worker
        if not has_told:
            self.viewer.state = WatchState.model_validate(heartbeat_details[0])

    async def _heartbeat(self, heartbeat_details: list[dict[str, object]]) -> None:
        while True:
            await asyncio.sleep(0.3)
            heartbeat_details[0] = self.viewer.state.model_dump(mode="json")


@dataclass(frozen=True)
class Day:
    """The same stream seen without and with interruptions."""

    unbroken: Viewer
    handed_over: list[Viewer]
    crashed: list[Viewer]
    turns: list[int]


async def watch_by_turns() -> Day:
    clock = WallClock(SPEED)
    async with LiveOrigin(clock=clock) as origin, studio(clock) as hurried:
        url = origin.add("relay", render(Programme.of(SCENES, TINY)), options=OPTIONS).url
        relays = [Relay(Viewer.of(hurried, url), seed) for seed in range(6)]
        unbroken, *others = await asyncio.gather(
            Viewer.of(hurried, url).to_the_end(),
            *(relay.hand_over() for relay in relays[:3]),
            *(relay.crash() for relay in relays[3:]),
        )
        return Day(unbroken, others[:3], others[3:], [relay.turns for relay in relays])


@pytest.fixture(scope="module")
def day() -> Day:
    return asyncio.run(watch_by_turns())


def told(viewer: Viewer) -> list[tuple[str, object]]:
    return [(each.event_type.value, each.data) for each in viewer.told]


@pytest.mark.parametrize("number", range(3))
def test_handing_over_at_any_moment_changes_nothing(day: Day, number: int) -> None:
    viewer, unbroken = day.handed_over[number], day.unbroken
    assert day.turns[number] > 3
    assert told(viewer) == told(unbroken)
    assert viewer.ended is EndReason.ENDLIST_DETECTED
    assert viewer.sequences() == unbroken.sequences() == list(range(len(unbroken.seen)))
    assert viewer.state.statistics == unbroken.state.statistics


@pytest.mark.parametrize("number", range(3))
def test_a_crash_at_any_moment_changes_nothing_that_is_told(day: Day, number: int) -> None:
    viewer, unbroken = day.crashed[number], day.unbroken
    assert told(viewer) == told(unbroken)
    assert sorted(set(viewer.sequences())) == unbroken.sequences()
    assert viewer.state.statistics == unbroken.state.statistics


async def test_the_state_survives_json_after_every_segment_and_stays_small() -> None:
    clock = WallClock(3)
    async with LiveOrigin(clock=clock) as origin, studio(clock) as hurried:
        programme = Programme.of([("normal", 3), ("frozen", 5), ("black_silent", 6)], TINY)
        channel = origin.add("state", render(programme), options=OPTIONS)
        viewer = Viewer.of(hurried, channel.url)
        problems: list[str] = []
        sizes: list[int] = []

        def check(_: Viewer) -> bool:
            state = viewer.state.model_copy(deep=True)
            for track in state.tracks.values():
                track.detectors.video.deferred = []  # stays in the memory of its worker
            text = state.model_dump_json()
            sizes.append(len(text))
            if WatchState.model_validate_json(text) != state:
                problems.append(text)
            return False

        await viewer.until(check)
    assert problems == []
    assert viewer.ended is EndReason.ENDLIST_DETECTED
    assert max(sizes) < 16 * 1024


async def test_segments_that_left_the_window_meanwhile_are_counted_and_no_more() -> None:
    clock = WallClock(8)
    options = ChannelOptions(window_segments=5)
    async with LiveOrigin(clock=clock) as origin, studio(clock) as hurried:
        channel = origin.add("gap", render(Programme.of([("normal", 24)], TINY)), options=options)
        viewer = await Viewer.of(hurried, channel.url).until(lambda it: len(it.seen) >= 3)
        async with asyncio.timeout(30):
            while len(channel.published) < viewer.sequences()[-1] + 12:
                await asyncio.sleep(0.05)
        channel.end()
        viewer.state = through_json(viewer.state)
        first_turn = len(viewer.seen)
        await viewer.to_the_end()
        last = channel.published[-1].sequence
    assert viewer.sequences()[first_turn:] == list(range(last - 4, last + 1))
    missed = last + 1 - len(viewer.seen)
    assert missed >= 5
    assert viewer.state.statistics.segments_missed == missed
    assert viewer.state.tracks["main"].stream_sec == pytest.approx(last + 1, abs=0.1)
    assert viewer.types == []
