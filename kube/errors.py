"""What a call of the Kubernetes API fails with.

KubernetesError
├── CallFailed          it may be done later; carries when, if the API said so
│   └── CallRefused     it is against rules or rights, as far as the API knows them now
└── NameTaken           a Pod of this name exists
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

import aiohttp
from kubernetes.aio.client import ApiException

REFUSED = frozenset(
    {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.METHOD_NOT_ALLOWED,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.UNPROCESSABLE_ENTITY,
    }
)
"""A server that has just started answers so, too: it has not read the Roles yet, and its admission
plugins and webhooks are not ready. What lasts is a refusal.
"""

QUOTA_IS_USED_UP = ("exceeded quota: ", "status unknown for quota: ")
"""What a 403 says that passes: quota frees itself. Only its message tells it from other refusals.

Source: `CheckRequest` in k8s.io/apiserver, pkg/admission/plugin/resourcequota/controller.go.
"""


class KubernetesError(Exception):
    """A call of the Kubernetes API was not done."""


class CallFailed(KubernetesError):
    """It was not done now.

    Attributes:
        status: of the answer; None without one.
        retry_after_sec: when the API wants to be asked again; None when it does not say.
    """

    def __init__(
        self, message: str, *, status: int | None = None, retry_after_sec: float | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after_sec = retry_after_sec


class CallRefused(CallFailed):
    """It was not done for a reason that may last; the message says which."""


class NameTaken(KubernetesError):
    """A Pod of this name exists."""


@contextmanager
def translate_api_errors(what: str) -> Iterator[None]:
    """Turn what the client raises inside the context into a `KubernetesError`."""
    try:
        yield
    except ApiException as error:
        raise _of(what, error) from None
    except (aiohttp.ClientError, OSError) as error:
        raise CallFailed(f"{what}: the Kubernetes API does not answer: {error!r}") from None


def _of(what: str, error: ApiException) -> KubernetesError:
    reason = _reason(error)
    message = f"{what}: the Kubernetes API answered {error.status} {reason}"
    passes = any(words in reason for words in QUOTA_IS_USED_UP)
    kind = CallRefused if error.status in REFUSED and not passes else CallFailed
    return kind(message, status=error.status, retry_after_sec=_retry_after_sec(error))


def says_absent(error: ApiException, name: str) -> bool:
    """Tell whether the API knows that there is no Pod of this name.

    Another 404 tells of a path or a namespace, for example from a server that has just started.
    """
    details = _status(error).get("details")
    is_of_pod = isinstance(details, dict) and (details.get("kind"), details.get("name"))
    return error.status == HTTPStatus.NOT_FOUND and is_of_pod == ("pods", name)


def _reason(error: ApiException) -> str:
    """Return what the API says: the message of its Status object, where it sent one."""
    return str(_status(error).get("message") or error.body or error.reason or "")[:500]


def _status(error: ApiException) -> dict[str, Any]:
    try:
        status = json.loads(error.body or "")
    except ValueError:
        return {}
    return status if isinstance(status, dict) else {}


def _retry_after_sec(error: ApiException) -> float | None:
    value = (error.headers or {}).get("Retry-After", "")
    return float(value) if value.isdigit() else None
