"""The errors of outbound requests; the tree is drawn in `media.outbound`."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import idna
import structlog
from h2.exceptions import InvalidBodyLengthError

logger = structlog.get_logger(__name__)


class FetchError(Exception):
    """A request to an address that a user gave failed; `code` is a stable name of the failure."""

    code = "fetch_failed"
    reason = "the request failed"
    status: int | None = None

    def __init__(self, reason: str | None = None) -> None:
        super().__init__(reason or self.reason)


class AddressRefused(FetchError):
    """The address is none that requests may go to.

    The message is always the same: it must not tell a user which networks exist behind the
    service, or which ports are open.
    """

    code = "address_refused"
    reason = "the address is not allowed"

    def __init__(self) -> None:
        super().__init__()


class ConnectionFailed(FetchError):
    code = "connection"
    reason = "the connection failed"


class NameNotResolved(ConnectionFailed):
    """The host's name has no address, now at least: unlike a refusal that may pass."""

    reason = "the name of the host could not be resolved"


class FetchTimeout(FetchError):
    code = "timeout"
    reason = "the answer did not come in time"


class TooManyRedirects(FetchError):
    code = "too_many_redirects"
    reason = "redirected too often"


class BadRedirect(FetchError):
    """Redirected to a URL that is longer than one that a user may give.

    It would be the base of all relative URIs of a playlist.
    """

    code = "bad_redirect"
    reason = "redirected to an address that is too long"


class BadStatus(FetchError):
    def __init__(self, status: int) -> None:
        super().__init__(f"answered with HTTP status {status}")
        self.status = status
        self.code = "http_5xx" if 500 <= status <= 599 else f"http_{status}"


class BadBody(FetchError):
    """The answer's status is fine, its body is not."""

    def __init__(self, status: int | None = None) -> None:
        super().__init__()
        self.status = status


class TooLarge(BadBody):
    code = "too_large"
    reason = "the answer is too large"


class Truncated(BadBody):
    code = "truncated"
    reason = "the answer is incomplete"


class BadEncoding(BadBody):
    code = "bad_encoding"
    reason = "the answer is encoded in an unknown or broken way"


class ExcessiveOverhead(BadBody):
    """The answer comes in tiny chunks, or with much that is neither head nor body."""

    code = "excessive_overhead"
    reason = "the answer comes in too many pieces with too little in them"


class BadRange(BadBody):
    code = "bad_range"
    reason = "the answer is not the requested byte range"


@contextmanager
def typed_errors() -> Iterator[None]:
    """Turn whatever a request to a stranger raises into `FetchError`."""
    # Strangers reach the corners of every library on the way: what those raise is not always what
    # they document. So an exception of any type means that the request failed. The original is cut
    # off: its text may hold parts of a URL or tell open ports from closed ones.
    try:
        yield
    except FetchError:
        raise
    except (httpx.InvalidURL, idna.IDNAError):
        raise AddressRefused from None
    except (httpx.TimeoutException, TimeoutError):
        raise FetchTimeout from None
    except Exception as error:
        if not isinstance(error, httpx.HTTPError | OSError):
            logger.warning("request failed in an unusual way", error=type(error).__qualname__)
        raise _failure(error) from None


def _failure(error: Exception) -> FetchError:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return ConnectionFailed(f"the certificate was refused: {cause.verify_message}")
        # HTTP/2 judges the length itself, even before the headers are handed on.
        if isinstance(cause, InvalidBodyLengthError):
            return Truncated()
        cause = cause.__cause__ or cause.__context__
    return ConnectionFailed()
