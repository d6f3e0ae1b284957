"""The pace of chat services."""

import asyncio

from notifications.apprise import MAX_KEYS, Paces, Rate


async def test_a_burst_passes_and_the_rest_waits_for_its_turn() -> None:
    paces, loop = Paces(), asyncio.get_running_loop()
    began = loop.time()
    for _ in range(5):
        assert await paces.wait("a", Rate(5, 0.5)) is None
    assert loop.time() - began < 0.1
    assert await paces.wait("a", Rate(5, 0.5)) is None
    assert loop.time() - began >= 0.1


async def test_each_key_has_its_own_pace_and_a_far_turn_is_told() -> None:
    paces = Paces()
    assert await paces.wait("a", Rate(1, 60)) is None
    away_sec = await paces.wait("a", Rate(1, 60))
    assert away_sec is not None
    assert 59 < away_sec <= 60
    assert await paces.wait("b", Rate(1, 60)) is None


async def test_forgotten_keys_take_no_memory() -> None:
    paces = Paces()
    for number in range(MAX_KEYS + 10):
        await paces.wait(str(number), Rate(1, 60))
    assert len(paces._due) == MAX_KEYS
