"""What a call of the Kubernetes API fails with.

KubernetesError
├── CallRefused     it will never be done: the message says why
├── CallFailed      it may be done later; carries when, if the API said so
└── NameTaken       a Pod of this name exists
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

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


QUOTA_IS_USED_UP = ("exceeded quota: ", "status unknown for quota: ")
"""What a 403 says that passes: quota frees itself. Only its message tells it from other refusals.

Source: `CheckRequest` in k8s.io/apiserver, pkg/admission/plugin/resourcequota/controller.go.
"""


class KubernetesError(Exception):
    """A call of the Kubernetes API was not done."""


class CallRefused(KubernetesError):
    """It will never be done; the message says why."""


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


class NameTaken(KubernetesError):
    """A Pod of this name exists."""


@contextmanager
def told_apart(what: str) -> Iterator[None]:
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
    if error.status in REFUSED and not any(words in reason for words in QUOTA_IS_USED_UP):
        return CallRefused(message)
    return CallFailed(message, status=error.status, retry_after_sec=_retry_after_sec(error))


def _reason(error: ApiException) -> str:
    """Return what the API says: the message of its Status object, where it sent one."""
    try:
        return str(json.loads(error.body or "")["message"])[:500]
    except (ValueError, KeyError, TypeError):
        return str(error.body or error.reason or "")[:500]


def _retry_after_sec(error: ApiException) -> float | None:
    value = (error.headers or {}).get("Retry-After", "")
    return float(value) if value.isdigit() else None
