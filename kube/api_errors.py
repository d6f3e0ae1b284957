"""What a call of the Kubernetes API fails with.

CallFailed          another attempt may succeed; carries Retry-After, if the API sent one
└── CallRefused     against rules or rights, as far as the API knows them now
NameTaken           a Pod of this name exists
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

import aiohttp
from kubernetes.aio.client import ApiException

REFUSED = (
    *(HTTPStatus.BAD_REQUEST, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND),
    *(HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.UNPROCESSABLE_ENTITY),
)
"""A server that has just started gives these answers, too: it has not read the Roles yet, and its
admission plugins and webhooks are not ready. Only an answer that lasts is a refusal.
"""

QUOTA_EXCEEDED = ("exceeded quota: ", "status unknown for quota: ")
"""Messages of a 403 that passes, as quota frees itself. Only the message tells it from other 403s.

Source: `CheckRequest` in k8s.io/apiserver, pkg/admission/plugin/resourcequota/controller.go.
"""


class CallFailed(Exception):
    """Another attempt may succeed; `status` is that of the answer, if there was one."""

    def __init__(
        self, message: str, *, status: int | None = None, retry_after_sec: float | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after_sec = retry_after_sec


class CallRefused(CallFailed):
    """The API refused the call for a reason that may last."""


class NameTaken(Exception):
    """A Pod of this name exists."""


@contextmanager
def translate_api_errors(call: str) -> Iterator[None]:
    """Raise what the client raises inside the context as `CallFailed`."""
    try:
        yield
    except ApiException as error:
        reason = str(_status_object(error).get("message") or error.body or error.reason or "")
        is_passing = any(message in reason for message in QUOTA_EXCEEDED)
        kind = CallRefused if error.status in REFUSED and not is_passing else CallFailed
        raise kind(
            f"{call}: the Kubernetes API answered {error.status} {reason[:500]}",
            status=error.status,
            retry_after_sec=_retry_after_sec(error),
        ) from None
    except (aiohttp.ClientError, OSError) as error:
        raise CallFailed(f"{call}: the Kubernetes API does not answer: {error!r}") from None


def is_pod_absent(error: ApiException, name: str) -> bool:
    """Return whether the API says that there is no Pod of this name.

    Another 404 is about a path or a namespace, for example from a server that has just started.
    """
    details = _status_object(error).get("details")
    is_of_pod = isinstance(details, dict) and (details.get("kind"), details.get("name"))
    return error.status == HTTPStatus.NOT_FOUND and is_of_pod == ("pods", name)


def _status_object(error: ApiException) -> dict[str, Any]:
    """Return the Status object of the answer; empty where it has none."""
    try:
        status = json.loads(error.body or "")
    except ValueError:
        return {}
    return status if isinstance(status, dict) else {}


def _retry_after_sec(error: ApiException) -> float | None:
    value = (error.headers or {}).get("Retry-After", "")
    return float(value) if value.isdigit() else None
