"""Identifiers that users, webhooks, Temporal and Kubernetes share."""

import re

from uuid_utils import uuid7

_MONITOR_ID = re.compile(r"mon-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def new_monitor_id() -> str:
    """Return a new monitor id: `mon-` and a UUIDv7, so ids sort by creation time.

    The id is a DNS-1123 label: it is also the workflow id and part of a Pod name.
    """
    return f"mon-{uuid7()}"


def is_monitor_id(text: str) -> bool:
    return _MONITOR_ID.fullmatch(text) is not None


def new_destination_id() -> str:
    return f"dst-{uuid7()}"


def new_silence_id() -> str:
    return f"sil-{uuid7()}"
