"""Whether what was told of a source is what its programme shows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.field.programme import NORMAL_SEC, STRETCHES, Stretch, length_sec
from benchmarks.field.recipes import Recipe
from tests.testkit.receiver import Received

TOLERANCE_SEC = 0.1
TOLERANCE_SHARE = 0.05
"""Of the programme: encoders cut a little off at both ends."""


@dataclass(frozen=True)
class Verdict:
    """What became of one source.

    Attributes:
        faults: what is not as it should be; none when the source was watched well.
        off_sec: the largest difference between a told and a scripted length.
        sent_again: media that were fetched twice: an event interrupts what is being fetched.
        note: of the source's recipe.
    """

    source: str
    faults: Sequence[str]
    off_sec: float
    segments: int
    sent_again: int
    note: str = ""


def told_of(recipe: Recipe) -> list[Stretch]:
    """Return the stretches of the programme that the tracks of a source show."""
    return [each for each in STRETCHES if each.track in recipe.tracks]


def judge(
    recipe: Recipe, events: Sequence[Received], shown: dict[str, Any], sent_again: int
) -> Verdict:
    """Compare a monitor's events and statistics with the script."""
    statistics = shown["statistics"]
    expected, script = expected_events(recipe), told_of(recipe)
    came = [each.event_type for each in events]
    if not recipe.has_end and came[-1:] == ["stream.suspended"]:
        came.pop()  # nobody says that it is over: it stands still
    faults = [] if came == expected else [f"events {came}"]
    lengths = [_off_sec(number, each, events) for number, each in enumerate(script)]
    faults += [
        f"{stretch.event_type} ({stretch.reason or stretch.scene}) off by {off:.2f} s"
        for stretch, off in zip(script, lengths, strict=True)
        if off is not None and off > TOLERANCE_SEC
    ]
    faults += _wrong_reasons(script, events)
    for counter, most in (("segments_missed", recipe.may_miss), ("segments_failed", 0)):
        if statistics[counter] > most:
            faults.append(f"{statistics[counter]} {counter}")
    if not _is_measured_once(recipe, statistics["analyzed_sec"]):
        faults.append(f"measured {statistics['analyzed_sec']:.0f} s")
    return Verdict(
        source=recipe.name,
        faults=faults,
        off_sec=max((each for each in lengths if each is not None), default=0.0),
        segments=statistics["total_segments_analyzed"],
        sent_again=sent_again,
        note=recipe.note,
    )


def _is_measured_once(recipe: Recipe, measured_sec: float) -> bool:
    """Return whether so much may be all.

    Sound apart may have no segments while it stops. Where nobody says that a source is over,
    watching ends with the last event, not with what comes after the last stretch.
    """
    whole_sec = length_sec() * recipe.playlists
    has_sound_apart = recipe.playlists > 1 or recipe.tracks == {"audio"}
    stopped_sec = STRETCHES[-1].seconds if has_sound_apart else 0.0
    unwatched_sec = 0.0 if recipe.has_end else NORMAL_SEC * recipe.playlists
    tolerance_sec = TOLERANCE_SHARE * whole_sec
    return -stopped_sec - unwatched_sec - tolerance_sec <= measured_sec - whole_sec <= tolerance_sec


def expected_events(recipe: Recipe) -> list[str]:
    """Return the types of all events that the programme causes, in order."""
    told = [
        name
        for each in told_of(recipe)
        for name in (each.event_type, f"{each.event_type}_recovered")
    ]
    return ["stream.started", *told, *(["stream.ended"] if recipe.has_end else [])]


def _alerts(events: Sequence[Received]) -> list[Received]:
    return [each for each in events if each.event_type.startswith("alert.")]


def _off_sec(number: int, stretch: Stretch, events: Sequence[Received]) -> float | None:
    """Return by how much the length that was told of an incident misses the script."""
    alerts = _alerts(events)
    if len(alerts) <= 2 * number + 1:
        return None
    recovered = alerts[2 * number + 1]
    if recovered.event_type != f"{stretch.event_type}_recovered":
        return None
    return abs(float(recovered.event["data"]["total_duration_sec"]) - stretch.seconds)


def _wrong_reasons(script: Sequence[Stretch], events: Sequence[Received]) -> list[str]:
    wrong = []
    for stretch, alert in zip(script, _alerts(events)[::2], strict=False):
        reason = alert.event["data"].get("reason")
        if stretch.reason and reason != stretch.reason:
            wrong.append(f"{stretch.event_type} for {reason}, not {stretch.reason}")
    return wrong
