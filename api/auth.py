"""Who may call, and how often: clients with an API key, workers with the internal key."""

import hashlib
import hmac
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer
from pydantic import SecretStr

from api.errors import Unauthorized
from api.injection import injected
from api.limits import Counted, RequestLimits
from runtime.settings import GatewaySettings

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
        return digest.hex()[:12] if any(matches) else None


class Authentication:
    """Knows the keys of clients, workers and probes, and counts wrong ones."""

    def __init__(self, settings: GatewaySettings, limits: RequestLimits) -> None:
        self._limits = limits
        self._clients = KeyRing(settings.api_key)
        self._workers = KeyRing([settings.internal_api_key])
        self._probes = KeyRing([settings.probe_api_key] if settings.probe_api_key else [])

    async def client(self, request: Request, key: str) -> str:
        """Return the name of the client that holds `key`.

        Raises:
            Unauthorized: the key is missing or unknown.
            RateLimitExceeded: too many wrong keys from this address. A right one still works, so
                that nobody locks out others behind the same address.
        """
        return await self._admit(request, self._clients, key, "X-API-Key")

    async def worker(self, request: Request, key: str) -> None:
        """Admit a worker; raises as `client`."""
        await self._admit(request, self._workers, key, "X-Internal-API-Key")

    def is_probe(self, key: str) -> bool:
        return self._probes.holder(key) is not None

    async def _admit(self, request: Request, keys: KeyRing, key: str, header: str) -> str:
        name = keys.holder(key)
        if name is None:
            await self._limits.count(Counted.WRONG_KEYS, peer_address(request))
            problem = "is not a valid key" if key else "is required"
            raise Unauthorized(f"{header}: {problem}", headers={"WWW-Authenticate": "Bearer"})
        request.state.client = name
        return name


AuthenticationDep = Annotated[Authentication, injected(Authentication)]
InternalKey = Annotated[str | None, Security(_internal_key)]


async def client_name(
    request: Request,
    authentication: AuthenticationDep,
    api_key: Annotated[str | None, Security(api_key_header)] = None,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Security(bearer_header)] = None,
) -> str:
    """Return the name of the calling client; raises as `Authentication.client`."""
    key = api_key or (bearer.credentials if bearer else "")
    return await authentication.client(request, key)


Client = Annotated[str, Depends(client_name)]


async def require_worker(
    request: Request, authentication: AuthenticationDep, key: InternalKey = None
) -> None:
    """Admit workers only; raises as `Authentication.client`."""
    await authentication.worker(request, key or "")


async def require_probe(
    request: Request, authentication: AuthenticationDep, key: InternalKey = None
) -> bool:
    """Admit workers, and return whether it is one that may only probe; raises as `client_name`.

    A probe decodes what strangers send. If one is taken over, it must neither end monitors nor
    invent events.
    """
    if key and authentication.is_probe(key):
        return True
    await authentication.worker(request, key or "")
    return False


def rate_limited(what: Counted) -> Any:
    """Return a dependency that counts a request of the calling client."""

    async def count(
        limits: Annotated[RequestLimits, injected(RequestLimits)], client: Client
    ) -> None:
        await limits.count(what, client)

    return Depends(count)


def peer_address(request: Request) -> str:
    return request.client.host if request.client else "?"


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()
