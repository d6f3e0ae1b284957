"""Health while an incident that flaps waits for its quiet."""

from datetime import UTC, datetime, timedelta

from media.watching.state import WatchState
from monitors.config import Thresholds
from monitors.incidents import IncidentClosed, IncidentOpened
from monitors.status import Health, IncidentKind

AT = datetime(2026, 5, 1, tzinfo=UTC)
FREEZE = IncidentKind.FREEZE


def at(sec: float) -> datetime:
    return AT + timedelta(seconds=sec)


def freeze(state: WatchState, since_sec: float) -> None:
    until_sec = since_sec + 50
    opened = IncidentOpened(
        kind=FREEZE, started_at=at(since_sec), duration_sec=40, threshold_sec=40
    )
    closed = IncidentClosed(
        kind=FREEZE, started_at=at(since_sec), recovered_at=at(until_sec), total_duration_sec=50
    )
    look(state, since_sec + 40, opened)
    look(state, until_sec + 5, closed)


def look(state: WatchState, sec: float, *changes: IncidentOpened | IncidentClosed) -> None:
    state.note(changes, at(sec), Thresholds(recovery_sec=5), media_until=at(sec))


def test_the_picture_is_in_error_until_the_incident_closes() -> None:
    state = WatchState()
    state.carry({"main": frozenset({"video", "audio"})})
    state.tracks["main"].detectors.next_start_sec = 60.0
    for number in range(3):
        freeze(state, 100 * number)
        assert (state.health().video, state.health().audio) == (Health.OK, Health.OK)
    freeze(state, 300)
    assert (state.health().video, state.health().audio) == (Health.ERROR, Health.OK)
    look(state, 371)
    assert state.open_incidents() == {}
    assert state.health().video is Health.OK
