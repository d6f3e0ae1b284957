"""Encrypting whole segments as RFC 8216 4.3.2.4 has it (AES-128), with one key for all."""

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

KEY = bytes(range(16))
KEY_NAME = "key.bin"
KEY_TYPE = "application/octet-stream"


def encrypted(data: bytes, sequence: int) -> bytes:
    """Return a segment encrypted; its number is the IV, so the playlist names none."""
    padder = PKCS7(algorithms.AES.block_size).padder()
    encryptor = Cipher(algorithms.AES(KEY), modes.CBC(sequence.to_bytes(16, "big"))).encryptor()
    padded = padder.update(data) + padder.finalize()
    return encryptor.update(padded) + encryptor.finalize()
