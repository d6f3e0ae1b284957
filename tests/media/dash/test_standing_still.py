"""A manifest that names segments by the clock hides no standstill."""

import pytest

from monitors.config import MonitorConfig
from simulator.origin import (
    TINY,
    AtEnd,
    Change,
    ChannelOptions,
    Container,
    LiveOrigin,
    Programme,
    WallClock,
    render,
)
from tests.testkit.viewing import Viewer, studio

OPTIONS = ChannelOptions(at_end=AtEnd.END, window_segments=40, by_clock=True)
STANDSTILL = Change(kind="stall", at_sec=6, for_sec=12, catch_up=True)
FMP4 = TINY.model_copy(update={"container": Container.FMP4})
LATE_SEC = 5.0


async def test_what_is_due_and_not_there_is_a_standstill_and_no_broken_segment() -> None:
    clock = WallClock(2)
    async with LiveOrigin(clock=clock) as origin, studio(clock) as hurried:
        rendered = render(Programme.of([("normal", 24)], FMP4))
        channel = origin.add("clock", rendered, options=OPTIONS, changes=[STANDSTILL])
        config = MonitorConfig(suspend_threshold_sec=5)
        viewer = await Viewer.of(hurried, channel.manifest_url, config).to_the_end()
    assert viewer.types == ["stream.suspended", "stream.resumed"]
    suspended_sec = viewer.data("stream.resumed")["suspended_sec"]
    assert suspended_sec == pytest.approx(13, abs=LATE_SEC)
    assert viewer.sequences() == list(range(24))
    assert viewer.failed() == []
