"""When to poll a video next that is not live yet."""

from datetime import datetime

_FAR_SHARE = 0.2
_FAR_MIN_SEC = 5 * 60.0
_FAR_MAX_SEC = 15 * 60.0
_NEAR_SEC = 5 * 60.0
_CLOSE_SEC = 60.0
_WAITS_BEFORE = (60.0, 30.0)
_LATE_WAITS = ((10 * 60.0, 10.0), (60 * 60.0, 30.0), (6 * 3600.0, 120.0))
"""Lateness up to which a wait holds, and that wait."""

_VERY_LATE_SEC = _FAR_MIN_SEC
_UNKNOWN_START_SEC = 60.0
_USER_START_HOLDS_SEC = 5 * 60.0
_JITTER = 0.2


def poll_delay_sec(
    *,
    now: datetime,
    scheduled_start: datetime | None,
    site_start: datetime | None,
    chance: float,
    retry_after_sec: float | None = None,
) -> float:
    """Return the wait until the next poll, in seconds.

    Every 5 to 15 minutes while the start is far, never jumping over the fifth minute before it;
    then every 60 s, in the last minute every 30 s, and every 10 s when it is late, slower the later
    it is. Without any start it is a minute.

    Args:
        scheduled_start: what the user expects.
        site_start: what the site says. It counts where it is given: broadcasters reschedule.
            The user's start counts too, until five minutes after it.
        chance: a random number from 0 to 1, which varies the wait by 20 % either way.
        retry_after_sec: of the last observation.
    """
    waits = [
        _plain_wait_sec((start - now).total_seconds())
        for start in _starts(now, scheduled_start, site_start)
    ]
    wait = min(waits, default=_UNKNOWN_START_SEC) * (1 + _JITTER * (2 * chance - 1))
    return max(wait, retry_after_sec or 0.0)


def _starts(now: datetime, scheduled: datetime | None, site: datetime | None) -> list[datetime]:
    if scheduled and site:
        is_stale = (now - scheduled).total_seconds() > _USER_START_HOLDS_SEC
        return [site] if is_stale else [site, scheduled]
    return [start for start in (scheduled, site) if start]


def _plain_wait_sec(ahead_sec: float) -> float:
    if ahead_sec > _NEAR_SEC:
        far = min(_FAR_MAX_SEC, max(_FAR_MIN_SEC, ahead_sec * _FAR_SHARE))
        # Divided by the longest jitter, so that the near time begins with a poll.
        return max(min(far, (ahead_sec - _NEAR_SEC) / (1 + _JITTER)), _WAITS_BEFORE[1])
    if ahead_sec > 0:
        return _WAITS_BEFORE[0] if ahead_sec > _CLOSE_SEC + _WAITS_BEFORE[0] else _WAITS_BEFORE[1]
    for lateness_sec, wait_sec in _LATE_WAITS:
        if -ahead_sec < lateness_sec:
            return wait_sec
    return _VERY_LATE_SEC
