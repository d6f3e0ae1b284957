"""HTTP clients that connect only where the guard lets them."""

import asyncio
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from typing import Any

import httpcore
import httpx

from media.outbound.errors import AddressRefused
from media.outbound.guard import OutboundGuard
from media.outbound.overhead import MeteredBody, MeteredNetwork, SocketOption
from media.outbound.pools import PoolPerStream
from monitors.stream_url import DEFAULT_PORTS

CONNECT_TIMEOUT_SEC = 5.0
READ_TIMEOUT_SEC = 10.0
MAX_ADDRESSES_TRIED = 4
MAX_CONNECTIONS = 1000
MAX_IDLE_CONNECTIONS = 32
"""Of a pool: each costs every request, and the cost grows with their square."""

# A playlist is asked for once a target duration (2 to 10 s as a rule): idle connections that
# last a few of these save a TLS handshake per poll.
IDLE_CONNECTION_SEC = 30.0

_TIMEOUT = httpx.Timeout(READ_TIMEOUT_SEC, connect=CONNECT_TIMEOUT_SEC)
_POOL: dict[str, Any] = {
    "max_connections": MAX_CONNECTIONS,
    "max_keepalive_connections": MAX_IDLE_CONNECTIONS,
    "keepalive_expiry": IDLE_CONNECTION_SEC,
}


@dataclass(frozen=True)
class Proxies:
    """The proxy of each scheme as `http://[user:password@]host:port`; None connects directly."""

    http: str | None = None
    https: str | None = None


def media_client(
    guard: OutboundGuard,
    *,
    proxy: str | Proxies | None = None,
    ca_bundle: Path | None = None,
    network: httpcore.AsyncNetworkBackend | None = None,
) -> httpx.AsyncClient:
    """Return the client for playlists and segments of all streams.

    It keeps no cookies, `media.outbound.stream_client` does; and it follows no redirects,
    `media.outbound.fetching` does.

    Args:
        guard: judges every host; behind a proxy only its text, the proxy resolves names.
        proxy: one proxy for everything or one for each scheme. It is not judged.
        ca_bundle: PEM file of certificates to trust besides the usual ones.
        network: opens the connections; the system's sockets by default.

    Raises:
        ValueError: a proxy URL that is not http:// or https://.
        OSError: `ca_bundle` cannot be read (`ssl.SSLError`: or is no PEM file).
    """
    proxies = proxy if isinstance(proxy, Proxies) else Proxies(http=proxy, https=proxy)
    network = network or httpcore.AnyIOBackend()
    tls = _trusting(ca_bundle)
    # A context of its own: httpcore offers a server HTTP/2 in it, but not a proxy.
    proxy_tls = _trusting(ca_bundle)
    return _client(
        GuardedTransport(guard, tls, network),
        {
            f"{scheme}://": ProxiedTransport(
                guard, tls, network, httpx.Proxy(url, ssl_context=proxy_tls)
            )
            for scheme, url in (("http", proxies.http), ("https", proxies.https))
            if url
        },
    )


def webhook_client(
    guard: OutboundGuard,
    *,
    ca_bundle: Path | None = None,
    network: httpcore.AsyncNetworkBackend | None = None,
) -> httpx.AsyncClient:
    """Return the client for webhooks: no redirects, no proxy, no cookies.

    HTTP/1.1 alone: an answer whose body never ends is left by closing its connection. httpcore 1.0
    leaves a stream of HTTP/2 open then, and a connection has a hundred of them.

    Args:
        guard: judges every host.
        ca_bundle: PEM file of certificates to trust besides the usual ones.
        network: opens the connections; the system's sockets by default.
    """
    tls, sockets = _trusting(ca_bundle), network or httpcore.AnyIOBackend()
    client = _client(GuardedTransport(guard, tls, sockets, http2=False), {})
    client.event_hooks = {"response": [_forget_location]}
    return client


async def _forget_location(response: httpx.Response) -> None:
    """Leave out where a receiver redirects to: httpx would read it, and may fail to."""
    response.headers.pop("location", None)


def _trusting(ca_bundle: Path | None) -> ssl.SSLContext:
    tls = httpx.create_ssl_context(trust_env=False)
    if ca_bundle is not None:
        tls.load_verify_locations(cafile=ca_bundle)
    return tls


def _client(
    direct: "GuardedTransport", proxied: Mapping[str, "ProxiedTransport"]
) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=direct,
        mounts=proxied,
        timeout=_TIMEOUT,
        follow_redirects=False,
        trust_env=False,
        # One client serves many users: what one of their servers sets must not reach another.
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
    )


class PinnedNetwork(httpcore.AsyncNetworkBackend):
    """Opens connections to judged addresses only, each judged at the moment of connecting."""

    def __init__(self, guard: OutboundGuard, network: httpcore.AsyncNetworkBackend) -> None:
        self._guard = guard
        self._network = network

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SocketOption] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first address of `host` that answers within its share of `timeout`.

        Raises:
            AddressRefused, NameNotResolved: see `OutboundGuard.pin`.
            httpcore.ConnectError, httpcore.ConnectTimeout: no address answered.
        """
        try:
            async with asyncio.timeout(timeout):
                addresses = (await self._guard.pin(host, port))[:MAX_ADDRESSES_TRIED]
                share = None if timeout is None else timeout / len(addresses)
                for address in addresses[:-1]:
                    try:
                        return await self._network.connect_tcp(
                            str(address), port, share, local_address, socket_options
                        )
                    except (httpcore.ConnectError, httpcore.ConnectTimeout):
                        continue
                return await self._network.connect_tcp(
                    str(addresses[-1]), port, timeout, local_address, socket_options
                )
        except TimeoutError:
            raise httpcore.ConnectTimeout from None

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,
        socket_options: Iterable[SocketOption] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Refuse: no user's address is a Unix socket."""
        raise AddressRefused

    async def sleep(self, seconds: float) -> None:
        await self._network.sleep(seconds)


class GuardedTransport(httpx.AsyncHTTPTransport):
    """Connects directly, through the guard.

    httpx has no argument for httpcore's network backend. Replacing the pool that its transport
    made keeps its translation of requests, answers and errors.
    """

    def __init__(
        self,
        guard: OutboundGuard,
        tls: ssl.SSLContext,
        network: httpcore.AsyncNetworkBackend,
        *,
        http2: bool = True,
    ) -> None:
        super().__init__(verify=tls, trust_env=False)
        self._guard = guard
        pinned = PinnedNetwork(guard, MeteredNetwork(network))
        self._pool = PoolPerStream(
            lambda: httpcore.AsyncConnectionPool(
                ssl_context=tls, network_backend=pinned, http2=http2, **_POOL
            ),
            idle_sec=IDLE_CONNECTION_SEC,
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send `request` when its URL may be asked for.

        Raises:
            AddressRefused: not http(s), credentials or an impossible port in it, a refused host.
        """
        _check_shape(request.url)
        port = request.url.port or DEFAULT_PORTS[request.url.scheme]
        self._guard.check_host(request.url.raw_host.decode("ascii"), port)
        response = await super().handle_async_request(request)
        response.stream = MeteredBody(response)
        return response


class ProxiedTransport(GuardedTransport):
    """Connects through a proxy, which resolves the names; the guard judges the hosts' text."""

    def __init__(
        self,
        guard: OutboundGuard,
        tls: ssl.SSLContext,
        network: httpcore.AsyncNetworkBackend,
        proxy: httpx.Proxy,
    ) -> None:
        if proxy.url.scheme not in ("http", "https"):
            raise ValueError("a proxy URL must start with http:// or https://")
        super().__init__(guard, tls, network)
        self._pool = PoolPerStream(
            lambda: httpcore.AsyncHTTPProxy(
                proxy_url=str(proxy.url),
                proxy_auth=proxy.raw_auth,
                ssl_context=tls,
                proxy_ssl_context=proxy.ssl_context if proxy.url.scheme == "https" else None,
                network_backend=MeteredNetwork(network),
                http2=True,
                **_POOL,
            ),
            idle_sec=IDLE_CONNECTION_SEC,
        )


def _check_shape(url: httpx.URL) -> None:
    if url.scheme not in ("http", "https") or url.userinfo:
        raise AddressRefused
    if url.port is not None and not 0 < url.port <= 65_535:
        raise AddressRefused
