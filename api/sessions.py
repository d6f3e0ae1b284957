"""Sessions of the page: a cookie that a key was exchanged for.

The database has digests of tokens, so that nobody who reads it can log in. A gateway asks it for a
session every `TRUSTED_SEC`: that long a session that ends at another gateway is still good here.
"""

import hashlib
import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from api.store.sessions import SessionStore

SESSION_TIME: Final = timedelta(days=30)
LINK_TIME: Final = timedelta(minutes=15)
TRUSTED_SEC: Final = 5.0
MOST_TRUSTED: Final = 1_000
TOKEN_BYTES: Final = 32
MOST_TOKEN_CHARS: Final = 64


class Sessions:
    def __init__(self, store: SessionStore, now: Callable[[], datetime]) -> None:
        self._store = store
        self._now = now
        self._trusted: OrderedDict[str, tuple[str, float]] = OrderedDict()

    async def begin(self, client: str) -> str:
        return (await self._new_token(client, SESSION_TIME, is_link=False))[0]

    async def make_link(self, client: str) -> tuple[str, datetime]:
        """Return a token that begins one session, and until when it may."""
        return await self._new_token(client, LINK_TIME, is_link=True)

    async def begin_by_link(self, token: str) -> str | None:
        """Return the token of a new session; None: the link has expired or was used."""
        client = await self._store.take_link(digest_of(token), self._now())
        return await self.begin(client) if client else None

    async def client(self, token: str) -> str | None:
        """Return whose session this is; None: there is none, or no longer."""
        if not token or len(token) > MOST_TOKEN_CHARS:
            return None
        digest = digest_of(token)
        client, until = self._trusted.get(digest, ("", 0.0))
        if time.monotonic() < until:
            return client
        found = await self._store.client(digest, self._now())
        self._trusted.pop(digest, None)
        if found:
            self._trusted[digest] = (found, time.monotonic() + TRUSTED_SEC)
            if len(self._trusted) > MOST_TRUSTED:
                self._trusted.popitem(last=False)
        return found

    async def end(self, token: str) -> None:
        self._trusted.pop(digest_of(token), None)
        await self._store.remove(digest_of(token))

    async def _new_token(
        self, client: str, lasts: timedelta, *, is_link: bool
    ) -> tuple[str, datetime]:
        token, now = secrets.token_urlsafe(TOKEN_BYTES), self._now()
        await self._store.add(
            digest_of(token), client, is_link=is_link, now=now, expires_at=now + lasts
        )
        return token, now + lasts


def digest_of(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()


def csrf_token(token: str) -> str:
    """Return what a page of this session sends along with changes; no other site knows it."""
    return hashlib.sha256(b"csrf:" + token.encode("utf-8", "surrogateescape")).hexdigest()


def is_csrf_token(given: str, token: str) -> bool:
    return hmac.compare_digest(given.encode(), csrf_token(token).encode())
