"""How often a stream that is not live yet is polled."""

from datetime import datetime

FAR_SEC = 300.0  # until this long before the scheduled start polls are rare

RARE_POLL_SEC = 60.0
CLOSE_POLL_SEC = 5.0
LATE_POLL_SEC = 15.0
LATE_AFTER_SEC = 600.0  # this long after the expected start polls become less frequent again
JITTER = 0.2


def poll_delay_sec(
    now: datetime, *, waiting_since: datetime, scheduled_start: datetime | None, chance: float
) -> float:
    """Return how long to wait before the next poll of a manifest.

    `waiting_since` is the time of the first poll, `chance` a random number from 0 to 1, for jitter.
    """
    expected = scheduled_start or waiting_since
    late_sec = (now - expected).total_seconds()
    if late_sec < -FAR_SEC:
        delay_sec = min(RARE_POLL_SEC, -late_sec - FAR_SEC + CLOSE_POLL_SEC)
    elif late_sec < LATE_AFTER_SEC:
        delay_sec = CLOSE_POLL_SEC
    else:
        delay_sec = LATE_POLL_SEC
    return delay_sec * (1 + JITTER * (2 * chance - 1))
