"""Many live streams with scripted faults, watched by one service, and what became of them."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import ndiff
from itertools import cycle
from typing import Any

from monitors.evidence import EvidenceLevel
from simulator.origin import AtEnd, Channel, ChannelOptions, Encoding, RenderedProgramme, SceneOnAir
from tests.testkit.environment import ChaosEnvironment
from tests.testkit.programmes import rendered
from tests.testkit.rest import Rest
from tests.testkit.waiting import ConditionTimeout, until

ENCODING = Encoding(width=320, height=180, fps=15, segment_sec=2.0, video_kbps=120, audio_kbps=48)
FAULTS = (("black", 8.0), ("silent", 8.0), ("frozen", 10.0))
"""Kinds and seconds; each stream begins with another one."""

BEFORE_SEC = 12.0
AFTER_SEC = 10.0
LEAST_BETWEEN_SEC = 20.0
"""From the beginning of one fault to that of the next: three a minute."""

ALERTS = {"black": "alert.blackout", "silent": "alert.silence", "frozen": "alert.freeze"}
THRESHOLD_SEC = {"black": 4.5, "silent": 4.5, "frozen": 6.5}
RECOVERY_SEC = 2.5
"""Each completes in the middle of a segment: a millisecond does not decide in which one."""

CONFIG: dict[str, Any] = {
    "blackout_threshold_sec": THRESHOLD_SEC["black"],
    "silence_threshold_sec": THRESHOLD_SEC["silent"],
    "freeze_threshold_sec": THRESHOLD_SEC["frozen"],
    "recovery_sec": RECOVERY_SEC,
    "flapping_recovery_factor": 0,  # each scripted fault is told by itself
}
ON_AIR = ChannelOptions(window_segments=15, backlog_segments=1, at_end=AtEnd.END)
LAST_EVENT_SEC = 60.0
POLL_SEC = 1.0


def scenes(seconds: float, faults_every_sec: float, first: int) -> list[tuple[str, float]]:
    """Return the scenes of a stream whose faults begin with the kind number `first`."""
    made = [("normal", BEFORE_SEC)]
    left_sec = seconds - BEFORE_SEC
    kinds = cycle([*FAULTS[first:], *FAULTS[:first]])
    while faults_every_sec and left_sec >= max(each for _, each in FAULTS) + AFTER_SEC:
        kind, length_sec = next(kinds)
        rest_sec = min(faults_every_sec, left_sec) - length_sec
        made += [(kind, length_sec), ("normal", rest_sec)]
        left_sec -= length_sec + rest_sec
    return [*made, ("normal", left_sec)] if left_sec else made


async def programmes(
    env: ChaosEnvironment, seconds: float, faults_every_sec: float
) -> list[RenderedProgramme]:
    """Render one programme for each kind that the faults can begin with."""
    return [
        await rendered(env.cache, ENCODING, *scenes(seconds, faults_every_sec, first))
        for first in range(len(FAULTS))
    ]


@dataclass(frozen=True)
class Fleet:
    """Streams on air.

    Attributes:
        channels: by the name under which the receiver takes the stream's webhooks.
        monitor_ids: by the same name.
    """

    env: ChaosEnvironment
    channels: dict[str, Channel]
    monitor_ids: dict[str, str]

    async def until_first_ends(self) -> None:
        """Wait until the stream that began first is over."""
        first = next(iter(self.channels.values()))
        await asyncio.sleep(max(0.0, _length_sec(first) - first.position_sec))

    async def until_ended(self) -> None:
        """Wait until each stream's last event came, or does not come any more."""
        left_sec = max(_length_sec(each) - each.position_sec for each in self.channels.values())

        async def all_ended() -> bool:
            await asyncio.sleep(POLL_SEC)
            types = self.env.receiver.types
            return all("stream.ended" in types(name) for name in self.channels)

        await asyncio.sleep(max(0.0, left_sec))
        try:
            await until(all_ended, "the end of all", within_sec=LAST_EVENT_SEC)
        except ConditionTimeout as error:
            print(error)

    def wrong(self) -> list[str]:
        """Return how events differ from the script, of each stream where they do."""
        judged = (self._wrong(name, channel) for name, channel in self.channels.items())
        return [each for each in judged if each]

    def delays_sec(self) -> list[float]:
        """Return the delays of all events of faults, as far as they came.

        Each counts from the publication of the segment that completes the fault or the recovery.
        """
        return [
            delay
            for name, channel in self.channels.items()
            for delay in self._delays(name, channel)
        ]

    def _wrong(self, name: str, channel: Channel) -> str:
        expected = ["stream.started"]
        for scene in _incidents(channel):
            alert = ALERTS[scene.scene.kind]
            expected += [alert, f"{alert}_recovered"]
        came = self.env.receiver.types(name)
        if came == [*expected, "stream.ended"]:
            return ""
        lines = ndiff([*expected, "stream.ended"], came)
        return f"{name}: " + " ".join(line for line in lines if line[0] != "?")

    def _delays(self, name: str, channel: Channel) -> list[float]:
        events = self.env.receiver.events(name)
        arrivals = [each for each in events if each.event_type[:6] == "alert."]
        known = []
        for scene in _incidents(channel):
            known.append(scene.start_sec + THRESHOLD_SEC[scene.scene.kind])
            known.append(scene.end_sec + RECOVERY_SEC)
        return [
            arrival.at - channel.available_at(moment).timestamp()
            for arrival, moment in zip(arrivals, known, strict=False)
        ]


async def put_on_air(
    env: ChaosEnvironment,
    rest: Rest,
    made: Sequence[RenderedProgramme],
    names: Sequence[str],
    spread_sec: float,
    hosts: Mapping[str, str] | None = None,
    evidence: EvidenceLevel = EvidenceLevel.NONE,
) -> Fleet:
    """Begin a stream for each name, evenly over `spread_sec`, and register its monitor.

    `hosts` maps a host of the URLs to the one that the monitor is given, an address to a name;
    `evidence` is what is kept of each incident.
    """
    fleet = Fleet(env, {}, {})
    config = {**CONFIG, "evidence": evidence.value}
    began = time.monotonic()
    for number, name in enumerate(names):
        await asyncio.sleep(began + number * spread_sec / len(names) - time.monotonic())
        channel = env.origin.add(name, made[number % len(made)], options=ON_AIR)
        stream_url = _renamed(channel.url, hosts or {})
        callback_url = _renamed(env.receiver.url(name), hosts or {})
        fleet.monitor_ids[name] = await rest.create(stream_url, callback_url, config)
        fleet.channels[name] = channel
    return fleet


def _renamed(url: str, hosts: Mapping[str, str]) -> str:
    for host, name in hosts.items():
        url = url.replace(f"//{host}:", f"//{name}:", 1)
    return url


def _length_sec(channel: Channel) -> float:
    return sum(scene.duration_sec for scene in channel.programme.scenes)


def _incidents(channel: Channel) -> list[SceneOnAir]:
    length_sec = _length_sec(channel)  # a stream that has ended is not played again
    return [each for each in channel.scenes_on_air(*ALERTS) if each.start_sec < length_sec]
