"""Alerts on a real Alertmanager (Debian's `prometheus-alertmanager`)."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from media.outbound.client import webhook_client
from media.outbound.guard import OutboundGuard
from notifications.alertmanager import alerts_of, labels_of, send_to_alertmanager
from notifications.notification import Subject
from notifications.sending import Sent
from tests.notifications.http_service import HttpService
from tests.notifications.samples import incident, notification
from tests.testkit.ports import free_port
from tests.testkit.waiting import until

PROGRAM = shutil.which("prometheus-alertmanager")
needs_alertmanager = pytest.mark.skipif(
    PROGRAM is None, reason="prometheus-alertmanager is not installed"
)

# One that resolves what nobody repeats after 2 s, as a real one does after 5 min.
CONFIG = """
global: {resolve_timeout: 2s}
route: {receiver: nobody}
receivers: [{name: nobody}]
"""


@pytest.fixture
async def url(tmp_path: Path) -> AsyncIterator[str]:
    assert PROGRAM is not None
    (tmp_path / "config.yml").write_text(CONFIG)
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        PROGRAM,
        f"--config.file={tmp_path / 'config.yml'}",
        f"--storage.path={tmp_path / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
        stderr=asyncio.subprocess.DEVNULL,
    )
    base = f"http://127.0.0.1:{port}"
    try:
        await until(lambda: _is_ready(base), "Alertmanager is ready")
        yield base
    finally:
        process.terminate()
        await process.wait()


async def _is_ready(base: str) -> bool:
    async with httpx.AsyncClient() as client:
        try:
            return (await client.get(f"{base}/-/ready")).status_code == 200
        except httpx.HTTPError:
            return False


async def _alerts(base: str) -> list[dict[str, Any]]:
    async with httpx.AsyncClient() as client:
        alerts: list[dict[str, Any]] = (await client.get(f"{base}/api/v2/alerts")).json()
        return alerts


def _now(**fields: Any) -> Subject:
    return incident(started_at=datetime.now(UTC) - timedelta(seconds=30), **fields)


@needs_alertmanager
async def test_an_alert_stays_without_being_repeated_and_ends_with_its_recovery(url: str) -> None:
    now = datetime.now(UTC)
    async with webhook_client(OutboundGuard(True)) as client:
        send = partial(send_to_alertmanager, client)
        subject = _now(labels={"team": "news", "site/room": "osaka 1"})
        assert await send(url, notification(subject, at=now)) is Sent.DELIVERED
        [alert] = await _alerts(url)
        assert alert["labels"] == {
            "alertname": "StreamBlackout",
            "monitor_id": "mon-0191",
            "name": "News 24",
            "severity": "critical",
            "team": "news",
            "site_room": "osaka 1",
        }
        assert alert["annotations"]["incident_id"] == "inc-7"
        assert alert["generatorURL"] == "https://tracker.example/incidents/inc-7"

        # What nobody repeats: one without an end goes after `resolve_timeout`, ours stays.
        error = _now(event_type="monitor.error", kind=None, incident_id=None)
        assert await send(url, notification(error, state="event", at=now)) is Sent.DELIVERED
        assert len(await _alerts(url)) == 2
        await until(lambda: _has(url, "StreamBlackout"), "the error ends by itself")

        reminder = notification(subject, state="reminder", at=now + timedelta(seconds=1))
        assert await send(url, reminder) is Sent.DELIVERED
        # Renamed and relabelled meanwhile.
        changed: dict[str, Any] = {"name": "News", "labels": {}, "opened_name": subject.name}
        changed |= {"opened_labels": subject.labels, "ended_at": datetime.now(UTC)}
        ended = subject.model_copy(update=changed)
        closed = notification(ended, state="closed", at=datetime.now(UTC))
        assert await send(url, closed) is Sent.DELIVERED
        await until(lambda: _has(url), "the alert is resolved")


async def _has(url: str, *names: str) -> bool:
    return [each["labels"]["alertname"] for each in await _alerts(url)] == [*names]


@needs_alertmanager
async def test_a_group_is_an_alert_for_each_of_its_monitors(url: str) -> None:
    subjects = [_now(monitor_id=f"mon-{number}") for number in range(1000)]
    group = notification(*subjects, at=datetime.now(UTC), thread_id="grp-1")
    async with webhook_client(OutboundGuard(True)) as client:
        assert await send_to_alertmanager(client, url, group) is Sent.DELIVERED
    assert len(await _alerts(url)) == 1000


@needs_alertmanager
async def test_a_test_arrives(url: str) -> None:
    test = notification(state="test", subjects=(), at=datetime.now(UTC))
    async with webhook_client(OutboundGuard(True)) as client:
        assert await send_to_alertmanager(client, url, test) is Sent.DELIVERED
    assert await _has(url, "StreamTrackerTest")


async def test_credentials_go_into_a_header(
    client: httpx.AsyncClient, service: HttpService
) -> None:
    url = f"http://user:pa%3Ass@127.0.0.1:{service.port}/prefix/"
    assert await send_to_alertmanager(client, url, notification()) is Sent.DELIVERED
    assert service.posts[0][0] == "/prefix/api/v2/alerts"
    assert service.headers["authorization"] == "Basic dXNlcjpwYTpzcw=="


async def test_what_is_no_alert_is_left_out(
    client: httpx.AsyncClient, service: HttpService
) -> None:
    started = incident(event_type="stream.started", kind=None, severity=None)
    url = f"http://127.0.0.1:{service.port}"
    for told in (notification(started, state="event"), notification(state="acknowledged")):
        assert alerts_of(told) == []
        assert await send_to_alertmanager(client, url, told) is Sent.SKIPPED
    assert service.posts == []


def test_an_alert_whose_monitor_failed_is_left_open() -> None:
    failed, stopped = (incident(monitor_ended_as=status) for status in ("error", "stopped"))
    assert len(alerts_of(notification(failed, stopped, state="closed"))) == 1


def test_labels_named_like_ours_stay_apart() -> None:
    labels = labels_of(incident(labels={"name": "x", "24h": "yes", "a.b-c": "1", "empty": ""}))
    assert labels["name"] == "News 24"
    assert labels["label_name"] == "x"
    assert labels["label_24h"] == "yes"
    assert labels["a_b_c"] == "1"
    assert "empty" not in labels
