"""An incident of a running service can be judged again from the capsule that it leaves."""

import asyncio
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from simulator.origin import ChannelOptions, Container
from tests.testkit.children import STREAM_TRACKER, Finished, run
from tests.testkit.programmes import EAGER, SHORT, rendered
from tests.testkit.receiver import Received
from tests.testkit.rest import Rest
from tests.testkit.scenario_runner import ScenarioRunner
from tests.testkit.waiting import until

pytestmark = pytest.mark.timeout(240)

NAME = "capsule"
SCENES = (("normal", 8.0), ("black", 8.0), ("normal", 4.0))
COMMAND_SEC = 90


@dataclass(frozen=True)
class Story:
    """What became of one blackout.

    Attributes:
        capsule: as the gateway serves it.
        verified, changed: what `capsule verify` said of it, and with another byte.
        replayed: what `capsule replay` said.
    """

    alert: Received
    evidence: dict[str, Any]
    capsule: bytes
    verified: Finished
    changed: Finished
    replayed: Finished


async def SCENARIO(runner: ScenarioRunner) -> Story:  # noqa: N802
    """Have a stream go black, fetch the capsule, verify it, and judge it again."""
    harness = await runner.harness()
    encoding = SHORT.model_copy(update={"container": Container.FMP4})
    programme = await rendered(runner.cache, encoding, *SCENES)
    channel = runner.origin.add(NAME, programme, options=ChannelOptions(encrypted=True))
    config = {**EAGER, "evidence": "capsule"}
    url = f"{channel.url}?token=hidden-in-the-query"
    monitor_id = await harness.rest.create(url, runner.receiver.url(NAME), config)
    await runner.receiver.until(NAME, "alert.blackout")
    alert = runner.receiver.events(NAME)
    (blackout,) = [each for each in alert if each.event_type == "alert.blackout"]
    evidence = await _until_ready(harness.rest, blackout.event["data"]["incident_id"])
    await harness.rest.stop(monitor_id)
    answer = await harness.rest.http.get(f"/evidence/{evidence['evidence_id']}")
    assert answer.status_code == 200, answer.text
    folder = runner.folder / NAME
    folder.mkdir()
    paths = [folder / "incident.zip", folder / "changed.zip"]
    paths[0].write_bytes(answer.content)
    paths[1].write_bytes(_changed(answer.content))
    by_key = ("--url", harness.rest.base_url)
    return Story(
        blackout,
        evidence,
        answer.content,
        *await asyncio.gather(
            _capsule(folder, "verify", paths[0], *by_key),
            _capsule(folder, "verify", paths[1], *by_key),
            _capsule(folder, "replay", paths[0]),
        ),
    )


async def _until_ready(rest: Rest, incident_id: str) -> dict[str, Any]:
    async def ready() -> dict[str, Any] | None:
        answer = await rest.http.get(f"/incidents/{incident_id}")
        listed = answer.json().get("evidence", [])
        capsules = [each for each in listed if each["kind"] == "capsule"]
        settled = [each for each in capsules if each["state"] != "pending"]
        return settled[0] if settled else None

    return await until(ready, f"the capsule of {incident_id}", within_sec=60)


async def _capsule(folder: Path, *arguments: str | Path) -> Finished:
    command = [STREAM_TRACKER, "capsule", *map(str, arguments), "--json"]
    here = {"PYTHONPATH": os.environ.get("PYTHONPATH", "")}
    return await run(command, folder, here, within_sec=COMMAND_SEC)


def _changed(capsule: bytes) -> bytes:
    place = len(capsule) // 3
    return capsule[:place] + bytes([capsule[place] ^ 1]) + capsule[place + 1 :]


def test_the_gateway_has_a_signed_capsule_of_the_incident(seen: Story) -> None:
    assert (seen.evidence["state"], seen.evidence["reason"]) == ("ready", None)
    assert seen.evidence["content_type"] == "application/zip"
    assert seen.verified.code == 0, seen.verified.out + seen.verified.err
    told = json.loads(seen.verified.out)
    assert told["incident_id"] == seen.alert.event["data"]["incident_id"]
    assert told["event_type"] == "alert.blackout"


def test_another_byte_is_found(seen: Story) -> None:
    assert seen.changed.code == 1, seen.changed.out + seen.changed.err


def test_it_is_judged_again_to_the_event_that_was_told(seen: Story) -> None:
    assert seen.replayed.code == 0, seen.replayed.out + seen.replayed.err
    told = json.loads(seen.replayed.out)
    assert (told["identical"], told["differences"], told["not_kept"]) == (True, [], 0)
    assert told["decoded"] >= 4
    alert = seen.alert.event["data"]
    own = {name: value for name, value in told["replayed"].items() if name != "evidence_url"}
    assert own == {name: value for name, value in alert.items() if name != "evidence_url"}


def test_it_tells_no_token(seen: Story) -> None:
    assert b"hidden-in-the-query" not in seen.capsule
