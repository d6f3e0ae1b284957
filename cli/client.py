"""The gateway's REST API, as the command line uses it."""

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx

from cli.command import FAILED, MISUSED, UNREACHABLE, fail, key

TIMEOUT_SEC = 15.0
PAGE = 200

ACTIVE = ("initializing", "scheduled", "waiting", "monitoring")
"""In the order of a life: a monitor that moves on between two calls is seen twice, not never."""

_PREFIXES = {
    "monitor": "mon-",
    "destination": "dst-",
    "silence": "sil-",
    "incident": "inc-",
    "event": "evt-",
}
_FULL_ID_CHARS = 40


class GatewayRefused(Exception):
    """The gateway refused a request; the message is its own."""

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

        What is None or empty in the query is left out.

        Raises:
            GatewayRefused: an error answer.
            GatewayUnreachable: no answer.
        """
        response = self._request(method, path, json=body, params=_given(query))
        answer: dict[str, Any] = response.json() if response.content else {}
        return answer

    def upload(self, path: str, content: bytes) -> None:
        """Put a file; raises as `call`."""
        self._request("PUT", path, content=content)

    def text(self, path: str, query: Mapping[str, Any]) -> str:
        """Return an answer that is no JSON; else as `call`."""
        return self._request("GET", path, params=_given(query)).text

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

    def all(self, path: str, **query: Any) -> list[dict[str, Any]]:
        return [each for page in self.pages(path, **query) for each in page]

    def active_monitors(self, **query: Any) -> list[dict[str, Any]]:
        found = (self.all("/monitors", status=status, **query) for status in ACTIVE)
        return [*{each["monitor_id"]: each for some in found for each in some}.values()]

    def find_id(self, path: str, beginning: str) -> str:
        """Return the one id that begins so, of what `path` lists; its prefix may be left out.

        A shortened id of an incident is looked for among the newest, as many as the gateway counts.
        Raises UnclearId where there is none, or more than one.
        """
        kind = path.rpartition("/")[2].removesuffix("s")
        prefix = _PREFIXES[kind]
        text = prefix + beginning.lower().removeprefix(prefix)
        if not re.fullmatch(prefix + "[0-9a-f-]{1,36}", text):
            raise UnclearId(f"{beginning}: is not a valid {kind} id")
        return text if len(text) == _FULL_ID_CHARS else _only(text, self._ids(path, kind, text))

    def find_path(self, path: str, beginning: str) -> str:
        return f"{path}/{self.find_id(path, beginning)}"

    def _ids(self, path: str, kind: str, beginning: str) -> Iterator[str]:
        for page in self.pages(path):
            ids = [each[f"{kind}_id"] for each in page]
            yield from ids
            # Their ids sort by time, like the list: all that follow are older.
            if kind == "monitor" and max(ids, default="") < beginning:
                return


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


def _given(query: Mapping[str, Any] | None) -> dict[str, Any]:
    return {name: value for name, value in (query or {}).items() if value or value == 0}


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
