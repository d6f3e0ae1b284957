from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitors.polling import CLOSE_POLL_SEC, FAR_SEC, RARE_POLL_SEC, poll_delay_sec

NOW = datetime(2026, 5, 1, 12, 0, 0, tzinfo=UTC)


def look_sec(*, waited: float = 0, starts_in: float | None = None, chance: float = 0.5) -> float:
    return poll_delay_sec(
        NOW,
        waiting_since=NOW - timedelta(seconds=waited),
        scheduled_start=None if starts_in is None else NOW + timedelta(seconds=starts_in),
        chance=chance,
    )


@pytest.mark.parametrize(
    ("waited", "starts_in", "sec"),
    [
        pytest.param(0, None, 5, id="just asked for"),
        pytest.param(599, None, 5, id="waited for nearly ten minutes"),
        pytest.param(600, None, 15, id="waited for ten minutes"),
        pytest.param(86_400, None, 15, id="waited for a day"),
        pytest.param(0, 86_400, 60, id="starts tomorrow"),
        pytest.param(86_400, 86_400, 60, id="starts tomorrow, waited for a day"),
        pytest.param(0, 360, 60, id="starts in six minutes"),
        pytest.param(0, 320, 25, id="comes close to the close looks"),
        pytest.param(0, 300, 5, id="starts in five minutes"),
        pytest.param(0, -10, 5, id="should have started"),
        pytest.param(0, -599, 5, id="late"),
        pytest.param(0, -600, 15, id="very late"),
    ],
)
def test_looks_follow_what_is_expected(waited: float, starts_in: float | None, sec: float) -> None:
    assert look_sec(waited=waited, starts_in=starts_in) == pytest.approx(sec)


def test_monitors_do_not_knock_together() -> None:
    assert [look_sec(chance=chance) for chance in (0, 0.5, 1)] == pytest.approx([4, 5, 6])


@given(starts_in=st.floats(-1e6, 1e6), waited=st.floats(0, 1e6), chance=st.floats(0, 1))
def test_a_look_is_never_far_nor_late_for_the_start(
    starts_in: float, waited: float, chance: float
) -> None:
    sec = look_sec(waited=waited, starts_in=starts_in, chance=chance)
    assert 0.8 * CLOSE_POLL_SEC - 1e-6 <= sec <= 1.2 * RARE_POLL_SEC
    if starts_in > FAR_SEC:
        assert sec < starts_in
