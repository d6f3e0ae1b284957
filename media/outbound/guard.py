"""The judge of every address that a user gave."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence

from media.outbound.addresses import (
    IPAddress,
    fold_host,
    is_refused,
    is_refused_host,
    parse_literal,
)
from media.outbound.errors import AddressRefused, NameNotResolved
from media.outbound.resolver import NameResolver
from monitors.stream_url import DEFAULT_PORTS, InvalidStreamUrl, split_http_url

RESOLVE_TIMEOUT_SEC = 5.0

Resolve = Callable[[str, int], Awaitable[Sequence[IPAddress]]]
"""From a name and a port to addresses, best first.

Raises:
    NameNotResolved: the name has none.
"""


class OutboundGuard:
    """Judges hosts, and pins names to the addresses it judged.

    Args:
        allow_private_networks: let everything pass (development, closed networks).
        resolve: finds the addresses of a name; a `NameResolver` of its own by default.
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
        """Judge a host by its text alone, without resolving it.

        Raises:
            AddressRefused: a special address in any spelling, or a name that means one.
        """
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
