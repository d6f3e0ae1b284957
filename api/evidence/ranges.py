"""The part of a file that a request wants (RFC 9110, section 14)."""

import re

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)


class RangeNotSatisfiable(Exception):
    """The file has no such part."""


def wanted_range(header: str | None, size_bytes: int) -> tuple[int, int] | None:
    """Return the part that `Range` asks for, its end excluded; None: the whole.

    Several parts, other units and what is no range are ignored, as the RFC permits.

    Raises:
        RangeNotSatisfiable: it begins after the end, or is empty.
    """
    found = _RANGE.fullmatch(header.strip()) if header else None
    if found is None or not (found[1] or found[2]):
        return None
    if found[1]:
        start, end = int(found[1]), int(found[2]) + 1 if found[2] else size_bytes
        if found[2] and end <= start:
            return None
    else:
        start, end = max(0, size_bytes - int(found[2])), size_bytes
    if start >= size_bytes:
        raise RangeNotSatisfiable
    return start, min(end, size_bytes)
