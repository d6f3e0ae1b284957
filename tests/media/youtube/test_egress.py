"""The budget that all monitors of a worker share."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.youtube.egress import PAUSES_SEC, Budget, Egress, EgressPaused


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, sec: float) -> None:
        await asyncio.sleep(0)
        self.now += sec


def make(time: Time) -> Egress:
    return Egress(clock=time, sleep=time.sleep)


def end(egress: Egress, began: float, outcome: str) -> None:
    refused = outcome == "bot_check"
    egress.end(began, outcome=outcome, requests=3, refused=refused, seen=outcome == "live")


async def test_turns_are_two_seconds_apart_and_in_order() -> None:
    time = Time()
    egress = make(time)
    turns: list[tuple[int, float]] = []

    async def monitor(number: int) -> None:
        turns.append((number, await egress.begin()))

    await asyncio.gather(*(monitor(number) for number in range(20)))
    assert [number for number, _ in turns] == list(range(20))
    assert [at for _, at in turns] == pytest.approx([1000 + 2 * n for n in range(20)])


async def test_a_look_for_media_waits_for_one_status_check_at_most() -> None:
    egress = make(Time())
    await egress.begin()
    order: list[str] = []

    async def look(name: str, *, patient: bool) -> None:
        await egress.begin(patient=patient)
        order.append(name)

    checks = [asyncio.create_task(look(f"check {n}", patient=True)) for n in range(3)]
    await asyncio.sleep(0)
    await look("media", patient=False)
    await asyncio.gather(*checks)
    assert order == ["check 0", "media", "check 1", "check 2"]


async def test_a_monitor_that_gives_up_costs_no_turn() -> None:
    time = Time()
    egress = make(time)
    await egress.begin()
    waiting = [asyncio.create_task(egress.begin()) for _ in range(2)]
    waiting[0].cancel()
    assert await waiting[1] == 1002
    assert egress.snapshot().waiting == 0


async def test_a_bot_check_pauses_everybody_longer_each_time() -> None:
    time = Time()
    egress = make(time)
    for length_sec in (*PAUSES_SEC, PAUSES_SEC[-1]):
        end(egress, await egress.begin(), "bot_check")
        with pytest.raises(EgressPaused, match="bot_check") as paused:
            await egress.begin()
        assert paused.value.remaining_sec == pytest.approx(length_sec)
        time.now += length_sec
    end(egress, await egress.begin(), "live")
    end(egress, await egress.begin(), "bot_check")
    assert egress.pause_remaining_sec() == PAUSES_SEC[0]


async def test_those_that_wait_for_their_turn_hear_of_the_pause() -> None:
    time = Time()
    egress = make(time)
    first = await egress.begin()
    waiting = asyncio.create_task(egress.begin())
    await asyncio.sleep(0)
    end(egress, first, "bot_check")
    with pytest.raises(EgressPaused):
        await waiting


async def test_looks_that_were_under_way_do_not_lengthen_the_pause() -> None:
    time = Time()
    egress = make(time)
    looks = [await egress.begin() for _ in range(4)]
    for began in looks:
        time.now += 1
        end(egress, began, "bot_check")
    assert egress.pause_remaining_sec() == PAUSES_SEC[0] - 3


async def test_trouble_of_the_resolver_neither_pauses_nor_forgives() -> None:
    time = Time()
    egress = make(time)
    end(egress, await egress.begin(), "bot_check")
    time.now += PAUSES_SEC[0]
    end(egress, await egress.begin(), "client_broken")
    end(egress, await egress.begin(), "bot_check")
    assert egress.pause_remaining_sec() == PAUSES_SEC[1]


async def test_the_counters() -> None:
    time = Time()
    egress = make(time)
    for outcome in ("live", "live", "bot_check"):
        end(egress, await egress.begin(), outcome)
    seen = egress.snapshot()
    assert (seen.looks, seen.requests) == (3, 9)
    assert seen.outcomes == {"live": 2, "bot_check": 1}
    assert seen.pause_reason == "bot_check"
    assert seen.paused_until is not None


@given(st.lists(st.tuples(st.floats(0, 5), st.booleans()), max_size=30))
def test_no_look_begins_within_the_interval_or_a_pause(steps: list[tuple[float, bool]]) -> None:
    budget = Budget(interval_sec=2)
    now, begun = 0.0, [float("-inf")]
    for later_sec, is_refused in steps:
        now += later_sec
        if budget.pause_at(now) or budget.wait_sec(now):
            continue
        assert now - begun[-1] >= 2
        begun.append(now)
        budget.begin(now)
        if is_refused:
            budget.refused("rate_limited", began=now, now=now)
            assert budget.pause_at(now + PAUSES_SEC[0] - 0.1)
