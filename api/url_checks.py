"""Judging the addresses that users give."""

import asyncio
from typing import Final, Protocol

from api.errors import InvalidUrl

ADDRESS_LIMIT_SEC: Final = 5


class AddressNotAllowed(Exception):
    """The address is private, special, or does not resolve; which of these is not said."""


class AddressCheck(Protocol):
    """Judges an http(s) URL: resolves its host and looks where it leads, opens nothing."""

    async def __call__(self, url: str, *, for_webhooks: bool) -> None:
        """Raises AddressNotAllowed."""


class AppriseCheck(Protocol):
    """Has Apprise read a URL; sends nothing."""

    async def __call__(self, url: str) -> None:
        """Raises BadDestinationUrl."""


async def check_address(check: AddressCheck, field: str, url: str, *, for_webhooks: bool) -> None:
    """Refuse the URL in `field` of a body where `check` does, or takes too long."""
    try:
        async with asyncio.timeout(ADDRESS_LIMIT_SEC):
            await check(url, for_webhooks=for_webhooks)
    except (AddressNotAllowed, TimeoutError):
        # One reason for all cases: the answer must not map our network for a stranger.
        raise InvalidUrl(f"{field}: its host cannot be resolved or is not allowed") from None
