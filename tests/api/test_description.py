"""The description of the API, and that the service does what it says."""

import asyncio
import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from api.openapi import DEFAULT_FILE, PUBLIC_ROUTERS, describe, routed_app, text
from tests.api.schemathesis import SETTINGS
from tests.testkit.gateway import KEY, Running, running_gateway

ROOT = Path(__file__).parents[2]
EXAMPLES = 6
OPEN_TO_ALL = ["/api/v1/keys"]


@pytest.fixture(scope="module")
def description() -> dict[str, Any]:
    return describe(routed_app(*PUBLIC_ROUTERS))


def operations(description: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (method, path, operation)
        for path, methods in description["paths"].items()
        for method, operation in methods.items()
    ]


def test_the_kept_description_is_current() -> None:
    kept = (ROOT / DEFAULT_FILE).read_text()
    assert kept == text(routed_app(*PUBLIC_ROUTERS)), "write it again: python -m api.openapi"


@pytest.mark.parametrize("page", ["/docs", "/redoc"])
async def test_a_page_needs_nothing_from_another_host(light_gateway: Running, page: str) -> None:
    html = (await light_gateway.client.get(page)).text
    parts = re.findall(r'(?:src|href)="([^"]+)"', html) + re.findall(r"url: '([^']+)'", html)
    assert any(part.endswith(".js") for part in parts)
    for part in {*parts, "/openapi.json"}:
        assert part.startswith("/"), part
        answer = await light_gateway.client.get(part)
        assert answer.status_code == 200, part
        assert len(answer.content) > 1000, part


def test_every_call_under_api_v1_needs_a_key_and_tells_of_its_errors(
    description: dict[str, Any],
) -> None:
    for method, path, operation in operations(description):
        if not path.startswith("/api/v1") or path in OPEN_TO_ALL:
            assert "security" not in operation
            continue
        assert operation["security"] == [{"ApiKey": []}, {"Bearer": []}], (method, path)
        assert {"401", "429", "503"} <= set(operation["responses"])
        assert "Retry-After" in operation["responses"]["429"]["headers"]


def test_every_error_has_an_example_of_its_code(description: dict[str, Any]) -> None:
    told = {
        example["value"]["error"]["code"]
        for _, _, operation in operations(description)
        for response in operation["responses"].values()
        for example in response.get("content", {})
        .get("application/json", {})
        .get("examples", {})
        .values()
    }
    assert told == {
        "DESTINATION_NOT_FOUND",
        "SILENCE_NOT_FOUND",
        "VALIDATION_ERROR",
        "INVALID_URL",
        "INVALID_CONFIG",
        "UNAUTHORIZED",
        "FORBIDDEN",
        "MONITOR_NOT_FOUND",
        "EVENT_NOT_FOUND",
        "INCIDENT_NOT_FOUND",
        "SLATE_NOT_FOUND",
        "EVIDENCE_NOT_FOUND",
        "EVIDENCE_GONE",
        "PICTURE_NOT_FOUND",
        "STATUS_PAGE_NOT_FOUND",
        "DUPLICATE_MONITOR",
        "IDEMPOTENCY_CONFLICT",
        "MONITOR_NOT_ACTIVE",
        "CONFIRMATION_REQUIRED",
        "BODY_TOO_LARGE",
        "RATE_LIMIT_EXCEEDED",
        "MAX_MONITORS_EXCEEDED",
        "ENGINE_UNAVAILABLE",
    }


def test_nothing_of_the_framework_is_described(description: dict[str, Any]) -> None:
    whole = json.dumps(description)
    assert "HTTPValidationError" not in whole
    assert "4XX" not in whole
    assert "/internal" not in whole


@pytest.mark.timeout(300)
async def test_the_service_does_what_its_description_says(sqlite_url: str, tmp_path: Path) -> None:
    """Schemathesis: no 5xx, no answer that the description does not allow."""
    (tmp_path / "schemathesis.toml").write_text(SETTINGS)
    generous: dict[str, Any] = {
        "rate_limit_create": 10**6,
        "rate_limit_read": 10**6,
        "max_monitors": 10**4,
    }
    async with running_gateway(sqlite_url, **generous) as gateway:
        process = await asyncio.create_subprocess_exec(
            *(str(Path(sys.executable).parent / "schemathesis"), "run"),
            f"{gateway.client.base_url}/openapi.json",
            *("--header", f"X-API-Key: {KEY}"),
            *("--max-examples", str(EXAMPLES), "--seed", "1", "--no-shrink"),
            cwd=tmp_path,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
