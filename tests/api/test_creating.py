"""Creating monitors: what is answered, and what never happens twice."""

import asyncio
from typing import Any

import httpx
import pytest

from api.monitor_engine import EngineUnavailable, StartUnconfirmed
from monitors.random_ids import is_monitor_id
from monitors.status import MonitorStatus
from tests.testkit.gateway import OTHER_KEY, Running, order, running_gateway


def codes(answers: list[httpx.Response]) -> list[int]:
    return sorted(answer.status_code for answer in answers)


def code_of(answer: httpx.Response) -> str:
    code: str = answer.json()["error"]["code"]
    return code


async def listed(gateway: Running) -> list[dict[str, Any]]:
    monitors: list[dict[str, Any]] = (await gateway.client.get("/api/v1/monitors")).json()[
        "monitors"
    ]
    return monitors


async def test_a_created_monitor_has_its_workflow_started_with_all_that_was_given(
    gateway: Running,
) -> None:
    answer = await gateway.create(
        config={"blackout_threshold_sec": 12}, metadata={"name": "ünïcødé", "deep": [{"a": None}]}
    )
    assert answer.status_code == 201
    created = answer.json()
    assert is_monitor_id(created["monitor_id"])
    assert created["status"] == "initializing"
    assert answer.headers["location"] == f"/api/v1/monitors/{created['monitor_id']}"
    (started,) = gateway.engine.started
    assert started.monitor_id == created["monitor_id"]
    assert started.stream_key.startswith("url:media.example#")
    assert started.config.blackout_threshold_sec == 12
    assert started.metadata == {"name": "ünïcødé", "deep": [{"a": None}]}
    shown = await gateway.show(created["monitor_id"])
    assert shown["metadata"] == started.metadata
    assert shown["config"]["blackout_threshold_sec"] == 12
    assert shown["config"]["freeze_threshold_sec"] == 60
    assert shown["created_at"] == created["created_at"]


async def test_a_dash_manifest_is_a_stream(gateway: Running) -> None:
    answer = await gateway.create(stream_url="https://media.example/live/x.mpd?token=secret")
    assert answer.status_code == 201, answer.text
    (started,) = gateway.engine.started
    assert started.stream_key.startswith("url:media.example#")
    assert "secret" not in started.stream_key


async def test_of_a_hundred_creations_of_one_stream_one_succeeds(gateway: Running) -> None:
    answers = await asyncio.gather(
        *(gateway.create(metadata={"n": number}) for number in range(100))
    )
    assert codes(answers) == [201] + [409] * 99
    winner = next(answer.json()["monitor_id"] for answer in answers if answer.status_code == 201)
    for refused in (answer.json()["error"] for answer in answers if answer.status_code == 409):
        assert refused["code"] == "DUPLICATE_MONITOR"
        assert refused["monitor_id"] == winner
        assert winner in refused["message"]
    assert len(gateway.engine.started) == 1


async def test_no_more_monitors_than_the_maximum_are_ever_active(database_url: str) -> None:
    async with running_gateway(database_url, max_monitors=5) as gateway:
        answers = await asyncio.gather(
            *(
                gateway.create(stream_url=f"https://media.example/{number}.m3u8")
                for number in range(20)
            )
        )
        assert codes(answers) == [201] * 5 + [429] * 15
        refused = next(answer for answer in answers if answer.status_code == 429)
        assert code_of(refused) == "MAX_MONITORS_EXCEEDED"
        stopped = await gateway.client.delete(f"/api/v1/monitors/{await first_id(gateway)}")
        assert stopped.status_code == 200
        assert (await gateway.create()).status_code == 201


async def first_id(gateway: Running) -> str:
    monitor_id: str = (await listed(gateway))[0]["monitor_id"]
    return monitor_id


async def test_two_gateways_on_one_database_agree_on_duplicates(postgres_url: str) -> None:
    async with running_gateway(postgres_url) as one, running_gateway(postgres_url) as other:
        answers = await asyncio.gather(*(which.create() for which in [one, other] * 10))
        assert codes(answers) == [201] + [409] * 19


async def test_a_stream_can_be_watched_again_after_its_monitor_ended(gateway: Running) -> None:
    first = await gateway.created_id()
    await gateway.report(first, "completed", "2026-01-01T00:00:00Z")
    second = await gateway.created_id()
    assert second != first


async def test_an_idempotency_key_gives_the_same_answer_again(gateway: Running) -> None:
    headers = {"Idempotency-Key": "order-1"}
    answers = [
        await gateway.client.post("/api/v1/monitors", json=order(), headers=headers),
        await gateway.client.post(
            "/api/v1/monitors",
            content=b'{"callback_url": "https://receiver.example/hook",\n'
            b'"stream_url": "https://media.example/live/index.m3u8"}',
            headers=headers,
        ),
    ]
    assert codes(answers) == [201, 201]
    assert answers[0].content == answers[1].content
    assert answers[0].headers["location"] == answers[1].headers["location"]
    assert len(gateway.engine.started) == 1


async def test_an_idempotency_key_with_another_body_is_a_conflict(gateway: Running) -> None:
    headers = {"Idempotency-Key": "order-1"}
    await gateway.client.post("/api/v1/monitors", json=order(), headers=headers)
    answer = await gateway.client.post(
        "/api/v1/monitors", json=order(metadata={"other": 1}), headers=headers
    )
    assert answer.status_code == 409
    assert code_of(answer) == "IDEMPOTENCY_CONFLICT"


async def test_idempotency_keys_of_different_clients_are_different(gateway: Running) -> None:
    headers = {"Idempotency-Key": "order-1"}
    await gateway.client.post("/api/v1/monitors", json=order(), headers=headers)
    answer = await gateway.client.post(
        "/api/v1/monitors",
        json=order(stream_url="https://media.example/other.m3u8"),
        headers={**headers, "X-API-Key": OTHER_KEY},
    )
    assert answer.status_code == 201


async def test_concurrent_requests_with_one_idempotency_key_get_one_monitor(
    gateway: Running,
) -> None:
    answers = await asyncio.gather(
        *(
            gateway.client.post(
                "/api/v1/monitors", json=order(), headers={"Idempotency-Key": "order-1"}
            )
            for _ in range(10)
        )
    )
    assert codes(answers) == [201] * 10
    assert len({answer.content for answer in answers}) == 1
    assert len(gateway.engine.started) == 1


@pytest.mark.parametrize("key", ["", "x" * 256, "tab\there"])
async def test_a_bad_idempotency_key_is_refused(light_gateway: Running, key: str) -> None:
    answer = await light_gateway.client.post(
        "/api/v1/monitors", json=order(), headers={"Idempotency-Key": key}
    )
    assert answer.status_code == 400
    assert code_of(answer) == "VALIDATION_ERROR"
    assert "Idempotency-Key" in answer.json()["error"]["message"]


async def test_nothing_stays_of_a_monitor_that_the_engine_never_started(gateway: Running) -> None:
    gateway.engine.start_error = EngineUnavailable("connection refused")
    headers = {"Idempotency-Key": "order-1"}
    answer = await gateway.client.post("/api/v1/monitors", json=order(), headers=headers)
    assert answer.status_code == 503
    assert code_of(answer) == "ENGINE_UNAVAILABLE"
    assert await listed(gateway) == []

    gateway.engine.start_error = None
    again = await gateway.client.post("/api/v1/monitors", json=order(), headers=headers)
    assert again.status_code == 201


async def test_those_who_share_a_key_with_a_failed_creation_learn_of_its_failure(
    light_gateway: Running,
) -> None:
    engine = light_gateway.engine
    engine.start_error, engine.gate = EngineUnavailable("down"), asyncio.Event()
    requests = [
        asyncio.create_task(
            light_gateway.client.post(
                "/api/v1/monitors", json=order(), headers={"Idempotency-Key": "order-1"}
            )
        )
        for _ in range(3)
    ]
    while not await listed(light_gateway):
        await asyncio.sleep(0)
    engine.gate.set()
    assert codes(await asyncio.gather(*requests)) == [503] * 3
    assert await listed(light_gateway) == []


async def test_an_unconfirmed_start_keeps_the_monitor_for_the_reconciler(gateway: Running) -> None:
    gateway.engine.start_error = StartUnconfirmed("no answer")
    monitor_id = await gateway.created_id()
    record = await gateway.store.monitors.find(monitor_id)
    assert record
    assert record.status is MonitorStatus.INITIALIZING
    assert record.workflow_started_at is None
    assert code_of(await gateway.create()) == "DUPLICATE_MONITOR"


async def test_a_monitor_stopped_while_it_is_started_does_not_run_on(
    light_gateway: Running,
) -> None:
    engine = light_gateway.engine
    engine.gate = asyncio.Event()
    creation = asyncio.create_task(light_gateway.create())
    while not await listed(light_gateway):
        await asyncio.sleep(0)
    monitor_id = await first_id(light_gateway)
    await light_gateway.client.delete(f"/api/v1/monitors/{monitor_id}")
    engine.cancelled.clear()
    engine.gate.set()
    assert (await creation).status_code == 201
    assert engine.cancelled == [monitor_id]
    assert (await light_gateway.show(monitor_id))["status"] == "stopped"
