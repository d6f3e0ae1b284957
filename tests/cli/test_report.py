"""`stream-tracker report`: a table, JSON or CSV."""

import asyncio
import csv
import io
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from typer.testing import CliRunner

from cli.main import app
from tests.testkit.gateway import KEY, Running, running_gateway


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Running]:
    async with running_gateway(f"sqlite:///{tmp_path}/gateway.db") as gateway:
        for team in ("sport", "news"):
            url = f"https://media.example/{team}.m3u8"
            await gateway.create(stream_url=url, name=f"={team}", labels={"team": team})
        yield gateway


async def report(gateway: Running, *arguments: str) -> tuple[int, str]:
    command = ["report", "--url", str(gateway.client.base_url), *arguments]
    runner = CliRunner(env={"API_KEY": KEY})
    with capture_logs():  # those of the gateway, which is in this process
        done = await asyncio.to_thread(lambda: runner.invoke(app, command))
    return done.exit_code, done.output


async def test_a_report_is_a_table_json_or_csv(gateway: Running) -> None:
    code, text = await report(gateway, "--label", "team:news")
    assert code == 0
    assert text.splitlines()[1].split()[:4] == ["=news", "-", "-", "0:00:00"]
    assert len(text.splitlines()) == 2
    _, text = await report(gateway, "--json")
    assert [each["name"] for each in json.loads(text)["monitors"]] == ["=sport", "=news"]
    _, text = await report(gateway, "--csv")
    assert [each["name"] for each in csv.DictReader(io.StringIO(text))] == ["'=sport", "'=news"]


async def test_what_the_gateway_refuses_is_one_line(gateway: Running) -> None:
    code, text = await report(gateway, "--from", "yesterday")
    assert code == 1
    assert text.startswith("VALIDATION_ERROR: from: must be an ISO 8601 time")
