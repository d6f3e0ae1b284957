"""`stream-tracker monitors stop --label`: what is stopped is shown first."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from typer.testing import CliRunner

from cli.main import app
from tests.testkit.gateway import KEY, Running, running_gateway

LABEL = ("--label", "team:sport")


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Running]:
    async with running_gateway(f"sqlite:///{tmp_path}/gateway.db") as gateway:
        for number, team in enumerate(("sport", "sport", "news")):
            url = f"https://media.example/{number}.m3u8"
            await gateway.create(stream_url=url, name=f"{team} {number}", labels={"team": team})
        yield gateway


async def stop(gateway: Running, *arguments: str, answer: str = "") -> tuple[int, str]:
    """Run the command, answering its question; return exit code and output."""
    command = ["monitors", "stop", "--url", str(gateway.client.base_url), *arguments]
    runner = CliRunner(env={"API_KEY": KEY})
    with capture_logs():  # those of the gateway, which is in this process
        done = await asyncio.to_thread(lambda: runner.invoke(app, command, input=answer))
    return done.exit_code, done.output


@pytest.mark.parametrize(("answer", "code", "stopped"), [("y\n", 0, 2), ("n\n", 1, 0)])
async def test_all_of_a_label_are_stopped_when_the_user_agrees(
    gateway: Running, answer: str, code: int, stopped: int
) -> None:
    exit_code, output = await stop(gateway, *LABEL, answer=answer)
    assert exit_code == code
    assert "sport 0" in output
    assert "sport 1" in output
    assert "news" not in output
    assert "Stop these 2 monitors?" in output
    assert len(gateway.engine.cancelled) == stopped


async def test_nothing_is_asked_where_nothing_has_the_label(gateway: Running) -> None:
    assert await stop(gateway, "--label", "team:none") == (0, "0 stopped\n")


async def test_a_number_that_is_wrong_stops_nothing(gateway: Running) -> None:
    exit_code, output = await stop(gateway, *LABEL, "--confirm", "3")
    assert (exit_code, gateway.engine.cancelled) == (1, [])
    assert "2 monitors would be stopped" in output
    exit_code, output = await stop(gateway, *LABEL, "--confirm", "2")
    assert (exit_code, output.splitlines()[0]) == (0, "2 stopped")


@pytest.mark.parametrize("arguments", [(), ("mon-1", *LABEL)])
async def test_either_a_monitor_or_a_label_is_named(
    gateway: Running, arguments: tuple[str, ...]
) -> None:
    exit_code, _ = await stop(gateway, *arguments)
    assert (exit_code, gateway.engine.cancelled) == (2, [])
