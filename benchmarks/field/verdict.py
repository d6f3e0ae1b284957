"""Whether what was told of a source is what its programme shows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.field.programme import STRETCHES
from tests.service.receiver import Received

TOLERANCE_SEC = 0.1
END = ("stream.ended",)


@dataclass(frozen=True)
class Verdict:
    """What became of one source.

    Attributes:
        faults: what is not as it should be; none when the source was watched well.
        off_sec: the largest difference between a told and a scripted length.
    """

    source: str
    faults: Sequence[str]
    off_sec: float
    segments: int


def judge(
    source: str, events: Sequence[Received], shown: dict[str, Any], sent_again: Sequence[object]
) -> Verdict:
    """Compare a monitor's events and statistics with the script."""
    statistics = shown["statistics"]
    expected = ["stream.started", *_expected(), *END]
    came = [each.event_type for each in events]
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
    if sent_again:
        faults.append(f"{len(sent_again)} segments asked for again, e.g. {sent_again[0]}")
    if not statistics["total_segments_analyzed"]:
        faults.append("nothing measured")
    known = [each for each in lengths if each is not None]
    return Verdict(source, faults, max(known, default=0.0), statistics["total_segments_analyzed"])


def _expected() -> list[str]:
    return [
        name for each in STRETCHES for name in (each.event_type, f"{each.event_type}_recovered")
    ]


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
