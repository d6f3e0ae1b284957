"""Signs a capsule: the signature of its manifest becomes its last member."""

import struct
from pathlib import Path
from typing import Final
from zipfile import ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

MANIFEST: Final = "manifest.json"
SIGNATURE: Final = "manifest.sig"
MOST_MANIFEST_BYTES: Final = 4 << 20
MOST_DIRECTORY_BYTES: Final = 4 << 20

_END: Final = struct.Struct("<4s4H2LH")
"""The end of a ZIP's directory: signature, disks, members, size and offset, length of a comment."""


def seal_capsule(capsule: Path, key: Ed25519PrivateKey) -> None:
    """Append the Ed25519 signature of the manifest's bytes.

    Raises:
        ValueError: it is no ZIP with a manifest, has a signature already, or is beyond bounds.
    """
    _check_directory(capsule)
    try:
        with ZipFile(capsule, "a") as archive:
            if SIGNATURE in archive.NameToInfo:
                raise ValueError("it is signed already")
            manifest = _read(archive)
            # Of no particular time: the same capsule is the same bytes.
            archive.writestr(ZipInfo(SIGNATURE), key.sign(manifest), ZIP_STORED)
    except (BadZipFile, NotImplementedError, KeyError, EOFError) as error:
        raise ValueError(f"it cannot be read: {error}") from None


def _read(archive: ZipFile) -> bytes:
    with archive.open(MANIFEST) as file:
        manifest = file.read(MOST_MANIFEST_BYTES + 1)
    if len(manifest) > MOST_MANIFEST_BYTES:
        raise ValueError(f"{MANIFEST} is larger than {MOST_MANIFEST_BYTES} bytes")
    return manifest


def _check_directory(capsule: Path) -> None:
    """Refuse a directory that would take much memory to read."""
    with capsule.open("rb") as file:
        file.seek(max(0, capsule.stat().st_size - _END.size))
        end = file.read()
    if len(end) < _END.size:
        raise ValueError("it is too short")
    signature, *_, size, _offset, comment = _END.unpack(end)
    if signature != b"PK\5\6" or comment or size > MOST_DIRECTORY_BYTES:
        raise ValueError("its directory is beyond bounds")
