"""Plays the streams and prints their delays: `python -m benchmarks.delay`."""

import argparse
import asyncio
import math
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import benchmarks.delay
from benchmarks.delay.printing import Played, print_played
from benchmarks.delay.scoreboard import scoreboard_of
from benchmarks.delay.script import Script
from benchmarks.machine import machine
from simulator.origin import Channel, ChannelOptions
from tests.testkit.environment import ChaosEnvironment, open_environment
from tests.testkit.programmes import rendered
from tests.testkit.rest import Rest
from tests.testkit.waiting import ConditionTimeout, until

STREAMS = {1.0: 20, 2.0: 40, 5.0: 50}
"""As many for each length of a segment that the events a second are about the same."""

STAGGER_SEGMENTS = 5.0
"""Streams begin spread over so many: as far apart as two faults are."""

ON_AIR = ChannelOptions(window_segments=15, backlog_segments=1)
START_SEC = 60.0
LAST_EVENT_SEC = 30.0


def main() -> int:
    """Play and print; return 0 when each event came once, in time, and with the right start."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.delay",
        description=benchmarks.delay.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--incidents", type=int, default=200, help="of each kind (200)")
    parser.add_argument("--segments", type=float, nargs="+", default=[1.0, 2.0, 5.0], help="s")
    parser.add_argument("--streams", type=int, help="at once (20, 40, 50 for 1, 2, 5 s)")
    options = parser.parse_args()
    print(machine())
    with tempfile.TemporaryDirectory() as folder:
        played = asyncio.run(
            _run(Path(folder), options.segments, options.incidents, options.streams)
        )
    return 0 if all(each.is_good for each in played) else 1


async def _run(
    folder: Path, segments_sec: Sequence[float], incidents: int, streams: int | None
) -> list[Played]:
    played = []
    async with open_environment(folder, seed=1) as env:
        for segment_sec in segments_sec:
            wanted = streams or STREAMS.get(segment_sec, min(STREAMS.values()))
            at_once = min(wanted, incidents)
            script = Script(segment_sec, cycles=math.ceil(incidents / at_once))
            slots = {"PROBE_SLOTS": str(at_once)}
            async with env.harness(f"service-{segment_sec:g}", "all", **slots) as harness:
                played.append(await play(env, harness.rest, script, at_once))
            print_played(played[-1])
    return played


async def play(env: ChaosEnvironment, rest: Rest, script: Script, streams: int) -> Played:
    """Play the script on so many streams, all watched, and return what came of it."""
    programme = await rendered(env.cache, script.encoding, *script.scenes)
    apart_sec = STAGGER_SEGMENTS * script.segment_sec / streams
    channels: dict[str, Channel] = {}
    for number in range(streams):
        name = f"delay-{script.segment_sec:g}-{number}"
        channels[name] = env.origin.add(
            name, programme, options=ON_AIR, faults=script.faults(), changes=script.changes()
        )
        await rest.create(channels[name].url, env.receiver.url(name), script.config)
        await asyncio.sleep(apart_sec)
    await _until_ended(env, list(channels), script)
    played = Played(script, streams, load=os.getloadavg()[0])
    for name, channel in channels.items():
        truth = script.truth(channel)
        scoreboard = scoreboard_of(truth, env.receiver.events(name), script.segment_sec)
        requests = env.origin.requests(name, ending=".ts")
        asked_at = {each.sequence: each.at for each in reversed(requests)}
        played.take(truth, scoreboard, asked_at, env.chance.random())
    return played


async def _until_ended(env: ChaosEnvironment, names: Sequence[str], script: Script) -> None:
    async def all_ended() -> bool:
        return all("stream.ended" in env.receiver.types(name) for name in names)

    try:
        within_sec = script.length_sec + START_SEC + LAST_EVENT_SEC
        await until(all_ended, "the end of all streams", within_sec=within_sec)
    except ConditionTimeout as error:
        print(error, file=sys.stderr)


if __name__ == "__main__":
    raise SystemExit(main())
