"""The judge of every address that a user gave, and the resolver of its names."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from ipaddress import ip_address
from typing import Any
from weakref import WeakValueDictionary

import aiodns
import pycares

from media.outbound.addresses import (
    IPAddress,
    fold_host,
    is_refused,
    is_refused_host,
    parse_literal,
)
from media.outbound.errors import AddressRefused, NameNotResolved
from monitors.stream_url import DEFAULT_PORTS, InvalidStreamUrl, split_http_url

RESOLVE_TIMEOUT_SEC = 5.0

Resolve = Callable[[str, int], Awaitable[Sequence[IPAddress]]]
"""From a name and a port to addresses, best first, or `NameNotResolved`."""


class OutboundGuard:
    """Judges hosts, and pins names to the addresses it judged.

    Args:
        allow_private_networks: let everything pass (development, closed networks).
        exempt: hosts with their ports, as they are written in URLs, that pass wherever they lead.
        resolve_timeout_sec: a name that takes longer counts as unknown.
    """

    def __init__(
        self,
        allow_private_networks: bool,
        resolve: Resolve | None = None,
        *,
        exempt: Collection[tuple[str, int]] = (),
        resolve_timeout_sec: float = RESOLVE_TIMEOUT_SEC,
    ) -> None:
        self._allow_private_networks = allow_private_networks
        self._exempt = {(fold_host(host), port) for host, port in exempt}
        self._resolve = resolve or NameResolver()
        self._resolve_timeout_sec = resolve_timeout_sec

    def check_host(self, host: str, port: int) -> None:
        """Judge a host by its text alone, without resolving it."""
        if not self._is_free(host, port) and is_refused_host(host):
            raise AddressRefused

    async def check_url(self, url: str) -> None:
        """Judge a URL when a user gives it. Connections judge again: names change their answers.

        Raises:
            AddressRefused: not http(s), credentials in it, or a host that must not be reached.
            NameNotResolved: the name has no address now. Whether that matters is the caller's
                decision: it may get one later, or only a proxy may know it.
        """
        try:
            parts = split_http_url(url)
        except InvalidStreamUrl:
            raise AddressRefused from None
        await self.pin(parts.hostname or "", parts.port or DEFAULT_PORTS[parts.scheme])

    async def pin(self, host: str, port: int) -> list[IPAddress]:
        """Return the addresses of `host` to connect to, best first, all of them judged.

        Raises:
            AddressRefused: the host, or even one of its addresses, must not be reached.
            NameNotResolved: the name has no address.
        """
        self.check_host(host, port)
        name = fold_host(host)
        literal = parse_literal(name)
        addresses = [literal] if literal else list(dict.fromkeys(await self._lookup(name, port)))
        if not self._is_free(host, port) and any(map(is_refused, addresses)):
            raise AddressRefused
        return addresses

    def _is_free(self, host: str, port: int) -> bool:
        return self._allow_private_networks or (fold_host(host), port) in self._exempt

    async def _lookup(self, name: str, port: int) -> Sequence[IPAddress]:
        try:
            async with asyncio.timeout(self._resolve_timeout_sec):
                addresses = await self._resolve(name, port)
        except TimeoutError:
            raise NameNotResolved from None
        if not addresses:
            raise NameNotResolved
        return addresses


TRY_SEC = 0.4
TRIES = 5
"""Per name server, each try about twice as long as the one before: 5 s or more in all. c-ares
learns how fast a server is, and then begins with less, 0.25 s at least."""

MAX_LOOKUPS_PER_DOMAIN = 16
"""At a time. A silent zone also occupies the recursive resolver that all of us use, and that one
limits what it forwards (dnsmasq: 150)."""

QUEUE_TIMEOUT_SEC = 5.0  # a look-up that could not begin within this time fails
NEGATIVE_TTL_SEC = 0.75
"""A failure is the answer to everybody who asks within this time. It is shorter than the wait
before the second attempt of a webhook."""

LOOKUPS_PER_CHANNEL = 64
"""A c-ares channel caches every answer for its TTL, an hour at most, without a limit of size, and
an answer may have 64 KiB. So the channel is replaced now and then."""

MAX_ADDRESSES = 256  # no honest name has more, and judging them takes the event loop's time
SECOND_LEVEL_DOMAINS = frozenset(
    {"ac", "co", "com", "edu", "go", "gob", "gov", "ne", "net", "or", "org"}
)
"""Below a country's domain these belong to nobody in particular (co.uk, com.au, ne.jp)."""


class NameResolver:
    """Resolves names by hosts file, search list and DNS.

    The operating system's `getaddrinfo` blocks a thread until it has an answer, and an event loop
    has few of these: a handful of silent names stops every look-up of the process. c-ares needs no
    thread per look-up. It reads the same files: /etc/resolv.conf, /etc/hosts, /etc/nsswitch.conf.

    Each instance has limits of its own, so that the names of streams never delay webhooks.
    """

    def __init__(self, nameservers: Sequence[str] = ()) -> None:
        self._nameservers = nameservers
        self._channel: aiodns.DNSResolver | None = None
        self._asked = 0
        self._lookups: dict[str, asyncio.Task[list[IPAddress]]] = {}
        self._slots = WeakValueDictionary[str, asyncio.Semaphore]()

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
            lookup.get_loop().call_later(NEGATIVE_TTL_SEC, self._lookups.pop, host, None)

    async def _look_up(self, host: str) -> list[IPAddress]:
        slots = self._slots.setdefault(
            registered_domain(host), asyncio.Semaphore(MAX_LOOKUPS_PER_DOMAIN)
        )
        try:
            async with asyncio.timeout(QUEUE_TIMEOUT_SEC):
                await slots.acquire()
        except TimeoutError:
            return []
        try:
            return await self._ask(host)
        finally:
            slots.release()

    async def _ask(self, host: str) -> list[IPAddress]:
        try:
            # A channel that was replaced lives until its last look-up has ended.
            channel = self._current_channel()
            found = await channel.getaddrinfo(host)
        except (aiodns.error.DNSError, pycares.AresError, UnicodeError):
            return []  # AresError: no descriptors are left; UnicodeError: no name at all
        except asyncio.CancelledError:
            await channel.close()  # the event loop ends, and c-ares must not call it any more
            raise
        return _addresses(found.nodes)

    def _current_channel(self) -> aiodns.DNSResolver:
        if self._channel is None or self._asked % LOOKUPS_PER_CHANNEL == 0:
            self._channel = aiodns.DNSResolver(self._nameservers, timeout=TRY_SEC, tries=TRIES)
        self._asked += 1
        return self._channel


def registered_domain(name: str) -> str:
    """Return the part of `name` that somebody has registered, without a list of public suffixes."""
    labels = name.split(".")
    is_country = len(labels[-1]) == 2
    size = 3 if is_country and len(labels) > 2 and labels[-2] in SECOND_LEVEL_DOMAINS else 2
    return ".".join(labels[-size:])


def _addresses(nodes: Sequence[Any]) -> list[IPAddress]:
    if len(nodes) > MAX_ADDRESSES:
        return []
    return [ip_address(node.addr[0].decode()) for node in nodes]
