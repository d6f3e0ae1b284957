"""Whether the gateway may use an address that a user gave. The judge is handed in."""

from typing import Protocol


class AddressRefused(Exception):
    """The address is private, special, or does not resolve; which of these stays untold."""


class AddressCheck(Protocol):
    """Judges an http(s) URL: resolves its host and looks where it leads, opens nothing."""

    async def __call__(self, url: str, *, for_webhooks: bool) -> None:
        """Return when `url` may be used: for webhooks, or for a stream.

        Raises:
            AddressRefused: it may not.
        """
