import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from ipaddress import ip_address
from pathlib import Path

import pytest

from media.outbound.errors import NameNotResolved
from media.outbound.guard import (
    MAX_LOOKUPS_PER_DOMAIN,
    NEGATIVE_TTL_SEC,
    NameResolver,
    OutboundGuard,
    registered_domain,
)
from tests.testkit.dns_server import NameServer, name_server
from tests.testkit.stand_ins import OTHER_PUBLIC, PUBLIC

MANY = [f"93.184.{high}.{low}" for high in (1, 2) for low in range(1, 151)]

HOSTS = Path("/etc/hosts").read_text()


def zone(name: str) -> Sequence[str] | None:
    if name.endswith(("hang.example", "hang.example.net")):
        return None
    known = {"v4": [PUBLIC], "v6": [OTHER_PUBLIC], "both": [PUBLIC, OTHER_PUBLIC], "many": MANY}
    return [] if "unknown" in name else known.get(name.split(".")[0], [PUBLIC])


@pytest.fixture
async def server() -> AsyncIterator[NameServer]:
    async with name_server(zone) as opened:
        yield opened


@pytest.fixture
def resolver(server: NameServer) -> NameResolver:
    return NameResolver([server.address])


async def texts(resolver: NameResolver, name: str) -> set[str]:
    return {str(address) for address in await resolver(name, 443)}


@pytest.mark.parametrize(
    ("name", "addresses"),
    [
        pytest.param("v4.example", {PUBLIC}, id="IPv4"),
        pytest.param("v6.example", {OTHER_PUBLIC}, id="IPv6"),
        pytest.param("both.example", {PUBLIC, OTHER_PUBLIC}, id="both"),
        pytest.param("unknown.example", set(), id="no such name"),
        pytest.param("many.example", set(), id="more addresses than any name has"),
        pytest.param("127.0.0.1", {"127.0.0.1"}, id="IPv4 literal"),
        pytest.param("::1", {"::1"}, id="IPv6 literal"),
        pytest.param("a..example", set(), id="an empty label"),
        pytest.param("x" * 64 + ".example", set(), id="a label that is too long"),
        pytest.param("fe80::1%no-such-interface", set(), id="a zone"),
        pytest.param("\udc80.example", set(), id="no text"),
    ],
)
async def test_names_lead_to_addresses(
    resolver: NameResolver, name: str, addresses: set[str]
) -> None:
    assert await texts(resolver, name) == addresses


async def test_the_hosts_file_counts() -> None:
    found = set(await NameResolver()("localhost", 80))
    assert ip_address("127.0.0.1") in found
    assert all(address.is_loopback for address in found)
    own = socket.gethostname()
    listed = {line.split()[0] for line in HOSTS.splitlines() if own in line.split()}
    assert listed <= await texts(NameResolver(), own)


async def test_fifty_silent_names_keep_no_other_waiting(server: NameServer) -> None:
    """Getting in line behind them would take seconds."""
    guard = OutboundGuard(False, NameResolver([server.address]))
    silent = [
        asyncio.create_task(guard.pin(f"n{number}.hang.example", 443)) for number in range(50)
    ]
    while sum("hang" in name for name in server.asked) < MAX_LOOKUPS_PER_DOMAIN:
        await asyncio.sleep(0.01)
    for number in range(20):
        assert await guard.pin(f"good{number}.example", 443)
    assert not any(task.done() for task in silent)
    assert len({name for name in server.asked if "hang" in name}) == MAX_LOOKUPS_PER_DOMAIN
    answers = await asyncio.gather(*silent, return_exceptions=True)
    assert all(isinstance(answer, NameNotResolved) for answer in answers)


async def test_who_asks_for_the_same_name_shares_the_answer(
    resolver: NameResolver, server: NameServer
) -> None:
    assert await asyncio.gather(*(resolver("v4.example", 443) for _ in range(100)))
    assert len(server.asked) == 2
    await asyncio.gather(*(resolver("unknown.example", 443) for _ in range(100)))
    await resolver("unknown.example", 443)
    assert server.asked.count("unknown.example") == 2


async def test_a_failure_is_soon_forgotten(server: NameServer) -> None:
    answers: list[Sequence[str]] = [[], [], [PUBLIC], [PUBLIC]]
    async with name_server(lambda name: answers.pop(0)) as changing:
        resolver = NameResolver([changing.address])
        assert not await resolver("new.example", 443)
        async with asyncio.timeout(10 + NEGATIVE_TTL_SEC):
            while not await resolver("new.example", 443):
                await asyncio.sleep(0.05)


async def test_what_is_given_up_leaves_nothing_behind(
    resolver: NameResolver, server: NameServer
) -> None:
    asking = asyncio.create_task(resolver("a.hang.example", 443))
    while not server.asked:
        await asyncio.sleep(0.01)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert await texts(resolver, "v4.example") == {PUBLIC}


async def test_many_look_ups_need_only_what_they_ask(resolver: NameResolver) -> None:
    for number in range(300):
        assert await texts(resolver, f"v4.n{number}.example") == {PUBLIC}


@pytest.mark.parametrize(
    ("name", "domain"),
    [
        ("a.b.hang.example", "hang.example"),
        ("hang.example", "hang.example"),
        ("a.b.hang.co.uk", "hang.co.uk"),
        ("co.uk", "co.uk"),
        ("a.b.co.example", "co.example"),
        ("a.b.fb.de", "fb.de"),
        ("localhost", "localhost"),
    ],
)
def test_a_domain_is_what_somebody_registered(name: str, domain: str) -> None:
    assert registered_domain(name) == domain
