"""The budget that all monitors of a worker share."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.sources.youtube.egress import (
    PAUSES_SEC,
    URGENT_IN_A_ROW,
    Budget,
    Egress,
    EgressBusy,
    EgressPaused,
    Turn,
)

MANY = 100


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
    return Egress(at_once=MANY, clock=time, sleep=time.sleep)


def end(egress: Egress, turn: Turn, outcome: str, *, requests: int = 1) -> None:
    refused = outcome == "bot_check"
    egress.end(turn, outcome=outcome, requests=requests, refused=refused, seen=outcome == "live")


def remaining_sec(egress: Egress) -> float:
    paused = egress.paused()
    assert paused
    return paused.remaining_sec


async def test_looks_of_one_request_are_two_seconds_apart_and_in_order() -> None:
    time = Time()
    egress = make(time)
    turns: list[tuple[int, float]] = []

    async def monitor(number: int) -> None:
        turns.append((number, (await egress.begin(1)).began))

    await asyncio.gather(*(monitor(number) for number in range(20)))
    assert [number for number, _ in turns] == list(range(20))
    assert [at for _, at in turns] == pytest.approx([1000 + 2 * n for n in range(20)])


async def test_a_look_is_charged_what_it_is_expected_to_request() -> None:
    time = Time()
    egress = make(time)
    begun = [(await egress.begin(requests)).began for requests in (6, 1, 3, 1)]
    assert begun == [1000, 1012, 1014, 1020]


@pytest.mark.parametrize(
    ("requests", "wait_sec"),
    [
        pytest.param(2, 4, id="fewer"),
        pytest.param(9, 18, id="more"),
        pytest.param(0, 12, id="not told"),
    ],
)
async def test_a_look_that_is_over_was_charged_what_it_did_request(
    requests: int, wait_sec: float
) -> None:
    time = Time()
    egress = make(time)
    turn = await egress.begin(6)
    waiting = asyncio.create_task(egress.begin(1))
    await asyncio.sleep(0)
    end(egress, turn, "live", requests=requests)
    assert (await waiting).began == 1000 + wait_sec


async def test_urgent_looks_go_before_patient_ones_that_came_earlier() -> None:
    egress = make(Time())
    await egress.begin(6)
    order: list[str] = []

    async def look(name: str, *, patient: bool) -> None:
        await egress.begin(1, until=egress.patience_ends() if patient else None)
        order.append(name)

    checks = [asyncio.create_task(look(f"check {n}", patient=True)) for n in range(3)]
    await asyncio.sleep(0)
    await asyncio.gather(*(look(f"media {n}", patient=False) for n in range(2)), *checks)
    assert order == ["media 0", "media 1", "check 0", "check 1", "check 2"]


async def test_patient_looks_have_their_turn_however_many_are_urgent() -> None:
    egress = make(Time())
    order: list[str] = []

    async def look(name: str, *, patient: bool) -> None:
        await egress.begin(1, until=egress.patience_ends() if patient else None)
        order.append(name)

    priority = [look("media", patient=False) for _ in range(3 * URGENT_IN_A_ROW)]
    await asyncio.gather(*(look("check", patient=True) for _ in range(2)), *priority)
    checks = [place for place, name in enumerate(order) if name == "check"]
    assert checks == [0, 1 + URGENT_IN_A_ROW]


async def test_a_patient_look_gives_up_when_its_turn_does_not_come() -> None:
    egress = Egress(at_once=MANY, patience_sec=0.01)
    await egress.begin(6)
    with pytest.raises(EgressBusy):
        await egress.begin(1, until=egress.patience_ends())
    assert egress.snapshot().waiting == 0


async def test_no_more_looks_are_under_way_than_may_be() -> None:
    time = Time()
    egress = Egress(at_once=2, clock=time, sleep=time.sleep)
    first, second = await egress.begin(1), await egress.begin(1)
    patient = asyncio.create_task(egress.begin(1, until=egress.patience_ends()))
    await asyncio.sleep(0)
    priority = asyncio.create_task(egress.begin(1))
    time.now += 60
    end(egress, first, "live")
    await priority
    assert not patient.done()
    egress.abandon()
    await patient
    assert second.began < (await priority).began <= (await patient).began


async def test_a_monitor_that_gives_up_costs_no_turn() -> None:
    time = Time()
    egress = make(time)
    await egress.begin(1)
    waiting = [asyncio.create_task(egress.begin(1)) for _ in range(2)]
    waiting[0].cancel()
    assert (await waiting[1]).began == 1002
    assert egress.snapshot().waiting == 0


async def test_a_bot_check_pauses_everybody_longer_each_time() -> None:
    time = Time()
    egress = make(time)
    for length_sec in (*PAUSES_SEC, PAUSES_SEC[-1]):
        end(egress, await egress.begin(1), "bot_check")
        with pytest.raises(EgressPaused, match="bot_check") as paused:
            await egress.begin(1)
        assert paused.value.remaining_sec == pytest.approx(length_sec)
        time.now += length_sec
    end(egress, await egress.begin(1), "live")
    end(egress, await egress.begin(1), "bot_check")
    assert remaining_sec(egress) == PAUSES_SEC[0]


async def test_those_that_wait_for_their_turn_hear_of_the_pause() -> None:
    time = Time()
    egress = make(time)
    first = await egress.begin(1)
    waiting = asyncio.create_task(egress.begin(1))
    await asyncio.sleep(0)
    end(egress, first, "bot_check")
    with pytest.raises(EgressPaused):
        await waiting


async def test_looks_that_were_under_way_do_not_lengthen_the_pause() -> None:
    time = Time()
    egress = make(time)
    looks = [await egress.begin(1) for _ in range(4)]
    for turn in looks:
        time.now += 1
        end(egress, turn, "bot_check")
    assert remaining_sec(egress) == PAUSES_SEC[0] - 3


async def test_trouble_of_the_resolver_neither_pauses_nor_forgives() -> None:
    time = Time()
    egress = make(time)
    end(egress, await egress.begin(1), "bot_check")
    time.now += PAUSES_SEC[0]
    end(egress, await egress.begin(1), "client_broken")
    end(egress, await egress.begin(1), "bot_check")
    assert remaining_sec(egress) == PAUSES_SEC[1]


async def test_the_counters() -> None:
    time = Time()
    egress = make(time)
    for outcome in ("live", "live", "bot_check"):
        end(egress, await egress.begin(1), outcome, requests=3)
    seen = egress.snapshot()
    assert (seen.looks, seen.requests) == (3, 9)
    assert seen.outcomes == {"live": 2, "bot_check": 1}
    assert seen.pause_reason == "bot_check"
    assert seen.paused_until is not None


async def test_a_burst_is_given_at_once_and_then_the_sustained_rate() -> None:
    time = Time()
    egress = Egress(Budget(burst_requests=12), at_once=MANY, clock=time, sleep=time.sleep)
    begun = [(await egress.begin(requests)).began for requests in (6, 6, 1, 1, 6, 1)]
    assert begun == [1000, 1000, 1000, 1002, 1004, 1016]
    time.now += 60
    begun = [(await egress.begin(6)).began - time.now for _ in range(3)]
    assert begun == [0, 0, 0]


async def test_a_refusal_empties_the_burst() -> None:
    time = Time()
    egress = Egress(Budget(burst_requests=60), at_once=MANY, clock=time, sleep=time.sleep)
    end(egress, await egress.begin(1), "bot_check")
    time.now += PAUSES_SEC[0]
    began = time.now
    assert [(await egress.begin(1)).began - began for _ in range(3)] == [0, 2, 4]


@given(
    st.lists(st.tuples(st.floats(0, 20), st.integers(1, 9), st.booleans()), max_size=40),
    st.sampled_from([0, 5, 60]),
)
def test_the_rate_of_requests_holds_in_every_span_and_no_look_begins_in_a_pause(
    steps: list[tuple[float, int, bool]], burst: int
) -> None:
    """Whatever was expected: a span of time holds its requests, a burst, and the last look."""
    budget, expected = Budget(interval_sec=2, burst_requests=burst), 6
    now, begun = 0.0, list[tuple[float, int]]()
    for later_sec, requests, is_refused in steps:
        now += later_sec
        if budget.pause_at(now) or budget.wait_sec(now):
            continue
        begun.append((now, requests))
        budget.begin(now, expected)
        budget.correct(requests - expected)
        if is_refused:
            budget.refused("rate_limited", began=now, now=now)
            assert budget.pause_at(now + PAUSES_SEC[0] - 0.1)
    for first in range(len(begun)):
        for last in range(first, len(begun)):
            charged = sum(requests for _, requests in begun[first:last])
            assert begun[last][0] - begun[first][0] >= 2 * (charged - burst) - 1e-6
