"""What `python -m benchmarks.delay` takes for missed, doubled, false and wrong."""

from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest

from benchmarks.delay.scoreboard import polled_alerts_sec, polled_delays_sec, scoreboard_of
from benchmarks.delay.script import Moment, Script
from simulator.origin import Channel, ChannelOptions, LiveOrigin, ManualClock
from tests.testkit.programmes import rendered
from tests.testkit.receiver import Received

SEGMENT_SEC = 2.0
START = 1_800_000_000.0
OPENED = Moment("alert.blackout", 3, START + 6, START, START + 2)
CLOSED = Moment("alert.blackout_recovered", 5, START + 9, START, START + 2)


def told(event_type: str, at: float, **data: Any) -> Received:
    """Return an event that arrived at `at`; times among its data are unix seconds."""
    texts = {
        name: datetime.fromtimestamp(value, UTC).isoformat() if name.endswith("_at") else value
        for name, value in data.items()
    }
    timestamp = datetime.fromtimestamp(at, UTC).isoformat()
    event = {"event_type": event_type, "timestamp": timestamp, "data": texts}
    return Received(event, b"", {}, at)


def test_an_event_is_as_late_as_it_came_after_it_could_be_known() -> None:
    scoreboard = scoreboard_of(
        [OPENED], [told("alert.blackout", START + 6.5, started_at=START)], SEGMENT_SEC
    )
    assert [each.delay_sec for each in scoreboard.told] == [0.5]
    assert scoreboard.is_right


def test_what_did_not_come_is_missed() -> None:
    came = told("alert.blackout", START + 6.5, started_at=START)
    scoreboard = scoreboard_of([OPENED, CLOSED], [came], SEGMENT_SEC)
    assert scoreboard.missed == [CLOSED]
    assert not scoreboard.is_right


def test_a_second_event_of_a_moment_is_doubled() -> None:
    came = told("alert.blackout", START + 6.5, started_at=START)
    assert scoreboard_of([OPENED], [came, came], SEGMENT_SEC).doubled == ["alert.blackout"]
    ended = told("stream.ended", START)
    assert scoreboard_of([], [ended, ended], SEGMENT_SEC).doubled == ["stream.ended"]


@pytest.mark.parametrize(
    "came",
    [
        pytest.param(told("alert.silence", START + 6.5, started_at=START), id="another-type"),
        pytest.param(told("alert.blackout", START + 99, started_at=START + 90), id="another-time"),
        pytest.param(told("monitor.error", START + 6.5), id="no-incident"),
    ],
)
def test_an_event_of_nothing_is_false(came: Received) -> None:
    scoreboard = scoreboard_of([OPENED], [came], SEGMENT_SEC)
    assert scoreboard.false == [came.event_type]
    assert scoreboard.missed == [OPENED]


def test_a_start_that_is_wrong_by_more_than_frames_is_wrong() -> None:
    near = told("alert.blackout", START + 6.5, started_at=START + 0.1)
    assert scoreboard_of([OPENED], [near], SEGMENT_SEC).is_right
    far = told("alert.blackout", START + 6.5, started_at=START + 0.5)
    assert scoreboard_of([OPENED], [far], SEGMENT_SEC).wrong_starts == 1


def test_the_end_of_a_stall_tells_its_beginning_beside_its_length() -> None:
    moment = Moment("stream.resumed", 7, START + 11, START, START + 2)
    came = told("stream.resumed", START + 11.5, started_at=START + 0.5, suspended_sec=11.0)
    (found,) = scoreboard_of([moment], [came], SEGMENT_SEC).told
    assert found.start_error_sec == pytest.approx(0.5)


def test_looks_every_10_s_are_as_late_as_the_next_one_is() -> None:
    phase_sec = (OPENED.known_at + 3) % 10
    assert polled_delays_sec([OPENED], phase_sec) == pytest.approx([3.0])
    # It shows 4 s earlier, so the same look is the first bad one, 20 s before the third.
    alerts_sec = polled_alerts_sec([OPENED, CLOSED], phase_sec)
    assert alerts_sec == pytest.approx([OPENED.known_at + 3 + 20 - OPENED.started_at])


async def test_the_truth_of_a_script_is_in_order_and_known_after_it_began(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    script = Script(segment_sec=1.0, cycles=2)
    programme = await rendered(
        tmp_path_factory.mktemp("programmes"), script.encoding, *script.scenes
    )
    clock = ManualClock()
    async with LiveOrigin(clock=clock) as origin:
        options = ChannelOptions(window_segments=15, backlog_segments=1)
        channel = origin.add("script", programme, options=options, changes=script.changes())
        clock.advance(script.length_sec + 10)
        truth = script.truth(channel)
    assert len(truth) == 2 * 2 * 5
    assert all(each.known_at > each.started_at for each in truth)
    assert [each.opens for each in truth] == [True, False] * 10
    assert _waits_sec(channel) == pytest.approx([4.5, 4.5], abs=0.01)


def _waits_sec(channel: Channel) -> list[float]:
    """Return by how much the stalls prolong the gap between two segments."""
    at = [each.published_at for each in channel.published]
    gaps = [later - earlier for earlier, later in pairwise(at)]
    return [gap - 1.0 for gap in gaps if gap > 1.5]
