"""Decrypting segments that anybody with the key's URL may read (RFC 8216 4.3.2.4, AES-128)."""

import asyncio
from collections import OrderedDict

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from media.decoding.errors import UndecodableSegment
from media.hls.playlist import Encryption
from media.outbound.fetching import fetch_segment
from media.outbound.stream_client import MediaClient

WHOLE_SEGMENT_METHOD = "AES-128"
PLAIN_KEY_FORMAT = "identity"
KEY_BYTES = 16
LARGE_BYTES = 4 * 1024 * 1024  # a larger segment is decrypted in a thread, beside the event loop
KEYS_KEPT = 8  # streams change their key every few minutes; picture and sound may have one each


class UnsupportedSegment(Exception):
    """The segment is of a kind that cannot be measured; the message says which."""


class SegmentKeys:
    """Fetches the keys of one stream and decrypts with them."""

    def __init__(self, client: MediaClient) -> None:
        self._client = client
        self._keys: OrderedDict[str, bytes] = OrderedDict()

    async def decrypted(
        self, data: bytes, encryption: Encryption | None, *, sequence: int, timeout_sec: float
    ) -> bytes:
        """Return `data`, a whole segment or init segment, as it was before it was encrypted.

        Raises:
            FetchError: the key could not be fetched.
            UndecodableSegment: the answer is no key, or the key of another segment.
            UnsupportedSegment: DRM, or a method that leaves parts of the segment plain.
        """
        if encryption is None:
            return data
        uri = supported_key_uri(encryption)
        if uri not in self._keys:
            self._keys[uri] = await fetch_segment(
                self._client, uri, max_bytes=KEY_BYTES, total_timeout_sec=timeout_sec
            )
            while len(self._keys) > KEYS_KEPT:
                self._keys.popitem(last=False)
        iv = encryption.iv or sequence.to_bytes(KEY_BYTES, "big")
        try:
            if len(data) <= LARGE_BYTES:
                return decrypt(data, self._keys[uri], iv)
            return await asyncio.to_thread(decrypt, data, self._keys[uri], iv)
        except UndecodableSegment:
            self._keys.pop(uri, None)  # it may have been replaced
            raise


def supported_key_uri(encryption: Encryption) -> str:
    """Return where the key is, or raise `UnsupportedSegment`."""
    is_plain = encryption.key_format == PLAIN_KEY_FORMAT
    if encryption.method != WHOLE_SEGMENT_METHOD or not is_plain or encryption.uri is None:
        raise UnsupportedSegment(f"encrypted segments ({encryption.method})")
    return encryption.uri


def decrypt(data: bytes, key: bytes, iv: bytes) -> bytes:
    """Decrypt with AES-128 in CBC mode and take off the PKCS7 padding."""
    if len(key) != KEY_BYTES:
        raise UndecodableSegment(f"its key has {len(key)} bytes, not {KEY_BYTES}")
    decryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).decryptor()
    unpadder = PKCS7(algorithms.AES.block_size).unpadder()
    try:
        padded = decryptor.update(data) + decryptor.finalize()
        return unpadder.update(padded) + unpadder.finalize()
    except ValueError:
        raise UndecodableSegment("it cannot be decrypted with its key") from None
