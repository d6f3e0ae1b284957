"""Whether what was told of a source is what its programme shows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.field.programme import STRETCHES, length_sec
from benchmarks.field.recipes import Recipe
from tests.service.receiver import Received

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
    """

    source: str
    faults: Sequence[str]
    off_sec: float
    segments: int
    sent_again: int


def judge(
    recipe: Recipe, events: Sequence[Received], shown: dict[str, Any], sent_again: int
) -> Verdict:
    """Compare a monitor's events and statistics with the script."""
    statistics = shown["statistics"]
    expected = expected_events(has_end=recipe.has_end)
    came = [each.event_type for each in events]
    if not recipe.has_end and came[-1:] == ["stream.suspended"]:
        came.pop()  # nobody says that it is over: it stands still
    faults = [] if came == expected else [f"events {came}"]
    lengths = [_off_sec(each, events) for each in range(len(STRETCHES))]
    faults += [
        f"{stretch.event_type} ({stretch.reason or stretch.scene}) off by {off:.2f} s"
        for stretch, off in zip(STRETCHES, lengths, strict=True)
        if off is not None and off > TOLERANCE_SEC
    ]
    faults += _wrong_reasons(events)
    for counter in ("segments_missed", "segments_failed"):
        if statistics[counter]:
            faults.append(f"{statistics[counter]} {counter}")
    measured_times = statistics["analyzed_sec"] / (length_sec() * recipe.playlists)
    if abs(measured_times - 1) > TOLERANCE_SHARE:
        faults.append(f"measured {measured_times:.2f} times")
    return Verdict(
        source=recipe.name,
        faults=faults,
        off_sec=max((each for each in lengths if each is not None), default=0.0),
        segments=statistics["total_segments_analyzed"],
        sent_again=sent_again,
    )


def expected_events(*, has_end: bool) -> list[str]:
    """Return the types of all events that the programme causes, in order."""
    told = [
        name for each in STRETCHES for name in (each.event_type, f"{each.event_type}_recovered")
    ]
    return ["stream.started", *told, *(["stream.ended"] if has_end else [])]


def _alerts(events: Sequence[Received]) -> list[Received]:
    return [each for each in events if each.event_type.startswith("alert.")]


def _off_sec(number: int, events: Sequence[Received]) -> float | None:
    """Return by how much the length that was told of an incident misses the script."""
    alerts, stretch = _alerts(events), STRETCHES[number]
    if len(alerts) <= 2 * number + 1:
        return None
    recovered = alerts[2 * number + 1]
    if recovered.event_type != f"{stretch.event_type}_recovered":
        return None
    return abs(float(recovered.event["data"]["total_duration_sec"]) - stretch.seconds)


def _wrong_reasons(events: Sequence[Received]) -> list[str]:
    wrong = []
    for stretch, alert in zip(STRETCHES, _alerts(events)[::2], strict=False):
        reason = alert.event["data"].get("reason")
        if stretch.reason and reason != stretch.reason:
            wrong.append(f"{stretch.event_type} for {reason}, not {stretch.reason}")
    return wrong
