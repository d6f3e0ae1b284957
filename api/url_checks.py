"""Judging the addresses that users give."""

from typing import Final, Protocol

ADDRESS_LIMIT_SEC: Final = 5


class AddressNotAllowed(Exception):
    """The address is private, special, or does not resolve; which of these is not said."""


class AddressCheck(Protocol):
    """Judges an http(s) URL: resolves its host and looks where it leads, opens nothing."""

    async def __call__(self, url: str, *, for_webhooks: bool) -> None:
        """Return when `url` may be used: for webhooks, or for a stream.

        Raises:
            AddressNotAllowed: it may not.
        """


class AppriseCheck(Protocol):
    """Has Apprise read a URL; sends nothing."""

    async def __call__(self, url: str) -> None:
        """Return when a destination may have `url`.

        Raises:
            BadDestinationUrl: it may not.
        """
