"""Changing a monitor while it runs."""

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from api.monitor_engine import ChangeRefused, ChangeUnconfirmed, NotRunning, StartUnconfirmed
from api.store import StoreUnavailable
from monitors.config import MonitorConfig
from tests.testkit.gateway import Running, snapshot
from workflows.messages import MonitorChange

WANTED = {"config": {"blackout_threshold_sec": 45}, "metadata": {"shift": "night"}}


async def patch(gateway: Running, monitor_id: str, body: Any) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return await gateway.client.patch(f"/api/v1/monitors/{monitor_id}", content=content)


def code_of(answer: httpx.Response) -> str:
    code: str = answer.json()["error"]["code"]
    return code


@pytest.mark.parametrize("status", ["scheduled", "initializing", "waiting", "monitoring"])
async def test_a_change_goes_to_the_workflow_and_into_the_store(
    gateway: Running, status: str
) -> None:
    monitor_id = await gateway.created_id(
        config={"freeze_threshold_sec": 90}, metadata={"shift": "day"}
    )
    await gateway.report(monitor_id, status, datetime.now(UTC).isoformat())
    answer = await patch(gateway, monitor_id, WANTED)
    assert answer.status_code == 200, answer.text
    expected = MonitorChange(
        thresholds={"blackout_threshold_sec": 45.0}, metadata={"shift": "night"}
    )
    assert gateway.engine.changes == [(monitor_id, expected)]
    for shown in (answer.json(), await gateway.show(monitor_id)):
        assert shown["config"]["blackout_threshold_sec"] == 45
        assert shown["config"]["freeze_threshold_sec"] == 90
        assert shown["metadata"] == {"shift": "night"}


async def test_what_is_not_named_stays(gateway: Running) -> None:
    monitor_id = await gateway.created_id(metadata={"shift": "day"})
    await patch(gateway, monitor_id, {"config": {"suspend_threshold_sec": None}})
    ((_, change),) = gateway.engine.changes
    assert change == MonitorChange(thresholds={"suspend_threshold_sec": None}, metadata=None)
    assert (await gateway.show(monitor_id))["metadata"] == {"shift": "day"}


async def test_a_name_is_given_and_taken_back(gateway: Running) -> None:
    monitor_id = await gateway.created_id()
    await gateway.report(monitor_id, "monitoring", datetime.now(UTC).isoformat(), title="The title")
    for wanted, name in (("News 24", "News 24"), (None, "The title")):
        answer = await patch(gateway, monitor_id, {"name": wanted})
        assert answer.status_code == 200, answer.text
        assert answer.json()["name"] == name
        assert (await gateway.show(monitor_id))["name"] == name
    given, taken_back = (change for _, change in gateway.engine.changes)
    assert given == MonitorChange(name="News 24")
    assert taken_back == MonitorChange(name="")


@pytest.mark.parametrize("body", [{}, {"config": {}}])
async def test_a_change_of_nothing_disturbs_nothing(
    light_gateway: Running, body: dict[str, Any]
) -> None:
    monitor_id = await light_gateway.created_id()
    answer = await patch(light_gateway, monitor_id, body)
    assert (answer.status_code, answer.json()) == (200, await light_gateway.show(monitor_id))
    assert light_gateway.engine.changes == []


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        pytest.param(
            {"config": {"scheduled_end_time": "2030-01-01T00:00:00Z"}},
            "INVALID_CONFIG",
            "config.scheduled_end_time: cannot change while the monitor runs",
            id="no threshold",
        ),
        pytest.param(
            {"config": {"check_interval_sec": None}},
            "INVALID_CONFIG",
            "config.check_interval_sec: cannot change",
            id="no threshold, null",
        ),
        pytest.param(
            {"config": {"speed": 1}}, "INVALID_CONFIG", "config.speed: is not known", id="unknown"
        ),
        pytest.param(
            {"config": {"recovery_sec": -1}}, "INVALID_CONFIG", "config.recovery_sec", id="negative"
        ),
        pytest.param(
            {"config": {"recovery_sec": None}}, "INVALID_CONFIG", "config.recovery_sec", id="null"
        ),
        pytest.param({"config": None}, "INVALID_CONFIG", "config", id="config null"),
        pytest.param({"metadata": None}, "VALIDATION_ERROR", "metadata", id="metadata null"),
        pytest.param(
            {"metadata": {"a": "x" * 17_000}}, "VALIDATION_ERROR", "metadata: is", id="large"
        ),
        pytest.param({"stream_url": "https://h/x"}, "INVALID_URL", "stream_url", id="url"),
        pytest.param({"status": "stopped"}, "VALIDATION_ERROR", "status: is not known", id="other"),
        pytest.param(b"", "VALIDATION_ERROR", "body", id="empty"),
        pytest.param(b'{"metadata": {"n": NaN}}', "VALIDATION_ERROR", "metadata.n", id="NaN"),
    ],
)
async def test_a_bad_change_is_refused_before_the_workflow_hears_of_it(
    light_gateway: Running, body: Any, code: str, message: str
) -> None:
    monitor_id = await light_gateway.created_id()
    answer = await patch(light_gateway, monitor_id, body)
    assert (answer.status_code, code_of(answer)) == (400, code)
    assert answer.json()["error"]["message"].startswith(message)
    assert light_gateway.engine.changes == []


@pytest.mark.parametrize("status", ["completed", "error", "stopped"])
async def test_a_monitor_that_has_ended_cannot_be_changed(gateway: Running, status: str) -> None:
    monitor_id = await gateway.created_id()
    await gateway.report(monitor_id, status, datetime.now(UTC).isoformat())
    answer = await patch(gateway, monitor_id, WANTED)
    assert (answer.status_code, code_of(answer)) == (409, "MONITOR_NOT_ACTIVE")
    assert gateway.engine.changes == []


async def test_a_change_of_an_unknown_monitor_is_not_found(light_gateway: Running) -> None:
    answer = await patch(light_gateway, "mon-019a0b1c-2d3e-7f40-8a5b-6c7d8e9f0a1b", WANTED)
    assert (answer.status_code, code_of(answer)) == (404, "MONITOR_NOT_FOUND")


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        pytest.param(ChangeUnconfirmed("late"), 503, "ENGINE_UNAVAILABLE", id="no answer"),
        pytest.param(ChangeRefused("no"), 400, "INVALID_CONFIG", id="refused"),
        pytest.param(NotRunning("ended"), 409, "MONITOR_NOT_ACTIVE", id="ended meanwhile"),
    ],
)
async def test_what_the_workflow_does_not_take_is_not_stored(
    light_gateway: Running, error: Exception, status: int, code: str
) -> None:
    monitor_id = await light_gateway.created_id()
    before = await light_gateway.show(monitor_id)
    light_gateway.engine.change_error = error
    answer = await patch(light_gateway, monitor_id, WANTED)
    assert (answer.status_code, code_of(answer)) == (status, code)
    assert await light_gateway.show(monitor_id) == before


async def test_a_monitor_that_is_still_being_started_is_changed_later(
    light_gateway: Running,
) -> None:
    light_gateway.engine.start_error = StartUnconfirmed("no answer")
    monitor_id = await light_gateway.created_id()
    light_gateway.engine.change_error = NotRunning("unknown")
    answer = await patch(light_gateway, monitor_id, WANTED)
    assert (answer.status_code, code_of(answer)) == (503, "ENGINE_UNAVAILABLE")


async def test_a_change_that_the_store_missed_is_made_good_by_a_retry(
    gateway: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monitor_id = await gateway.created_id()

    async def away(*_: Any, **__: Any) -> None:
        raise StoreUnavailable("gone")

    with monkeypatch.context() as patched:
        patched.setattr(gateway.store.monitors, "change", away)
        answer = await patch(gateway, monitor_id, WANTED)
    assert (answer.status_code, code_of(answer)) == (503, "ENGINE_UNAVAILABLE")
    again = await patch(gateway, monitor_id, WANTED)
    assert again.status_code == 200
    assert (await gateway.show(monitor_id))["metadata"] == {"shift": "night"}


async def test_the_workflows_word_on_its_config_is_shown_and_kept(gateway: Running) -> None:
    monitor_id = await gateway.created_id()
    gateway.engine.snapshots[monitor_id] = snapshot(
        monitor_id, config=MonitorConfig(recovery_sec=9), metadata={"shift": "night"}, changes=1
    )
    shown = await gateway.show(monitor_id)
    assert (shown["config"]["recovery_sec"], shown["metadata"]) == (9, {"shift": "night"})
    del gateway.engine.snapshots[monitor_id]
    assert (await gateway.show(monitor_id))["config"] == shown["config"]


async def test_of_two_changes_the_one_that_the_workflow_took_last_is_kept(
    gateway: Running,
) -> None:
    monitor_id = await gateway.created_id()
    gateway.engine.change_gate = gate = asyncio.Event()
    first = asyncio.create_task(patch(gateway, monitor_id, {"metadata": {"number": 1}}))
    async with asyncio.timeout(30):
        while not gateway.engine.changes:
            await asyncio.sleep(0.01)
    gateway.engine.change_gate = None
    assert (await patch(gateway, monitor_id, {"metadata": {"number": 2}})).status_code == 200
    gate.set()
    assert (await first).status_code == 200
    assert (await gateway.show(monitor_id))["metadata"] == {"number": 2}
