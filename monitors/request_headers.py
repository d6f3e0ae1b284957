"""Headers that a user wants sent with every request for a stream (`config.request_headers`)."""

import re
from collections.abc import Mapping
from typing import Final

MASK: Final = "***"  # stands for a value wherever it must not be read: it is a secret

MOST_HEADERS = 20
MAX_NAME_CHARS = 64
MAX_VALUE_CHARS = 4096
MAX_CHARS = 8192  # all names and values together: servers refuse requests with much more

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", re.ASCII)
_VALUE = re.compile(r"[!-~](?:[\t -~]*[!-~])?", re.ASCII)

_CONNECTION: Final = frozenset(
    {
        "connection", "expect", "http2-settings", "keep-alive", "proxy-authenticate",
        "proxy-authorization", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
    }
)  # fmt: skip
"""They belong to one connection, not to the request (RFC 9110 7.6.1), or to a proxy."""

_OURS: Final = frozenset(
    {
        "accept-encoding", "content-encoding", "content-length", "content-type", "host",
        "if-match", "if-modified-since", "if-none-match", "if-range", "if-unmodified-since",
        "range",
    }
)  # fmt: skip
"""What the request itself needs."""


def check_request_headers(headers: Mapping[str, str]) -> None:
    """Check names and values (RFC 9110 5.1, 5.5). No message of its ValueErrors quotes a value."""
    if len(headers) > MOST_HEADERS:
        raise ValueError(f"names {len(headers)} headers, more than {MOST_HEADERS}")
    seen: set[str] = set()
    for name, value in headers.items():
        _check_name(name)
        _check_value(name, value)
        if name.lower() in seen:
            raise ValueError(f"{name}: is given twice")
        seen.add(name.lower())
    size = sum(len(name) + len(value) for name, value in headers.items())
    if size > MAX_CHARS:
        raise ValueError(f"is {size} characters, more than {MAX_CHARS}")


def masked(headers: Mapping[str, str]) -> dict[str, str]:
    return dict.fromkeys(headers, MASK)


def _check_name(name: str) -> None:
    if not _TOKEN.fullmatch(name) or len(name) > MAX_NAME_CHARS:
        raise ValueError(f"{name[:MAX_NAME_CHARS]!a} is no name of a header")
    if name.lower() in _CONNECTION:
        raise ValueError(f"{name}: belongs to a connection and cannot be set")
    if name.lower() in _OURS:
        raise ValueError(f"{name}: is set by each request itself")


def _check_value(name: str, value: str) -> None:
    if len(value) > MAX_VALUE_CHARS:
        raise ValueError(f"{name}: is longer than {MAX_VALUE_CHARS} characters")
    if not _VALUE.fullmatch(value):
        raise ValueError(
            f"{name}: must be printable ASCII, without a line break and without space around it"
        )
