"""What the workflow reads of a heartbeat is what a watch puts there."""

from activities.declarations import HeartbeatDetails
from media.watching import WatchState
from tests.testkit.scripts import BLACKOUT


def test_the_state_of_a_watch_says_what_nobody_was_told_yet() -> None:
    state = WatchState(pending_events=[BLACKOUT])
    state.statistics.total_segments_analyzed = 7
    beat = HeartbeatDetails.model_validate(state.model_dump(mode="json"))
    assert beat.pending_events == [BLACKOUT]
    assert beat.statistics == state.statistics
