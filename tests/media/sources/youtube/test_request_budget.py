"""The budget that all monitors of a worker share."""

import asyncio
import contextlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.sources.youtube.request_budget import (
    PAUSES_SEC,
    PRIORITY_IN_A_ROW,
    BudgetExhausted,
    Egress,
    EgressPaused,
    Lease,
)
from tests.testkit.virtual_time import in_virtual_time

MANY = 100
PATIENCE_SEC = 3600.0


def now() -> float:
    return asyncio.get_running_loop().time()


def make(**options: Any) -> Egress:
    return Egress(**{"at_once": MANY, "clock": now, **options})


async def look(
    egress: Egress, requests: int = 1, *, background: bool = False, outcome: str = "live"
) -> float:
    """Look, which takes no time; return when it began."""
    give_up_at = now() + PATIENCE_SEC if background else None
    async with egress.lease(requests, give_up_at=give_up_at) as lease:
        record(egress, lease, outcome)
    return lease.began


def record(egress: Egress, lease: Lease, outcome: str, *, requests: int = 0) -> None:
    egress.record(
        lease,
        outcome,
        requests=requests,
        is_refused=outcome == "bot_check",
        is_answered=outcome == "live",
    )


def remaining_sec(egress: Egress) -> float:
    pause = egress.pause()
    assert pause
    return pause.remaining_sec


@in_virtual_time
async def test_looks_of_one_request_are_two_seconds_apart_and_in_order() -> None:
    egress, begun = make(), list[tuple[int, float]]()

    async def monitor(number: int) -> None:
        begun.append((number, await look(egress)))

    await asyncio.gather(*(monitor(number) for number in range(20)))
    assert [number for number, _ in begun] == list(range(20))
    assert [at for _, at in begun] == pytest.approx([1000 + 2 * n for n in range(20)])


@in_virtual_time
async def test_a_look_is_charged_what_it_is_expected_to_request() -> None:
    egress = make()
    begun = [await look(egress, requests) for requests in (6, 1, 3, 1)]
    assert begun == pytest.approx([1000, 1012, 1014, 1020])


@pytest.mark.parametrize(
    ("requests", "wait_sec"),
    [
        pytest.param(2, 4, id="fewer"),
        pytest.param(9, 18, id="more"),
        pytest.param(0, 12, id="not known"),
    ],
)
@in_virtual_time
async def test_a_look_that_is_over_was_charged_what_it_did_request(
    requests: int, wait_sec: float
) -> None:
    egress = make()
    async with egress.lease(6) as lease:
        waiting = asyncio.create_task(look(egress))
        await asyncio.sleep(0)
        record(egress, lease, "live", requests=requests)
    assert await waiting == pytest.approx(1000 + wait_sec)


@in_virtual_time
async def test_priority_looks_go_before_background_ones_that_came_earlier() -> None:
    egress, order = make(), list[str]()
    await look(egress, 6)

    async def named(name: str, *, background: bool) -> None:
        await look(egress, background=background)
        order.append(name)

    checks = [asyncio.create_task(named(f"check {n}", background=True)) for n in range(3)]
    await asyncio.sleep(0)
    await asyncio.gather(*(named(f"media {n}", background=False) for n in range(2)), *checks)
    assert order == ["media 0", "media 1", "check 0", "check 1", "check 2"]


@in_virtual_time
async def test_background_looks_have_their_turn_however_many_have_priority() -> None:
    egress, order = make(), list[str]()

    async def named(name: str, *, background: bool) -> None:
        await look(egress, background=background)
        order.append(name)

    priority = [named("media", background=False) for _ in range(3 * PRIORITY_IN_A_ROW)]
    await asyncio.gather(*(named("check", background=True) for _ in range(2)), *priority)
    checks = [place for place, name in enumerate(order) if name == "check"]
    assert checks == [0, 1 + PRIORITY_IN_A_ROW]


@in_virtual_time
async def test_a_background_look_gives_up_when_its_turn_does_not_come() -> None:
    egress = make()
    await look(egress, 6)
    with pytest.raises(BudgetExhausted):
        async with egress.lease(1, give_up_at=now() + 11):
            pass
    assert egress.waiting == 0


@in_virtual_time
async def test_no_more_looks_are_made_at_once_than_may_be() -> None:
    egress, order = make(at_once=2, interval_sec=0), list[str]()
    leases = [contextlib.AsyncExitStack() for _ in range(2)]
    for stack in leases:
        await stack.enter_async_context(egress.lease(1))

    async def named(name: str, *, background: bool) -> None:
        await look(egress, background=background)
        order.append(name)

    check = asyncio.create_task(named("check", background=True))
    await asyncio.sleep(0)
    media = asyncio.create_task(named("media", background=False))
    await asyncio.sleep(60)
    assert order == []
    for stack in leases:
        await stack.aclose()
    await asyncio.gather(check, media)
    assert order == ["media", "check"]


@in_virtual_time
async def test_a_monitor_that_gives_up_costs_no_turn() -> None:
    egress = make()
    await look(egress)
    waiting = [asyncio.create_task(look(egress)) for _ in range(2)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    assert await waiting[1] == pytest.approx(1002)
    assert egress.waiting == 0


@in_virtual_time
async def test_a_lease_that_is_given_to_somebody_who_just_gave_up_is_free_again() -> None:
    egress = make(at_once=1, interval_sec=0)
    async with egress.lease(1):
        waiting = asyncio.create_task(look(egress))
        await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    async with asyncio.timeout(1):
        await look(egress)


@in_virtual_time
async def test_a_bot_check_pauses_everybody_longer_each_time() -> None:
    egress = make()
    for length_sec in (*PAUSES_SEC, PAUSES_SEC[-1]):
        await look(egress, outcome="bot_check")
        with pytest.raises(EgressPaused, match="bot_check") as paused:
            await look(egress)
        assert paused.value.remaining_sec == pytest.approx(length_sec)
        await asyncio.sleep(length_sec)
    await look(egress)
    await look(egress, outcome="bot_check")
    assert remaining_sec(egress) == pytest.approx(PAUSES_SEC[0])


@in_virtual_time
async def test_those_that_wait_for_their_turn_hear_of_the_pause() -> None:
    egress = make()
    async with egress.lease(1) as lease:
        waiting = asyncio.create_task(look(egress))
        await asyncio.sleep(0)
        record(egress, lease, "bot_check")
    with pytest.raises(EgressPaused):
        await waiting
    assert egress.waiting == 0


@in_virtual_time
async def test_looks_that_were_under_way_do_not_lengthen_the_pause() -> None:
    egress = make(interval_sec=0)
    async with contextlib.AsyncExitStack() as stack:
        leases = [await stack.enter_async_context(egress.lease(1)) for _ in range(4)]
        for lease in leases:
            await asyncio.sleep(1)
            record(egress, lease, "bot_check")
    assert remaining_sec(egress) == pytest.approx(PAUSES_SEC[0] - 3)


@in_virtual_time
async def test_a_failure_of_the_resolver_neither_pauses_nor_forgives() -> None:
    egress = make()
    await look(egress, outcome="bot_check")
    await asyncio.sleep(PAUSES_SEC[0])
    await look(egress, outcome="client_broken")
    await look(egress, outcome="bot_check")
    assert remaining_sec(egress) == pytest.approx(PAUSES_SEC[1])


@in_virtual_time
async def test_the_counters() -> None:
    egress = make()
    for outcome in ("live", "live", "bot_check"):
        async with egress.lease(1) as lease:
            record(egress, lease, outcome, requests=3)
    assert (egress.polls, egress.requests) == (3, 9)
    assert egress.outcomes == {"live": 2, "bot_check": 1}


@in_virtual_time
async def test_a_burst_is_given_at_once_and_then_the_sustained_rate() -> None:
    egress = make(burst_requests=12)
    begun = [await look(egress, requests) for requests in (6, 6, 1, 1, 6, 1)]
    assert begun == pytest.approx([1000, 1000, 1000, 1002, 1004, 1016])
    await asyncio.sleep(60)
    began = now()
    assert [await look(egress, 6) - began for _ in range(3)] == pytest.approx([0, 0, 0])


@in_virtual_time
async def test_a_refusal_empties_the_burst() -> None:
    egress = make(burst_requests=60)
    await look(egress, outcome="bot_check")
    await asyncio.sleep(PAUSES_SEC[0])
    began = now()
    assert [await look(egress) - began for _ in range(3)] == pytest.approx([0, 2, 4])


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.floats(0, 20), st.integers(1, 9), st.booleans()), max_size=40),
    st.sampled_from([0, 5, 60]),
)
@in_virtual_time
async def test_the_rate_of_requests_holds_in_every_span_and_no_look_begins_in_a_pause(
    steps: list[tuple[float, int, bool]], burst: int
) -> None:
    """Whatever was expected: a span of time holds its requests, a burst, and the last look."""
    egress = make(burst_requests=burst)
    begun = list[tuple[float, int]]()

    async def monitor(requests: int, *, is_refused: bool) -> None:
        with contextlib.suppress(EgressPaused):
            async with egress.lease(6) as lease:
                assert egress.pause() is None
                begun.append((lease.began, requests))
                record(egress, lease, "bot_check" if is_refused else "live", requests=requests)

    async with asyncio.TaskGroup() as monitors:
        for later_sec, requests, is_refused in steps:
            await asyncio.sleep(later_sec)
            monitors.create_task(monitor(requests, is_refused=is_refused))
    for first in range(len(begun)):
        for last in range(first, len(begun)):
            charged = sum(requests for _, requests in begun[first:last])
            assert begun[last][0] - begun[first][0] >= 2 * (charged - burst) - 1e-6
