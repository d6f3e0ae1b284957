"""Messages between a process and its warm children: a length in 4 bytes, then that many bytes.

Children import this, so it imports little.
"""

import json
import struct
from typing import IO, Any

LENGTH = struct.Struct(">I")


def pack_json(message: dict[str, Any]) -> bytes:
    """Return `message` as it is sent, halves of surrogate pairs replaced: UTF-8 has none."""
    text = json.dumps(message, separators=(",", ":"), ensure_ascii=False)
    body = text.encode(errors="replace")
    return LENGTH.pack(len(body)) + body


def read_json(stream: IO[bytes]) -> Any:
    """Read one message of a trusted parent; None at the end of `stream`."""
    prefix = stream.read(LENGTH.size)
    if len(prefix) < LENGTH.size:
        return None
    (length,) = LENGTH.unpack(prefix)
    body = stream.read(length)
    return json.loads(body) if len(body) == length else None
