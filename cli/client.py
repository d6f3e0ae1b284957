"""The gateway's REST API, as the command line uses it."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from cli.embedded.generated_keys import FILE_NAME, provided_keys

TIMEOUT_SEC = 15.0


class GatewayRefused(Exception):
    """The gateway said no; the message is its own."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


class GatewayUnreachable(Exception):
    """The gateway does not answer."""


class GatewayClient:
    """Calls the gateway."""

    def __init__(self, base_url: str, api_key: str) -> None:
        self._base_url = base_url
        self._http = httpx.Client(
            base_url=f"{base_url.rstrip('/')}/api/v1",
            headers={"X-API-Key": api_key},
            timeout=TIMEOUT_SEC,
            trust_env=False,
        )

    def call(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Make one call and return its JSON.

        Raises:
            GatewayRefused: an error answer.
            GatewayUnreachable: no answer.
        """
        try:
            response = self._http.request(method, path, json=body, params=query)
        except httpx.HTTPError as error:
            raise GatewayUnreachable(f"{self._base_url} does not answer: {error}") from None
        if response.is_success:
            answer: dict[str, Any] = response.json()
            return answer
        raise _refusal(response)


def find_api_key(data_dir: Path) -> str:
    """Return the API key: from the environment, else that of the embedded mode in `data_dir`."""
    given = os.environ.get("API_KEY", "").partition(",")[0].strip()
    return given or provided_keys(data_dir / FILE_NAME).get("API_KEY", "")


def _refusal(response: httpx.Response) -> GatewayRefused:
    try:
        error = response.json()["error"]
        return GatewayRefused(error["code"], error["message"])
    except (ValueError, KeyError, TypeError):
        return GatewayRefused(f"HTTP {response.status_code}", "no answer that we understand")
