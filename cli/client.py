"""The gateway's REST API, as the command line uses it."""

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx

from cli.running import FAILED, MISUSED, UNREACHABLE, fail, key

TIMEOUT_SEC = 15.0
PAGE = 200

_MONITOR_ID = re.compile(r"mon-[0-9a-f-]{1,36}")
_OTHER_ID = re.compile(r"(?:dst|inc|sil)-[0-9a-f-]{1,36}")
_FULL_ID_CHARS = 40


class GatewayRefused(Exception):
    """The gateway refused a request; the message is its own.

    Attributes:
        retry_after_sec: when the same request may be made again; None when nothing says so.
    """

    def __init__(self, code: str, message: str, retry_after_sec: float | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.retry_after_sec = retry_after_sec


class GatewayUnreachable(Exception):
    pass


class UnclearId(Exception):
    """The beginning of an id fits none or several."""


class RestClient:
    def __init__(self, base_url: str, api_key: str) -> None:
        self._base_url = base_url
        self._http = httpx.Client(
            base_url=f"{base_url.rstrip('/')}/api/v1",
            headers={"X-API-Key": api_key.partition(",")[0].strip()},
            timeout=TIMEOUT_SEC,
            trust_env=False,
        )

    def close(self) -> None:
        self._http.close()

    def call(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Make one call and return its JSON, empty where the answer has none.

        Raises:
            GatewayRefused: an error answer.
            GatewayUnreachable: no answer.
        """
        response = self._request(method, path, json=body, params=query)
        answer: dict[str, Any] = response.json() if response.content else {}
        return answer

    def upload(self, path: str, content: bytes) -> None:
        """Put a file; raises as `call`."""
        self._request("PUT", path, content=content)

    def text(self, path: str, query: Mapping[str, Any]) -> str:
        """Return an answer that is no JSON; raises as `call`."""
        return self._request("GET", path, params=query).text

    def pieces(self, path: str) -> Iterator[bytes]:
        """Yield the bytes of a file; raises as `call`."""
        try:
            with self._http.stream("GET", path) as response:
                if not response.is_success:
                    response.read()
                    raise _refusal(response)
                yield from response.iter_bytes()
        except httpx.HTTPError as error:
            raise GatewayUnreachable(f"{self._base_url} does not answer: {error}") from None

    def _request(self, method: str, path: str, **sent: Any) -> httpx.Response:
        try:
            response = self._http.request(method, path, **sent)
        except httpx.HTTPError as error:
            raise GatewayUnreachable(f"{self._base_url} does not answer: {error}") from None
        if response.is_success:
            return response
        raise _refusal(response)

    def call_patiently(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Make one call, as often as the rate limit asks to wait for it; raises as `call`."""
        while True:
            try:
                return self.call(method, path, body=body, query=query)
            except GatewayRefused as error:
                if error.code != "RATE_LIMIT_EXCEEDED" or error.retry_after_sec is None:
                    raise
                time.sleep(error.retry_after_sec)

    def pages(self, path: str, **query: Any) -> Iterator[list[dict[str, Any]]]:
        """Yield the items of a list, a page at a time, in the gateway's order."""
        offset, total = 0, 1
        while offset < total:
            answer = self.call("GET", path, query={**query, "limit": PAGE, "offset": offset})
            total = answer.pop("pagination")["total"]
            (items,) = answer.values()
            offset += PAGE
            yield items

    def find_monitor_id(self, beginning: str) -> str:
        """Return the one monitor id that begins so; `mon-` may be left out.

        Raises:
            UnclearId: there is none, or more than one.
        """
        text = f"mon-{beginning.lower().removeprefix('mon-')}"
        if not _MONITOR_ID.fullmatch(text):
            raise UnclearId(f"{beginning}: is no monitor id")
        return text if len(text) == _FULL_ID_CHARS else _only(text, self._monitor_ids(text))

    def _monitor_ids(self, beginning: str) -> Iterator[str]:
        for page in self.pages("/monitors"):
            ids = [monitor["monitor_id"] for monitor in page]
            yield from ids
            # Ids sort by time like the list, so all that follow are older than the one in question.
            if max(ids, default="") < beginning:
                return

    def find_destination_id(self, beginning: str) -> str:
        """Return the one id of a destination that begins so; `dst-` may be left out.

        Raises:
            UnclearId: there is none, or more than one.
        """
        return self._find_id("dst-", beginning, "/destinations", "destination_id")

    def find_silence_id(self, beginning: str) -> str:
        """Return the one id of a silence that begins so; as `find_destination_id`."""
        return self._find_id("sil-", beginning, "/silences", "silence_id")

    def find_incident_id(self, beginning: str) -> str:
        """Return the one id of an incident that begins so; as `find_destination_id`.

        A shortened id is looked for among the newest incidents, as many as the gateway counts.
        """
        return self._find_id("inc-", beginning, "/incidents", "incident_id")

    def _find_id(self, prefix: str, beginning: str, path: str, field: str) -> str:
        text = f"{prefix}{beginning.lower().removeprefix(prefix)}"
        if not _OTHER_ID.fullmatch(text):
            raise UnclearId(f"{beginning}: is no id that begins with {prefix}")
        if len(text) == _FULL_ID_CHARS:
            return text
        return _only(text, (each[field] for page in self.pages(path) for each in page))

    def find_event_id(self, monitor_id: str, beginning: str) -> str:
        """Return the one id of a monitor's event that begins so; `evt-` may be left out.

        Raises:
            UnclearId: there is none, or more than one.
        """
        text = f"evt-{beginning.lower().removeprefix('evt-')}"
        if len(text) == _FULL_ID_CHARS:
            return text
        pages = self.pages(f"/monitors/{monitor_id}/events")
        return _only(text, (event["event_id"] for page in pages for event in page))


@contextmanager
def open_gateway(url: str, data_dir: Path) -> Iterator[RestClient]:
    """Yield a client with the key that is at hand; its errors become exit codes."""
    try:
        client = RestClient(url, key("API_KEY", data_dir))
    except httpx.InvalidURL as error:
        fail(f"--url: {error}", MISUSED)
    except UnicodeEncodeError:
        fail("API_KEY: must be ASCII", MISUSED)
    try:
        with closing(client):
            yield client
    except GatewayRefused as error:
        fail(str(error), FAILED)
    except GatewayUnreachable as error:
        fail(str(error), UNREACHABLE)
    except UnclearId as error:
        fail(str(error), MISUSED)


def _only(beginning: str, ids: Iterator[str]) -> str:
    # A set: a page begins later when monitors are added while the list is read.
    found = sorted({each for each in ids if each.startswith(beginning)})
    if not found:
        raise UnclearId(f"{beginning}: no id begins so")
    if len(found) > 1:
        raise UnclearId(
            f"{beginning}: {len(found)} ids begin so, among them {', '.join(found[:3])}"
        )
    return found[0]


def _refusal(response: httpx.Response) -> GatewayRefused:
    try:
        error, wait = response.json()["error"], response.headers.get("Retry-After", "")
        return GatewayRefused(
            error["code"], error["message"], float(wait) if wait.isdecimal() else None
        )
    except (ValueError, KeyError, TypeError):
        return GatewayRefused(f"HTTP {response.status_code}", "the answer cannot be understood")
