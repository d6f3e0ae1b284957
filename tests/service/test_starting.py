"""`stream-tracker up` that cannot start, that starts with a monitor, and that is interrupted."""

import signal
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.testkit.children import STREAM_TRACKER, Child, alive
from tests.testkit.embedded import PARTS, PORTS, READY, STOP_SEC, Embedded, part
from tests.testkit.programmes import SMALL, rendered
from tests.testkit.scenario_runner import ScenarioRunner
from tests.testkit.waiting import until_true

pytestmark = pytest.mark.timeout(240)

HUNG = '#!/bin/sh\n[ "$1" = -version ] && exec echo ffmpeg version 7.1\nsleep 300\n'
FAILED, MISUSED = 1, 2
SHOWN = "signature valid · #1 stream.started · mon-"


@dataclass(frozen=True)
class Interrupted:
    """What was seen of a service whose ffmpeg hangs.

    Attributes:
        hung_after_delete: of the first monitor.
        orphans: processes that outlived it.
    """

    said: str
    listed: list[dict[str, Any]]
    stream_url: str
    hung_after_delete: list[psutil.Process]
    code: int | None
    orphans: list[psutil.Process]


async def SCENARIO(runner: ScenarioRunner) -> Interrupted:  # noqa: N802
    """Start with a monitor whose probes never end; DELETE one monitor, add another, Ctrl-C.

    All the while the environment tells of a Temporal elsewhere.
    """
    programme = await rendered(runner.cache, SMALL, ("normal", 20))
    first, second = (runner.origin.add(name, programme).url for name in ("hung-1", "hung-2"))
    elsewhere = {"TEMPORAL_PROFILE": "cloud", "TEMPORAL_API_KEY": "of another Temporal"}
    ffmpeg = _hung_ffmpeg(runner.folder)
    embedded = Embedded(runner.folder / "interrupted", FFMPEG_PATH=str(ffmpeg), **elsewhere)
    _write_profile(embedded.folder)
    up = await embedded.up("--stream", first)
    try:
        runner.receiver.keys.append(embedded.keys["WEBHOOK_SIGNING_KEY"])
        async with embedded.rest() as rest:
            hung = await _hung(up)
            listed = (await rest.http.get("/monitors")).json()["monitors"]
            await until_true(lambda: SHOWN in up.said, "its first event")
            await rest.stop(listed[0]["monitor_id"])
            await until_true(lambda: not alive(hung), "the end of a hung ffmpeg", within_sec=15)
            await rest.create(second, runner.receiver.url("hung"), {})
            await _hung(up)
        family = up.descendants()
        await up.stop(signal.SIGINT, within_sec=STOP_SEC)
    finally:
        up.discard()
    return Interrupted(up.said, listed, first, alive(hung), up.code, alive(family))


def _hung_ffmpeg(folder: Path) -> Path:
    ffmpeg = folder / "hung-ffmpeg"
    ffmpeg.write_text(HUNG)
    ffmpeg.chmod(0o755)
    return ffmpeg


def _write_profile(home: Path) -> None:
    profiles = home / ".config" / "temporalio" / "temporal.toml"
    profiles.parent.mkdir(parents=True)
    profiles.write_text('[profile.default]\naddress = "elsewhere:7233"\napi_key = "secret"\n')


async def _hung(up: Child) -> list[psutil.Process]:
    """Wait until an ffmpeg hangs, and return what hangs."""
    await until_true(lambda: bool(_named(up.descendants(), "sleep")), "a hung ffmpeg")
    return _named(up.descendants(), "sleep")


def _named(processes: list[psutil.Process], name: str) -> list[psutil.Process]:
    found = []
    for each in processes:
        try:
            if each.name() == name:
                found.append(each)
        except psutil.NoSuchProcess:
            continue
    return found


def test_a_start_with_a_stream_registers_its_monitor(seen: Interrupted) -> None:
    assert [each["stream_url"] for each in seen.listed] == [seen.stream_url]
    assert f"Monitor {seen.listed[0]['monitor_id']} watches {seen.stream_url}" in seen.said


def test_events_that_have_no_receiver_are_shown(seen: Interrupted) -> None:
    assert f"{SHOWN}{seen.listed[0]['monitor_id'].removeprefix('mon-')}" in seen.said


def test_settings_of_another_temporal_are_not_for_the_embedded_one(seen: Interrupted) -> None:
    assert READY in seen.said


def test_a_deleted_monitor_takes_its_ffmpeg_with_it(seen: Interrupted) -> None:
    assert seen.hung_after_delete == []


def test_ctrl_c_stops_everything_even_an_ffmpeg_that_hangs(seen: Interrupted) -> None:
    assert seen.code == 0
    assert seen.orphans == []


@pytest.mark.parametrize("name", PARTS)
async def test_sigterm_while_it_starts_leaves_nothing(tmp_path: Path, name: str) -> None:
    embedded = Embedded(tmp_path / "up")
    up = Child("up", [STREAM_TRACKER, "up"], embedded.folder, **embedded.variables)
    try:
        await until_true(lambda: part(up, name) is not None, f"the {name}")
        family = up.descendants()
        await up.stop(within_sec=STOP_SEC)
    finally:
        up.discard()
    assert up.code == 0
    assert READY not in up.said
    assert alive(family) == []


@pytest.mark.parametrize("variable", PORTS)
async def test_a_taken_port_is_one_line_that_names_it(tmp_path: Path, variable: str) -> None:
    embedded = Embedded(tmp_path / "up")
    port = int(embedded.variables[variable])
    with socket.create_server(("127.0.0.1", port)):
        failed = await embedded.fail_to_start()
    assert failed.code == FAILED
    (line,) = failed.err.splitlines()
    assert variable in line.partition(":")[0].split(", ")
    assert str(port) in line
    assert not failed.out
    _nothing_is_left(embedded)


async def test_after_a_kill_a_taken_port_is_waited_for_and_then_named(tmp_path: Path) -> None:
    embedded = Embedded(tmp_path / "up")
    embedded.data.mkdir(parents=True)
    (embedded.data / "running").touch()  # as an instance leaves it that was killed
    with socket.create_server(("127.0.0.1", int(embedded.variables["PORT"]))):
        failed = await embedded.fail_to_start()
    assert failed.code == FAILED
    waiting, line = failed.err.splitlines()
    assert "waiting for a port" in waiting
    assert "PORT" in line.partition(":")[0]


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        pytest.param("PORT", "eighty", id="no-number"),
        pytest.param("TEMPORAL_PORT", "70000", id="no-port"),
        pytest.param("LOG_LEVEL", "loud", id="no-level"),
        pytest.param("ALLOW_PRIVATE_NETWORKS", "perhaps", id="no-boolean"),
    ],
)
async def test_a_bad_setting_is_one_line_that_names_it(
    tmp_path: Path, variable: str, value: str
) -> None:
    failed = await Embedded(tmp_path / "up").fail_to_start(**{variable: value})
    assert failed.code == MISUSED
    (line,) = failed.err.splitlines()
    assert line.startswith(f"{variable}: ")


async def test_a_bad_setting_of_a_part_is_found_before_anything_starts(tmp_path: Path) -> None:
    embedded = Embedded(tmp_path / "up")
    failed = await embedded.fail_to_start(MAX_MONITORS="none")
    assert failed.code == MISUSED
    (line,) = failed.err.splitlines()
    assert line.startswith("MAX_MONITORS: ")
    _nothing_is_left(embedded)


async def test_a_data_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    embedded = Embedded(tmp_path / "up")
    embedded.data.write_text("a file, not a folder")
    failed = await embedded.fail_to_start()
    assert failed.code == FAILED
    (line,) = failed.err.splitlines()
    assert line.startswith("DATA_DIR: ")


def _nothing_is_left(embedded: Embedded) -> None:
    folder = str(embedded.data)
    started = [each for each in psutil.process_iter() if folder in _command(each)]
    assert not started


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""
