"""Whether the gateway may use an address that a user gave. The judge is handed in."""

from typing import Protocol


class AddressRefused(Exception):
    """The address is private, special, or does not resolve; which of these stays untold."""


class AddressCheck(Protocol):
    """Judges an http(s) URL: resolves its host and looks where it leads, opens nothing."""

    async def __call__(self, url: str) -> None:
        """Return when `url` may be used.

        Raises:
            AddressRefused: it may not.
        """
