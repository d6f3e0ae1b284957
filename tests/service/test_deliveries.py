"""Receivers that are away or refuse, and what becomes of monitor and audit."""

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest

from simulator.origin import Channel
from tests.testkit.harness import SIGNING_KEY, ServiceHarness
from tests.testkit.programmes import EAGER, SHORT, rendered
from tests.testkit.receiver import Answer, Received, Receiver
from tests.testkit.scenario_runner import ScenarioRunner
from tests.testkit.waiting import until, until_true

pytestmark = pytest.mark.timeout(240)

ATTEMPTS = 4


@dataclass(frozen=True)
class Outcome:
    """What became of one monitor whose receiver had its moods."""

    condition: dict[str, Any]
    audit: list[dict[str, Any]]
    received: list[Received]
    types: list[str]

    @property
    def attempts(self) -> list[tuple[str, str, int]]:
        return [
            (each["event_type"], each["webhook_status"], each["webhook_attempts"])
            for each in self.audit
        ]


@dataclass(frozen=True)
class Deliveries:
    """Three receivers."""

    away: Outcome
    given_up: Outcome
    flaky: Outcome


async def SCENARIO(runner: ScenarioRunner) -> Deliveries:  # noqa: N802
    """Watch one stream per receiver; each stream blacks out soon and again later."""
    harness = await runner.harness()
    scenes = (("normal", 4.0), ("black", 6.0), ("normal", 14.0))
    programme = await rendered(runner.cache, SHORT, *scenes)
    channels = [runner.origin.add(name, programme) for name in ("away", "given-up", "flaky")]
    away, given_up, flaky = await asyncio.gather(
        _away(runner, harness, channels[0]),
        _given_up(runner, harness, channels[1]),
        _flaky(runner, harness, channels[2]),
    )
    return Deliveries(away=away, given_up=given_up, flaky=flaky)


async def _away(runner: ScenarioRunner, harness: ServiceHarness, channel: Channel) -> Outcome:
    """Let nobody listen until an event has failed for good and a fault was noticed meanwhile."""
    receiver = Receiver(SIGNING_KEY)
    config = {**EAGER, "on_delivery_failure": "continue"}
    monitor_id = await harness.rest.create(channel.url, receiver.url("away"), config)

    async def failed() -> bool:
        events = await harness.rest.events(monitor_id)
        return any(each["webhook_status"] == "failed" for each in events)

    async def noticed() -> dict[str, Any] | None:
        shown = await harness.rest.show(monitor_id)
        return shown if shown["statistics"]["blackout_events"] else None

    await until(failed, "a webhook that failed for good")
    condition = await until(noticed, "a blackout")
    await receiver.start()
    try:
        await receiver.until("away", "alert.blackout_recovered")
        audit = await harness.rest.until_audited(monitor_id, 3)
        await harness.rest.stop(monitor_id)
    finally:
        await receiver.stop()
    return _outcome(receiver, "away", condition, audit)


async def _given_up(runner: ScenarioRunner, harness: ServiceHarness, channel: Channel) -> Outcome:
    """Refuse every alert of a monitor that is to stop for it."""
    runner.receiver.answers["given-up"] = _refuse_alerts
    monitor_id = await harness.rest.create(channel.url, runner.receiver.url("given-up"), EAGER)
    condition = await harness.rest.until_status(monitor_id, "error", within_sec=60)
    audit = await harness.rest.until_audited(monitor_id, 2)
    return _outcome(runner.receiver, "given-up", condition, audit)


async def _flaky(runner: ScenarioRunner, harness: ServiceHarness, channel: Channel) -> Outcome:
    """Answer 500 to the first request of each event."""
    runner.receiver.answers["flaky"] = _refuse_first()
    monitor_id = await harness.rest.create(channel.url, runner.receiver.url("flaky"), EAGER)
    await runner.receiver.until("flaky", "alert.blackout_recovered")
    await until_true(lambda: len(runner.receiver.requests("flaky")) >= 6, "six requests")
    audit = await harness.rest.until_audited(monitor_id, 3)
    condition = await harness.rest.show(monitor_id)
    await harness.rest.stop(monitor_id)
    return _outcome(runner.receiver, "flaky", condition, audit)


async def _refuse_alerts(received: Received) -> int:
    return 503 if received.event_type.startswith("alert.") else 200


def _refuse_first() -> Answer:
    """Return an answer that refuses the first request of each event."""
    refused: set[str] = set()

    async def answer(received: Received) -> int:
        event_id = received.event["event_id"]
        if event_id in refused:
            return 200
        refused.add(event_id)
        return 500

    return answer


def _outcome(
    receiver: Receiver, name: str, condition: dict[str, Any], audit: list[dict[str, Any]]
) -> Outcome:
    return Outcome(condition, audit, receiver.requests(name), receiver.types(name))


def test_a_receiver_that_comes_back_gets_what_happens_from_then_on(seen: Deliveries) -> None:
    assert seen.away.types[-1] == "alert.blackout_recovered"
    assert seen.away.attempts[0] == ("stream.started", "failed", ATTEMPTS)
    assert seen.away.attempts[2][:2] == ("alert.blackout_recovered", "sent")


def test_monitoring_goes_on_while_a_receiver_is_away(seen: Deliveries) -> None:
    assert seen.away.condition["status"] == "monitoring"


def test_the_audit_says_why_a_webhook_failed(seen: Deliveries) -> None:
    assert "onnect" in seen.away.audit[0]["webhook_last_error"]
    assert "503" in seen.given_up.audit[1]["webhook_last_error"]


def test_a_refused_webhook_ends_a_monitor_that_is_to_stop_for_it(seen: Deliveries) -> None:
    assert seen.given_up.condition["status"] == "error"
    assert seen.given_up.condition["error_reason"] == "delivery_failed"
    assert seen.given_up.attempts[:2] == [
        ("stream.started", "sent", 1),
        ("alert.blackout", "failed", ATTEMPTS),
    ]


def test_nothing_is_sent_after_a_webhook_that_failed_for_good(seen: Deliveries) -> None:
    assert seen.given_up.types == ["stream.started", "alert.blackout"]
    assert {status for _, status, _ in seen.given_up.attempts[2:]} <= {"failed"}


def test_each_attempt_carries_the_same_event(seen: Deliveries) -> None:
    bodies: dict[str, set[bytes]] = {}
    for each in seen.flaky.received:
        bodies.setdefault(each.event["event_id"], set()).add(each.body)
    assert [len(each) for each in bodies.values()] == [1, 1, 1]
    assert len(seen.flaky.received) == 6


def test_events_keep_their_order_through_retries(seen: Deliveries) -> None:
    types = ["stream.started", "alert.blackout", "alert.blackout_recovered"]
    assert [each.event_type for each in seen.flaky.received] == [
        each for each in types for _ in range(2)
    ]
    assert seen.flaky.attempts == [(each, "sent", 2) for each in types]
