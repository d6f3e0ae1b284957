"""Maintenance is announced: who is told of what begins in it, and what of that when it ends."""

from dataclasses import dataclass
from typing import Any

import pytest

from tests.testkit.programmes import EAGER, SHORT, rendered
from tests.testkit.receiver import Received
from tests.testkit.rest import Rest
from tests.testkit.scenario_runner import ScenarioRunner
from tests.testkit.waiting import until

pytestmark = pytest.mark.timeout(240)

NAME, DESTINATION = "silenced", "silenced-destination"
SCENES = (
    *(("normal", 4.0), ("black", 6.0), ("normal", 6.0), ("frozen", 14.0)),
    ("normal", 20.0),
)
TOLD = ["stream.started", "alert.freeze", "alert.freeze_recovered"]


@dataclass(frozen=True)
class Maintenance:
    """What was told at `callback_url` and to a destination, and what is on record."""

    callback: list[Received]
    destination: list[Received]
    audit: list[dict[str, Any]]
    incidents: list[dict[str, Any]]


async def SCENARIO(runner: ScenarioRunner) -> Maintenance:  # noqa: N802
    """Let one incident begin and end in a silence, and another one begin in it and outlive it."""
    rest, receiver = (await runner.harness()).rest, runner.receiver
    made = await rest.create_destination(receiver.url(DESTINATION))
    receiver.keys.append(made["secret"])
    silence_id = await rest.silence(labels={"maintained": "yes"}, note="New encoders")
    programme = await rendered(runner.cache, SHORT, *SCENES)
    monitor_id = await rest.create(
        runner.origin.add(NAME, programme).url,
        receiver.url(NAME),
        EAGER,
        labels={"maintained": "yes"},
        destinations=[made["destination_id"]],
    )
    await until_silenced(rest, monitor_id, "alert.freeze")
    await rest.end_silence(silence_id)
    for name in (NAME, DESTINATION):
        await receiver.until(name, TOLD[-1])
    audit = await rest.until_audited(monitor_id, 5)
    await rest.stop(monitor_id)
    return Maintenance(
        callback=receiver.events(NAME),
        destination=receiver.events(DESTINATION),
        audit=audit,
        incidents=await rest.incidents(monitor_id),
    )


async def until_silenced(rest: Rest, monitor_id: str, event_type: str) -> None:
    async def is_silenced() -> bool:
        return any(
            (each["event_type"], each["webhook_status"]) == (event_type, "silenced")
            for each in await rest.events(monitor_id)
        )

    await until(is_silenced, f"a silenced {event_type}", within_sec=90)


def test_what_began_and_ended_in_the_silence_is_told_to_nobody(seen: Maintenance) -> None:
    assert [each.event_type for each in seen.callback] == TOLD
    assert [each.event_type for each in seen.destination] == TOLD


def test_what_is_still_open_when_the_silence_ends_is_told_then(seen: Maintenance) -> None:
    for told in (seen.callback, seen.destination):
        opened, closed = (each.event["data"]["incident_id"] for each in told[1:])
        assert opened == closed == seen.incidents[0]["incident_id"]


def test_the_numbers_of_what_was_not_told_are_missing(seen: Maintenance) -> None:
    assert [each.event["sequence"] for each in seen.callback] == [1, 4, 5]


def test_the_audit_says_so(seen: Maintenance) -> None:
    assert [(each["event_type"], each["webhook_status"]) for each in seen.audit[:5]] == [
        ("stream.started", "sent"),
        ("alert.blackout", "silenced"),
        ("alert.blackout_recovered", "silenced"),
        ("alert.freeze", "sent"),
        ("alert.freeze_recovered", "sent"),
    ]


def test_incidents_are_recorded_as_silenced(seen: Maintenance) -> None:
    assert [(each["kind"], each["silenced"]) for each in seen.incidents] == [
        ("freeze", True),
        ("blackout", True),
    ]
