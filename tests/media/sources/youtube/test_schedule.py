"""When to look next."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.sources.youtube.video_source import poll_delay_sec

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
MINUTE, HOUR = 60, 3600


def wait_sec(
    scheduled: float | None = None,
    site: float | None = None,
    *,
    chance: float = 0.5,
    retry_after_sec: float | None = None,
) -> float:
    """Return the wait when the starts are so many seconds ahead."""
    starts = [None if s is None else NOW + timedelta(seconds=s) for s in (scheduled, site)]
    return poll_delay_sec(
        now=NOW,
        scheduled_start=starts[0],
        site_start=starts[1],
        chance=chance,
        retry_after_sec=retry_after_sec,
    )


@pytest.mark.parametrize(
    ("ahead_sec", "expected_sec"),
    [
        pytest.param(7 * 24 * HOUR, 15 * MINUTE, id="a-week"),
        pytest.param(40 * MINUTE, 8 * MINUTE, id="forty-minutes"),
        pytest.param(20 * MINUTE, 5 * MINUTE, id="twenty-minutes"),
        pytest.param(8 * MINUTE, 2.5 * MINUTE, id="not-past-the-fifth-minute-before"),
        pytest.param(5 * MINUTE, MINUTE, id="five-minutes"),
        pytest.param(90, 30, id="soon"),
        pytest.param(0, 10, id="now"),
        pytest.param(-9 * MINUTE, 10, id="late"),
        pytest.param(-30 * MINUTE, 30, id="half-an-hour-late"),
        pytest.param(-2 * HOUR, 120, id="hours-late"),
        pytest.param(-24 * HOUR, 300, id="a-day-late"),
        pytest.param(None, 60, id="no-start-known"),
    ],
)
@pytest.mark.parametrize("by", ["user", "site"])
def test_the_nearer_the_start_the_sooner(
    ahead_sec: float | None, expected_sec: float, by: str
) -> None:
    waited = wait_sec(ahead_sec) if by == "user" else wait_sec(site=ahead_sec)
    assert waited == pytest.approx(expected_sec)


def test_a_reschedule_moves_the_schedule() -> None:
    assert wait_sec(-6 * MINUTE, 24 * HOUR) == 15 * MINUTE


def test_a_user_who_expects_it_now_is_heard() -> None:
    assert wait_sec(-MINUTE, 24 * HOUR) == 10


def test_what_the_last_look_demanded_is_kept() -> None:
    assert wait_sec(0, retry_after_sec=900) == 900
    assert wait_sec(24 * HOUR, retry_after_sec=60) == 15 * MINUTE


@given(
    st.floats(-(10**6), 10**6) | st.none(),
    st.floats(-(10**6), 10**6) | st.none(),
    st.floats(0, 1),
)
def test_every_wait_is_bounded_and_varies_by_a_fifth(
    scheduled: float | None, site: float | None, chance: float
) -> None:
    plain = wait_sec(scheduled, site)
    assert 10 <= plain <= 15 * MINUTE
    assert 0.79 * plain <= wait_sec(scheduled, site, chance=chance) <= 1.21 * plain


@given(st.floats(5 * MINUTE + 60, 10**6), st.floats(0, 1))
def test_a_look_never_jumps_over_the_five_minutes_before(ahead: float, chance: float) -> None:
    assert wait_sec(site=ahead, chance=chance) <= ahead - 5 * MINUTE + 0.001
