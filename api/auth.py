"""Who may call: clients with one of the API keys, workers with the internal key."""

import hashlib
import hmac
from collections.abc import Sequence
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer
from pydantic import SecretStr

from api.errors import Unauthorized
from api.gateway import Gateway, gateway_of

_api_key = APIKeyHeader(
    name="X-API-Key", scheme_name="ApiKey", auto_error=False, description="One of the API keys."
)
_bearer = HTTPBearer(
    scheme_name="Bearer", auto_error=False, description="The same key as a bearer token."
)
_internal_key = APIKeyHeader(
    name="X-Internal-API-Key",
    scheme_name="InternalKey",
    auto_error=False,
    description="The key of the workers.",
)


class KeyRing:
    """The keys that open a door."""

    def __init__(self, keys: Sequence[SecretStr]) -> None:
        self._digests = [_digest(key.get_secret_value()) for key in keys]

    def holder(self, key: str) -> str | None:
        """Return a short name of the key's holder that is no secret, or None: no such key.

        Takes the same time whichever key matches, and whether one does.
        """
        digest = _digest(key)
        matches = [hmac.compare_digest(digest, known) for known in self._digests]
        return digest.hex()[:12] if any(matches) else None


async def client_name(
    request: Request,
    gateway: Annotated[Gateway, Depends(gateway_of)],
    api_key: Annotated[str | None, Security(_api_key)] = None,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)] = None,
) -> str:
    """Return the name of the calling client.

    Raises:
        Unauthorized: no key, or none of ours.
        RateLimitExceeded: too many wrong keys from this address; a right one still works, so
            that nobody locks out others behind the same address.
    """
    key = api_key or (bearer.credentials if bearer else "")
    return await _admit(request, gateway, gateway.client_keys, key, "X-API-Key")


async def require_probe(
    request: Request,
    gateway: Annotated[Gateway, Depends(gateway_of)],
    key: Annotated[str | None, Security(_internal_key)] = None,
) -> bool:
    """Let workers through, return whether it is one that may only probe; raises as `client_name`.

    A probe decodes what strangers send. Taken over, it must not end monitors, nor make up events.
    """
    if key and gateway.probe_keys.holder(key):
        return True
    await require_worker(request, gateway, key)
    return False


async def require_worker(
    request: Request,
    gateway: Annotated[Gateway, Depends(gateway_of)],
    key: Annotated[str | None, Security(_internal_key)] = None,
) -> None:
    """Let only workers through; raises as `client_name`."""
    await _admit(request, gateway, gateway.worker_keys, key or "", "X-Internal-API-Key")


async def _admit(request: Request, gateway: Gateway, keys: KeyRing, key: str, header: str) -> str:
    name = keys.holder(key)
    if name is None:
        await gateway.limits.count_auth_failure(request.client.host if request.client else "?")
        problem = "is not a valid key" if key else "is required"
        raise Unauthorized(f"{header}: {problem}", headers={"WWW-Authenticate": "Bearer"})
    request.state.client = name
    return name


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()


Client = Annotated[str, Depends(client_name)]
