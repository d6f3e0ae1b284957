"""How often a stream that is not live yet is looked at."""

from datetime import datetime

FAR_SEC = 300.0
"""Until this long before the scheduled start looks are rare."""

RARE_LOOK_SEC = 60.0
CLOSE_LOOK_SEC = 5.0
PATIENT_LOOK_SEC = 15.0
PATIENT_AFTER_SEC = 600.0
"""So long after a stream should have been there, looks become less frequent again."""

JITTER = 0.2


def poll_delay_sec(
    now: datetime, *, waiting_since: datetime, scheduled_start: datetime | None, chance: float
) -> float:
    """Return how long to wait before the next look at a manifest, in seconds.

    Args:
        now: the present.
        waiting_since: when the first look was.
        scheduled_start: when the stream should start, if that is known.
        chance: a random number from 0 to 1: monitors are not to knock together.
    """
    expected = scheduled_start or waiting_since
    late_sec = (now - expected).total_seconds()
    if late_sec < -FAR_SEC:
        look_sec = min(RARE_LOOK_SEC, -late_sec - FAR_SEC + CLOSE_LOOK_SEC)
    elif late_sec < PATIENT_AFTER_SEC:
        look_sec = CLOSE_LOOK_SEC
    else:
        look_sec = PATIENT_LOOK_SEC
    return look_sec * (1 + JITTER * (2 * chance - 1))
