"""The clocks of gateway and workers are set, forward and back, while streams are watched.

Temporal, the origin and the receiver keep the right time. It needs libfaketime, which Debian has.
"""

from dataclasses import dataclass
from pathlib import Path

from tests.chaos import scripted
from tests.testkit.environment import ChaosEnvironment, ChaosHarness, NotAsExpected
from tests.testkit.findings import Finding
from tests.testkit.waiting import ConditionTimeout, until

STREAMS = 2
STEPS_SEC = (120, 0, 240, 120)
"""What the clocks are ahead after each step, so that they are set forward and back: less than what
receivers bear in a signature. Never behind: libfaketime would then lengthen waits that go by the
steady clock, which no real clock does."""

FRESH_SEC = 30.0
LIBRARIES = Path("/usr/lib")
LIBRARY = "libfaketimeMT.so.1"


@dataclass(frozen=True)
class ClockStepResult:
    """What was seen.

    Attributes:
        silent: steps after which the counters of a monitor stood still.
        wrong: streams whose events are not what was scripted, and how they differ.
    """

    steps: int
    silent: list[int]
    wrong: dict[str, str]
    told: int

    def finding(self) -> Finding:
        """Compare with the target."""
        measured = f"{self.steps} steps: {self.told} events, {len(self.wrong)} streams wrong; "
        measured += f"counters stood still after {self.silent or 'none'}"
        target = "the scripted events, each once; nothing stands still"
        is_met = not self.wrong and not self.silent
        return Finding("clocks set forward and back, four times", measured, target, is_met)


def settable(folder: Path) -> dict[str, str]:
    """Return the environment of processes whose clock `set_clocks` sets.

    Raises:
        NotAsExpected: libfaketime is not installed.
    """
    found = next(LIBRARIES.glob(f"*/faketime/{LIBRARY}"), None)
    if found is None:
        raise NotAsExpected("libfaketime is not installed")
    set_clocks(folder, 0)
    return {
        "LD_PRELOAD": str(found),
        "FAKETIME_TIMESTAMP_FILE": str(_file(folder)),
        "FAKETIME_CACHE_DURATION": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "DONT_FAKE_MONOTONIC": "1",
    }


def set_clocks(folder: Path, ahead_sec: int) -> None:
    """Set the clocks so far ahead."""
    unfinished = _file(folder).with_suffix(".new")
    unfinished.write_text(f"{ahead_sec:+d}s\n")
    unfinished.replace(_file(folder))


async def step_clocks(env: ChaosEnvironment, harness: ChaosHarness) -> ClockStepResult:
    """Set the clocks again and again, each time with an incident open."""
    names = [f"clocks-{number}" for number in range(STREAMS)]
    ids = {name: await scripted.put_on_air(env, harness.rest, name) for name in names}
    silent = []
    for ahead_sec in STEPS_SEC:
        await scripted.until_an_incident_is_open(env, *names)
        set_clocks(env.folder, ahead_sec)
        env.say(f"clocks {ahead_sec:+d} s")
        if not all([await _is_counted_on(harness, each) for each in ids.values()]):
            silent.append(ahead_sec)
    for name in names:
        await scripted.until_all_told(env, name)
    wrong, told = scripted.judged(env, names)
    for each in ids.values():
        await harness.rest.stop(each)
    return ClockStepResult(len(STEPS_SEC), silent, wrong, told)


async def _is_counted_on(harness: ChaosHarness, monitor_id: str) -> bool:
    """Tell whether the gateway learns of two further segments."""
    before = await _counted(harness, monitor_id)

    async def more() -> bool:
        return await _counted(harness, monitor_id) >= before + 2

    try:
        return await until(more, f"segments of {monitor_id}", within_sec=FRESH_SEC)
    except ConditionTimeout:
        return False


async def _counted(harness: ChaosHarness, monitor_id: str) -> int:
    return int((await harness.rest.show(monitor_id))["statistics"]["total_segments_analyzed"])


def _file(folder: Path) -> Path:
    return folder / "clock"
