"""When bad news is believed."""

from datetime import UTC, datetime, timedelta

import pytest

from media.sources.source import Observation, SourceState
from media.sources.youtube.confirmation import Confirmation, ConfirmationPolicy

START = datetime(2026, 11, 24, tzinfo=UTC)
LIVE = Observation(state=SourceState.LIVE)
UNSEEN = Observation(state=SourceState.NOT_OBSERVED, reason="bot_check")


def closed(reason: str) -> Observation:
    return Observation(state=SourceState.UNAVAILABLE, reason=reason, is_permanent=True)


PRIVATE = closed("video_private")
REMOVED = closed("video_removed")


@pytest.mark.parametrize(
    ("looks", "confirmed"),
    [
        pytest.param([(0, PRIVATE)], False, id="one-look"),
        pytest.param([(0, REMOVED)], False, id="one-look-at-a-removed-video"),
        pytest.param([(0, REMOVED), (120, REMOVED)], True, id="removed-twice"),
        pytest.param([(0, PRIVATE), (120, PRIVATE)], False, id="private-twice"),
        pytest.param(
            [(0, PRIVATE), (120, PRIVATE), (240, PRIVATE)], True, id="private-three-times"
        ),
        pytest.param([(0, REMOVED), (5, REMOVED), (9, REMOVED)], False, id="looks-too-near"),
        pytest.param(
            [(s, PRIVATE) for s in range(0, 300, 30)], True, id="near-looks-count-when-far-enough"
        ),
        pytest.param([(0, REMOVED), (120, LIVE), (240, REMOVED)], False, id="back-in-between"),
        pytest.param([(0, REMOVED), (120, UNSEEN), (240, REMOVED)], True, id="unseen-in-between"),
        pytest.param([(0, PRIVATE), (120, REMOVED)], False, id="another-reason"),
        pytest.param([(0, UNSEEN), (120, UNSEEN), (240, UNSEEN)], False, id="never-seen"),
    ],
)
def test_confirmed(looks: list[tuple[int, Observation]], confirmed: bool) -> None:
    state = Confirmation()
    for at_sec, observation in looks:
        state = state.after(observation, START + timedelta(seconds=at_sec))
        state = Confirmation.model_validate_json(state.model_dump_json())
    assert state.is_confirmed() is confirmed


def test_another_policy() -> None:
    policy = ConfirmationPolicy(looks=1, final_looks=1, apart_sec=0)
    assert Confirmation().after(PRIVATE, START, policy).is_confirmed(policy)
