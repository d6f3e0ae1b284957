"""A whole origin from JSON, and the command that runs it."""

import json
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from simulator.origin import LiveOrigin, ManualClock, WallClock
from simulator.origin.script import OriginScript, put_on_air
from tests.simulator.origin.loose_playlist import attribute, fetch

ENCODING = {"width": 128, "height": 72, "fps": 10, "segment_sec": 1.0, "video_kbps": 60}
SCRIPT = {
    "channels": [
        {
            "name": "demo",
            "scenes": [{"kind": "normal", "duration_sec": 3}, {"kind": "black", "duration_sec": 3}],
            "encodings": [ENCODING, {**ENCODING, "width": 256, "height": 144}],
            "split_audio": True,
            "options": {"window_segments": 4, "at_end": "end", "backlog_segments": 0},
            "faults": [{"kind": "status", "status": 503, "from_sec": 4, "to_sec": 5}],
            "changes": [{"kind": "stall", "at_sec": 2, "for_sec": 10}],
        }
    ]
}


async def test_a_script_puts_channels_on_air(
    origin: LiveOrigin, client: httpx.AsyncClient, clock: ManualClock, cache: Path
) -> None:
    script = OriginScript.model_validate_json(json.dumps(SCRIPT))
    (channel,) = await put_on_air(origin, script, cache)
    clock.advance(9)
    assert (await fetch(client, channel.url)).sequences == [0, 1]
    clock.advance(10)
    playlist = await fetch(client, channel.url)
    assert (playlist.sequences, playlist.is_ended) == ([2, 3, 4, 5], True)
    statuses = [(await client.get(each.url)).status_code for each in playlist.segments]
    assert statuses == [200, 200, 503, 200]
    master = (await client.get(channel.master_url)).text
    assert attribute(master, "RESOLUTION") == ["128x72", "256x144"]
    assert attribute(master, "URI") == ["audio/index.m3u8"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(["--scene", "sunset:3"], "sunset", id="unknown-scene"),
        pytest.param(["--scene", "normal"], "KIND:SECONDS", id="scene-without-duration"),
        pytest.param(["--script", "/nowhere.json"], "nowhere", id="no-such-script"),
        pytest.param(["--scene", "normal:0.001"], "bad script", id="less-than-a-frame"),
    ],
)
def test_the_command_refuses_a_bad_script(arguments: list[str], said: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "simulator.origin", *arguments],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, said in done.stderr) == (2, True), done.stderr
    assert "Traceback" not in done.stderr


async def test_a_fast_clock_runs_ahead() -> None:
    clock = WallClock(speed=1000)
    before = clock.now()
    await clock.sleep(20)
    assert clock.now() - before >= 19.9
