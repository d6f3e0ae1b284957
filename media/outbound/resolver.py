"""Finding the addresses of names, so that a zone that stays silent keeps nobody else waiting.

The operating system's `getaddrinfo` blocks a thread until it has an answer, and an event loop has
few of these: a handful of silent names stops every look-up of the process. c-ares needs no thread
for a question, and reads the same files: /etc/resolv.conf, /etc/hosts, /etc/nsswitch.conf.
"""

import asyncio
from collections.abc import Sequence
from ipaddress import ip_address
from typing import Any
from weakref import WeakValueDictionary

import aiodns

from media.outbound.addresses import IPAddress

TRY_SEC = 0.4
TRIES = 5
"""Of each name server, each about twice as long as the one before: 5 s or more. c-ares learns
how fast a server is, and then begins with less, 0.25 s at least."""

AT_ONCE = 16
"""Look-ups in one domain: what its servers leave unanswered also occupies the resolver next door,
and that one bounds what it forwards for all of us (dnsmasq: 150)."""

TURN_SEC = 5.0
"""Nobody waits longer for a look-up; one that has not begun by then never does."""

FAILURE_KEPT_SEC = 0.75
"""A failure is the answer for everybody who asks within it; the next attempt of a webhook asks
again."""

RENEWED_AFTER = 64
"""c-ares keeps answers as long as their TTL says, an hour at most, and as many as come. Answers may
have 64 KiB each, so what it keeps is thrown away after so many look-ups."""

MAX_ADDRESSES = 256
"""A name with more is nobody's: judging them all would take the event loop's time."""

SECOND_LEVELS = frozenset({"ac", "co", "com", "edu", "go", "gob", "gov", "ne", "net", "or", "org"})
"""Below a country's domain these are no domains of their own (co.uk, com.au, ne.jp)."""


class NameResolver:
    """Finds addresses through hosts file, search list and DNS. Whoever has one has it to himself:
    what streams ask for is never in the way of webhooks.

    Args:
        nameservers: as ADDRESS or ADDRESS:PORT; those of the system by default.
    """

    def __init__(self, nameservers: Sequence[str] = ()) -> None:
        self._nameservers = nameservers
        self._resolver: aiodns.DNSResolver | None = None
        self._asked = 0
        self._lookups: dict[str, asyncio.Task[list[IPAddress]]] = {}
        self._turns = WeakValueDictionary[str, asyncio.Semaphore]()

    async def __call__(self, host: str, port: int) -> Sequence[IPAddress]:
        """Return the addresses of `host`, best first (RFC 6724); none when it has none."""
        lookup = self._lookups.get(host)
        if lookup is None:
            lookup = self._lookups[host] = asyncio.create_task(self._look_up(host))
            lookup.add_done_callback(lambda done: self._forget(host, done))
        return await asyncio.shield(lookup)

    def _forget(self, host: str, lookup: asyncio.Task[list[IPAddress]]) -> None:
        if lookup.cancelled() or lookup.exception() or lookup.result():
            del self._lookups[host]
        else:
            lookup.get_loop().call_later(FAILURE_KEPT_SEC, self._lookups.pop, host, None)

    async def _look_up(self, host: str) -> list[IPAddress]:
        turns = self._turns.setdefault(domain_of(host), asyncio.Semaphore(AT_ONCE))
        try:
            async with asyncio.timeout(TURN_SEC):
                await turns.acquire()
        except TimeoutError:
            return []
        try:
            return await self._ask(host)
        finally:
            turns.release()

    async def _ask(self, host: str) -> list[IPAddress]:
        # A resolver that was replaced lives until the last look-up through it has ended.
        resolver = self._current()
        try:
            found = await resolver.getaddrinfo(host)
        except (aiodns.error.DNSError, UnicodeError):  # UnicodeError: no name at all
            return []
        except asyncio.CancelledError:
            await resolver.close()  # the event loop ends, and c-ares must not call it any more
            raise
        return _addresses(found.nodes)

    def _current(self) -> aiodns.DNSResolver:
        if self._resolver is None or self._asked % RENEWED_AFTER == 0:
            self._resolver = aiodns.DNSResolver(self._nameservers, timeout=TRY_SEC, tries=TRIES)
        self._asked += 1
        return self._resolver


def domain_of(name: str) -> str:
    """Return the part of `name` that somebody has registered, more or less."""
    labels = name.split(".")
    is_country = len(labels[-1]) == 2
    size = 3 if is_country and len(labels) > 2 and labels[-2] in SECOND_LEVELS else 2
    return ".".join(labels[-size:])


def _addresses(nodes: Sequence[Any]) -> list[IPAddress]:
    if len(nodes) > MAX_ADDRESSES:
        return []
    return [ip_address(node.addr[0].decode()) for node in nodes]
