"""Who may read evidence: clients with a key, and whoever has a signed URL."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Query, Request, Security
from fastapi.security import HTTPAuthorizationCredentials

from api.auth import AuthenticationDep, api_key_header, bearer_header, caller, peer_address
from api.errors import Unauthorized
from api.injection import injected
from api.request_limits import Counted, Limits
from monitors.evidence_links import EvidenceLinks

Links = Annotated[EvidenceLinks, injected(EvidenceLinks)]


async def _told_at(
    request: Request,
    authentication: AuthenticationDep,
    limits: Limits,
    links: Links,
    api_key: Annotated[str | None, Security(api_key_header)] = None,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Security(bearer_header)] = None,
    expires: Annotated[str | None, Query(description="Of a signed URL.")] = None,
    signature: Annotated[str | None, Query(description="Of a signed URL.")] = None,
) -> datetime | None:
    """Admit a reader; return when a signed URL was told, None for a client with a key.

    Raises:
        Unauthorized: neither a key nor a signature that is good.
        RateLimitExceeded: too many requests.
    """
    if expires is None and signature is None:
        client = (await caller(request, authentication, api_key, bearer)).name
        await limits.count(Counted.PICTURES, client)
        return None
    await limits.count(Counted.PICTURES, peer_address(request))
    if not links.is_signed(request.url.path, expires or "", signature or ""):
        raise Unauthorized("signature: is not valid for this URL")
    moment = datetime.fromtimestamp(int(expires or ""), UTC)
    if moment <= datetime.now(UTC):
        raise Unauthorized("expires: the URL has expired; with a key it opens")
    return moment - links.ttl


ToldAt = Annotated[datetime | None, Depends(_told_at)]
