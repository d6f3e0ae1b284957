"""The `stream-tracker` command against a running service and without one."""

import asyncio
import json
import signal
import time
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from monitors.webhook_signing import signature_headers
from simulator.origin import AtEnd, ChannelOptions
from tests.testkit.children import STREAM_TRACKER, Child, Finished, run
from tests.testkit.harness import API_KEY, SIGNING_KEY
from tests.testkit.ports import free_port
from tests.testkit.programmes import EAGER, SHORT, rendered
from tests.testkit.scenario_runner import ScenarioRunner
from tests.testkit.waiting import until_true

pytestmark = pytest.mark.timeout(240)

FAILED, MISUSED, UNREACHABLE, INTERRUPTED = 1, 2, 3, 130
NOBODY = "mon-019a0b1c-2d3e-7f40-8a5b-6c7d8e9f0a1b"


@dataclass(frozen=True)
class Receipts:
    """What `stream-tracker receiver` answered and printed."""

    statuses: list[int]
    lines: list[dict[str, Any]]
    code: int | None


@dataclass(frozen=True)
class Commands:
    """What each command did, by what it was."""

    stream_url: str
    done: dict[str, Finished]
    watch: Finished
    receipts: Receipts

    def json(self, name: str) -> Any:
        return json.loads(self.done[name].out)


async def SCENARIO(runner: ScenarioRunner) -> Commands:  # noqa: N802
    """Use every command beside each other."""
    monitors, watch, receipts = await asyncio.gather(
        _use_monitors(runner), _watch(runner), _receive(runner)
    )
    stream_url, done = monitors
    done["watch | head"] = watch[1]
    return Commands(stream_url=stream_url, done=done, watch=watch[0], receipts=receipts)


async def _use_monitors(runner: ScenarioRunner) -> tuple[str, dict[str, Finished]]:
    harness = await runner.harness()
    url = runner.origin.add("commands", await rendered(runner.cache, SHORT, ("normal", 10))).url
    service = {"STREAM_TRACKER_URL": harness.rest.base_url, "API_KEY": API_KEY}
    nowhere = {**service, "STREAM_TRACKER_URL": f"http://127.0.0.1:{free_port()}"}

    async def monitors(*arguments: str, **variables: str) -> Finished:
        command = [STREAM_TRACKER, "monitors", *arguments]
        return await run(command, runner.folder, variables or service)

    done: dict[str, Finished] = {}
    add = ("add", url, runner.receiver.url("commands"), "--config", json.dumps(EAGER))
    done["add"] = await monitors(*add)
    monitor_id = done["add"].out.strip()
    await runner.receiver.until("commands", "stream.started")
    done["add again"] = await monitors(*add)
    looks = {
        "list": ("list",),
        "list --json": ("list", "--status", "monitoring", "--json"),
        "show": ("show", monitor_id),
        "show --json": ("show", monitor_id, "--json"),
        "show short": ("show", monitor_id.removeprefix("mon-")[:13]),
        "show unclear": ("show", "mon-ffff"),
        "events": ("events", monitor_id),
        "events --json": ("events", monitor_id, "--json"),
        "show nobody": ("show", NOBODY),
        "bad config": (*add[:3], "--config", "{"),
    }
    for name, arguments in looks.items():
        done[name] = await monitors(*arguments)
    done["wrong key"] = await monitors("list", **{**service, "API_KEY": "wrong"})
    done["no key"] = await monitors("list", STREAM_TRACKER_URL=harness.rest.base_url)
    done["no service"] = await monitors("list", **nowhere)
    top = Child("top", [STREAM_TRACKER, "top"], runner.folder, **service)
    try:
        await until_true(lambda: monitor_id in top.said, "the monitor in top")
        done["stop"] = await monitors("stop", monitor_id)
        done["stop --json"] = await monitors("stop", monitor_id, "--json")
        await until_true(lambda: f"{monitor_id}  ended" in top.said, "its end in top")
        await top.stop(signal.SIGINT)
        done["top"] = Finished(top.code or 0, top.said, "")
    finally:
        top.discard()
    return url, done


async def _watch(runner: ScenarioRunner) -> tuple[Finished, Finished]:
    scenes = (("normal", 3.0), ("black", 5.0), ("normal", 8.0))
    programme = await rendered(runner.cache, SHORT, *scenes)
    options = ChannelOptions(at_end=AtEnd.END, window_segments=20)
    url = runner.origin.add("watched", programme, options=options).url
    command = [STREAM_TRACKER, "watch", url, "--json", "--blackout", "3"]
    whole = await run(command, runner.folder, within_sec=60)
    live = runner.origin.add("watched-by-head", programme).url
    piped = ["/bin/sh", "-c", f"{STREAM_TRACKER} watch {live} --json | head -n 1"]
    return whole, await run(piped, runner.folder, within_sec=60)


async def _receive(runner: ScenarioRunner) -> Receipts:
    """Send a receiver that refuses its first request two genuine webhooks and a forged one."""
    port = free_port()
    command = [STREAM_TRACKER, "receiver", "--port", str(port), "--fail-first", "1", "--json"]
    child = Child("receiver", command, runner.folder, WEBHOOK_SIGNING_KEY=SIGNING_KEY)
    try:
        await until_true(lambda: "Receiving webhooks at" in child.said, "the receiver")
        statuses = [await _post(port, key) for key in (SIGNING_KEY, SIGNING_KEY, "forged")]
        await child.stop(signal.SIGINT)
    finally:
        child.discard()
    lines = [json.loads(line) for line in child.said.splitlines() if line.startswith("{")]
    return Receipts(statuses=statuses, lines=lines, code=child.code)


async def _post(port: int, key: str) -> int:
    body = b'{"event_type":"stream.started"}'
    headers = signature_headers(
        [key.encode()], event_id="evt-1", body=body, attempt_at=int(time.time())
    )
    async with httpx.AsyncClient(trust_env=False, timeout=10) as http:
        answer = await http.post(f"http://127.0.0.1:{port}/hook", content=body, headers=headers)
    return answer.status_code


@pytest.mark.parametrize(
    ("name", "code"),
    [
        pytest.param("add", 0, id="done"),
        pytest.param("add again", FAILED, id="refused"),
        pytest.param("show nobody", FAILED, id="not-found"),
        pytest.param("show short", 0, id="shortened"),
        pytest.param("show unclear", MISUSED, id="no-such-id"),
        pytest.param("wrong key", FAILED, id="wrong-key"),
        pytest.param("bad config", MISUSED, id="misused"),
        pytest.param("no key", MISUSED, id="no-key"),
        pytest.param("no service", UNREACHABLE, id="no-service"),
    ],
)
def test_exit_codes_say_how_it_went(seen: Commands, name: str, code: int) -> None:
    assert seen.done[name].code == code, seen.done[name]
    if code:
        assert len(seen.done[name].err.strip().splitlines()) == 1


def test_add_prints_the_id_alone(seen: Commands) -> None:
    assert seen.done["add"].out.startswith("mon-")
    assert len(seen.done["add"].out.split()) == 1


def test_a_refusal_names_its_code(seen: Commands) -> None:
    assert "DUPLICATE_MONITOR" in seen.done["add again"].err
    assert "MONITOR_NOT_FOUND" in seen.done["show nobody"].err
    assert "UNAUTHORIZED" in seen.done["wrong key"].err
    assert "API_KEY" in seen.done["no key"].err


def test_list_shows_the_monitor(seen: Commands) -> None:
    monitor_id = seen.done["add"].out.strip()
    listed = {each["monitor_id"]: each for each in seen.json("list --json")["monitors"]}
    assert listed[monitor_id]["status"] == "monitoring"
    assert listed[monitor_id]["stream_url"] == seen.stream_url
    assert monitor_id in seen.done["list"].out
    assert seen.done["list"].out.startswith("NAME")


def test_show_shows_the_condition(seen: Commands) -> None:
    shown = seen.json("show --json")
    assert shown["monitor_id"] == seen.done["add"].out.strip()
    assert shown["config"]["blackout_threshold_sec"] == EAGER["blackout_threshold_sec"]
    assert "status: monitoring" in seen.done["show"].out
    assert seen.done["show short"].out.splitlines()[-1] == seen.done["show"].out.splitlines()[-1]


def test_events_shows_the_audit(seen: Commands) -> None:
    assert [each["event_type"] for each in seen.json("events --json")["events"]] == [
        "stream.started"
    ]
    assert "stream.started" in seen.done["events"].out


def test_stop_stops_and_says_the_same_again(seen: Commands) -> None:
    assert seen.done["stop"].code == 0
    assert seen.done["stop"].out.startswith("stopped at ")
    assert seen.json("stop --json")["stopped_at"] in seen.done["stop"].out


def test_watch_tells_each_segment_and_event_until_the_stream_ends(seen: Commands) -> None:
    assert seen.watch.code == 0, seen.watch.err
    told = [json.loads(line) for line in seen.watch.out.splitlines()]
    segments = [each["sequence"] for each in told if each["kind"] == "segment"]
    assert segments == list(range(16))
    assert [each["event_type"] for each in told if each["kind"] == "event"] == [
        "alert.blackout",
        "alert.blackout_recovered",
    ]
    assert told[-1] == {"kind": "ended", "reason": "endlist_detected"}


def test_watch_ends_without_a_trace_when_nobody_reads_on(seen: Commands) -> None:
    head = seen.done["watch | head"]
    assert json.loads(head.out)["kind"] == "segment"
    assert "Traceback" not in head.err


def test_top_shows_what_changes_until_it_is_interrupted(seen: Commands) -> None:
    assert seen.done["top"].code == INTERRUPTED
    assert "monitoring" in seen.done["top"].out
    assert "Traceback" not in seen.done["top"].out


def test_the_receiver_fails_first_then_verifies(seen: Commands) -> None:
    assert seen.receipts.statuses == [500, 200, 401]
    assert [each["status"] for each in seen.receipts.lines] == [500, 200, 401]
    assert [bool(each["problem"]) for each in seen.receipts.lines] == [False, False, True]
    assert seen.receipts.code == 0
