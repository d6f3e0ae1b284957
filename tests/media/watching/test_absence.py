"""Sound or picture in a playlist of its own that stops alone is missing, not suspended."""

import asyncio
from dataclasses import dataclass

import pytest

from monitors.config import MonitorConfig
from monitors.events import EndReason
from simulator.origin import (
    TINY,
    AtEnd,
    Channel,
    ChannelOptions,
    Fault,
    FaultKind,
    LiveOrigin,
    Programme,
    Tracks,
    WallClock,
    render,
)
from tests.media.watching.test_takeover import Relay
from tests.testkit.viewing import Viewer, studio

SPEED = 2.5
LASTS_SEC, STOPS_SEC, RETURNS_SEC = 52.0, 10.0, 36.0
STOPPED_SEC = RETURNS_SEC - STOPS_SEC
TOLERANCE_SEC = 5.0
"""Of a playlist's segments and reloads: what is missing is known from them alone."""

ONCE = ChannelOptions(at_end=AtEnd.END, window_segments=60)
TOUCHY = MonitorConfig(
    blackout_threshold_sec=15,
    silence_threshold_sec=15,
    freeze_threshold_sec=15,
    # Longer than a busy machine keeps the watch from a playlist that goes on.
    suspend_threshold_sec=12,
    recovery_sec=1.5,
)
KINDS = {"audio": "silence", "v0": "freeze"}
REASONS = {"audio": "audio_missing", "v0": "video_missing"}


@dataclass(frozen=True)
class Case:
    """What stops, and how."""

    label: str
    kind: FaultKind
    hands_over: bool = False
    returns: bool = True

    @property
    def name(self) -> str:
        taken = "-over" if self.hands_over else ""
        return f"{self.label}-{self.kind.value}{taken}"


CASES = [
    Case("audio", FaultKind.FROZEN),
    Case("audio", FaultKind.FROZEN, hands_over=True),
    Case("v0", FaultKind.FROZEN),
    Case("v0", FaultKind.FROZEN, hands_over=True),
    Case("audio", FaultKind.ENDED, returns=False),
]


def put_on_air(origin: LiveOrigin, case: Case) -> Channel:
    scenes = [("normal", LASTS_SEC)]
    picture = render(Programme.of(scenes, TINY.model_copy(update={"tracks": Tracks.VIDEO})))
    sound = render(Programme.of(scenes, TINY.model_copy(update={"tracks": Tracks.AUDIO})))
    fault = Fault(kind=case.kind, label=case.label, from_sec=STOPS_SEC, to_sec=RETURNS_SEC)
    return origin.add(case.name, picture, audio=sound, options=ONCE, faults=[fault])


async def watch_all() -> dict[str, Viewer]:
    clock = WallClock(SPEED)
    async with LiveOrigin(clock=clock) as origin, studio(clock) as hurried:

        async def watched(case: Case) -> Viewer:
            url = put_on_air(origin, case).master_url
            viewer = Viewer.of(hurried, url, TOUCHY)
            return await (Relay(viewer, 1).hand_over() if case.hands_over else viewer.to_the_end())

        viewers = await asyncio.gather(*map(watched, CASES))
    return dict(zip((case.name for case in CASES), viewers, strict=True))


@pytest.fixture(scope="module")
def seen() -> dict[str, Viewer]:
    return asyncio.run(watch_all())


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_what_stops_alone_is_missing_from_its_last_moment(
    seen: dict[str, Viewer], case: Case
) -> None:
    viewer, kind = seen[case.name], KINDS[case.label]
    expected = [f"alert.{kind}", *([f"alert.{kind}_recovered"] if case.returns else [])]
    assert viewer.types == expected
    assert viewer.data(f"alert.{kind}")["reason"] == REASONS[case.label]
    assert viewer.ended is EndReason.ENDLIST_DETECTED
    if not case.returns:
        return
    total_sec = viewer.data(f"alert.{kind}_recovered")["total_duration_sec"]
    assert total_sec == pytest.approx(STOPPED_SEC, abs=TOLERANCE_SEC)
