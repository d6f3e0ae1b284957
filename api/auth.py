"""Who may call, and how often: clients with a key or a session, workers with the internal key."""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv6Address, IPv6Network
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer
from pydantic import SecretStr

from api.errors import Forbidden, Unauthorized
from api.injection import injected
from api.request_limits import Counted, Limits, RequestLimits
from api.sessions import Sessions, digest_of, is_csrf_token
from runtime.settings import GatewaySettings

SESSION_COOKIE: Final = "stream_tracker_session"
CSRF_HEADER: Final = "X-CSRF-Token"
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})

api_key_header = APIKeyHeader(
    name="X-API-Key", scheme_name="ApiKey", auto_error=False, description="One of the API keys."
)
bearer_header = HTTPBearer(
    scheme_name="Bearer", auto_error=False, description="The same key as a bearer token."
)
_internal_key = APIKeyHeader(
    name="X-Internal-API-Key",
    scheme_name="InternalKey",
    auto_error=False,
    description="The key of the workers.",
)


class KeyRing:
    """Accepted API keys, kept as digests."""

    def __init__(self, keys: Sequence[SecretStr]) -> None:
        self._digests = [_digest(key.get_secret_value()) for key in keys]

    def holder(self, key: str) -> str | None:
        """Return a short name of the key's holder that is no secret; None for an unknown key.

        Takes the same time for every key, known or not.
        """
        digest = _digest(key)
        matches = [hmac.compare_digest(digest, known) for known in self._digests]
        return _name(digest) if any(matches) else None

    def has(self, name: str) -> bool:
        return any(name == _name(known) for known in self._digests)


@dataclass(frozen=True)
class Caller:
    """Who calls: by a key of API_KEY or VIEWER_KEYS, or by the session that one began.

    Attributes:
        name: of the key's holder; no secret.
        session: the token of the session, where no key was sent; else empty.
    """

    name: str
    may_change: bool
    session: str = ""


class Authentication:
    """Knows keys and sessions, and counts wrong keys."""

    def __init__(
        self, settings: GatewaySettings, limits: RequestLimits, sessions: Sessions
    ) -> None:
        self._limits = limits
        self._sessions = sessions
        self._clients = KeyRing(settings.api_key)
        self._viewers = KeyRing(settings.viewer_keys)
        self._workers = KeyRing([settings.internal_api_key])
        self._probes = KeyRing([settings.probe_api_key] if settings.probe_api_key else [])

    async def client(self, request: Request, key: str) -> Caller:
        """Return the client that holds `key`, or that has a session when there is no key.

        Raises:
            Unauthorized: the key is missing or unknown.
            Forbidden: the key may only read, or the request may come from another site's page.
            RateLimitExceeded: too many wrong keys from this address. A right one still works, so
                that nobody locks out others behind the same address.
        """
        caller = None if key else await self.session(request)
        if caller is None:
            name = await self._admit(request, (self._clients, self._viewers), key, "X-API-Key")
            caller = self._caller(name)
        if request.method not in SAFE_METHODS:
            _check_may_change(request, caller)
        return caller

    async def session(self, request: Request) -> Caller | None:
        """Return who has the session of the cookie; None: there is none, or its key is no more."""
        token = request.cookies.get(SESSION_COOKIE, "")
        name = await self._sessions.client(token)
        if name is None or not (self._clients.has(name) or self._viewers.has(name)):
            return None
        request.state.client = name
        return self._caller(name, token)

    def holder(self, key: str) -> str | None:
        return self._clients.holder(key) or self._viewers.holder(key)

    def _caller(self, name: str, token: str = "") -> Caller:
        return Caller(name, self._clients.has(name), token)

    async def worker(self, request: Request, key: str) -> None:
        await self._admit(request, (self._workers,), key, "X-Internal-API-Key")

    def is_probe(self, key: str) -> bool:
        return self._probes.holder(key) is not None

    async def _admit(
        self, request: Request, rings: Sequence[KeyRing], key: str, header: str
    ) -> str:
        name = next(filter(None, [ring.holder(key) for ring in rings]), None)
        if name is None:
            await self._limits.count(Counted.WRONG_KEYS, peer_address(request))
            problem = "is not a valid key" if key else "is required"
            raise Unauthorized(f"{header}: {problem}", headers={"WWW-Authenticate": "Bearer"})
        request.state.client = name
        return name


AuthenticationDep = Annotated[Authentication, injected(Authentication)]
InternalKey = Annotated[str | None, Security(_internal_key)]


async def caller(
    request: Request,
    authentication: AuthenticationDep,
    api_key: Annotated[str | None, Security(api_key_header)] = None,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Security(bearer_header)] = None,
) -> Caller:
    key = api_key or (bearer.credentials if bearer else "")
    return await authentication.client(request, key)


CallerDep = Annotated[Caller, Depends(caller)]


async def require_worker(
    request: Request, authentication: AuthenticationDep, key: InternalKey = None
) -> None:
    await authentication.worker(request, key or "")


async def require_probe(
    request: Request, authentication: AuthenticationDep, key: InternalKey = None
) -> bool:
    """Admit workers, and return whether it is one that may only probe.

    A probe decodes what strangers send. If one is taken over, it must neither end monitors nor
    invent events.
    """
    if key and authentication.is_probe(key):
        return True
    await authentication.worker(request, key or "")
    return False


def rate_limited(what: Counted) -> Any:
    async def count(limits: Limits, caller: CallerDep) -> None:
        # A page reads what a person looks at: a wall of 200 pictures is no misbehaving program.
        if what is Counted.READS and caller.session:
            await limits.count(Counted.PAGE_READS, digest_of(caller.session))
        else:
            await limits.count(what, caller.name)

    return Depends(count)


def is_from_this_site(request: Request) -> bool:
    """Return whether a browser says that the request comes from one of our own pages."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    # Browsers before 2023 say no more than this.
    origin = urlsplit(request.headers.get("Origin", ""))
    return bool(origin.netloc) and origin.netloc == request.headers.get("Host")


def _check_may_change(request: Request, caller: Caller) -> None:
    if not caller.may_change:
        raise Forbidden("This key may only read (VIEWER_KEYS)")
    if not caller.session:
        return
    token = request.headers.get(CSRF_HEADER, "")
    if not (is_from_this_site(request) and is_csrf_token(token, caller.session)):
        raise Forbidden(f"{CSRF_HEADER}: is not that of the session; load the page again")


def peer_address(request: Request) -> str:
    """Return whom to count a stranger's requests for: an address, of IPv6 its network.

    Whoever has one IPv6 address has 2**64 of them.
    """
    host = request.client.host if request.client else "?"
    if ":" not in host:
        return host
    try:
        address = IPv6Address(host)
    except ValueError:
        return host
    return str(address.ipv4_mapped or IPv6Network((address.packed, 64), strict=False))


def _name(digest: bytes) -> str:
    return digest.hex()[:12]


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()
