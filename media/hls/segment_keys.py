"""The keys that hold while a playlist is being read (EXT-X-KEY, RFC 8216 4.3.2.4)."""

from collections.abc import Mapping

from media.hls.errors import MalformedPlaylist
from media.hls.playlist import IV_BYTES, Encryption
from media.hls.uris import UriResolver


class KeyReader:
    """Knows how what follows is encrypted. Keys of several formats may hold at once."""

    def __init__(self, base_url: str, uris: UriResolver) -> None:
        self._base_url = base_url
        self._uris = uris
        self._keys: dict[str, Encryption] = {}

    @property
    def current(self) -> Encryption | None:
        """The key that anybody may have, else the first; None where nothing is encrypted."""
        return self._keys.get("identity") or next(iter(self._keys.values()), None)

    def hold(self, key: Encryption | None) -> None:
        """Go on behind a segment that was encrypted like this."""
        self._keys = {key.key_format: key} if key else {}

    def read(self, attributes: Mapping[str, str]) -> None:
        """Take in one EXT-X-KEY.

        Raises:
            MalformedPlaylist: it has no METHOD, or its IV is none.
        """
        method = attributes.get("METHOD")
        if not method:
            raise MalformedPlaylist("EXT-X-KEY names no METHOD")
        if method == "NONE":
            self._keys = {}
            return
        uri = attributes.get("URI")
        key = Encryption(
            method=method,
            uri=self._uris.resolve(self._base_url, uri) if uri else None,
            iv=_initialization_vector(attributes.get("IV")),
            key_format=attributes.get("KEYFORMAT", "identity"),
        )
        self._keys[key.key_format] = key


def _initialization_vector(text: str | None) -> bytes | None:
    if text is None:
        return None
    digits = text[2:] if text[:2] in ("0x", "0X") else ""
    try:
        return int(digits, 16).to_bytes(IV_BYTES, "big")
    except (ValueError, OverflowError):
        raise MalformedPlaylist(
            f"IV of EXT-X-KEY is no 128-bit hex number: {text[:40]!r}"
        ) from None
