"""Metrics of single streams, for Prometheus: `STREAM_METRICS`."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from prometheus_client import Metric
from prometheus_client.exposition import generate_latest

from api.monitors.service import shown_name
from api.store.monitor_records import MonitorSummary
from monitors.reports import SoundLevels
from monitors.status import Health

MAX_STREAMS: Final = 1_000  # the newest ones: each costs up to nine time series
_MEANINGS: Final = {
    "info": "1, with the monitor's own labels as label_KEY.",
    "health": "Condition of a track: 0 ok, 1 warning, 2 error, -1 unknown.",
    "open_incidents": "1 while an incident of this kind is open.",
    "last_segment_age_seconds": "Time since media was last measured.",
    "loudness_lufs": "Loudness of the latest 0.4 s (momentary) and 3 s (short_term).",
    "true_peak_dbtp": "The largest true peak of the latest segment.",
}
_HEALTH: Final = {Health.UNKNOWN: -1, Health.OK: 0, Health.WARNING: 1, Health.ERROR: 2}
_NO_LABEL = re.compile("[^a-zA-Z0-9_]")

Sample = tuple[str, dict[str, str], float]
"""A name among `_MEANINGS`, labels besides those of the stream, a value."""


@dataclass(frozen=True)
class StreamMetrics:
    """The conditions of streams as metrics; a collector for `generate_latest`."""

    monitors: Sequence[MonitorSummary]
    now: datetime

    def exposition(self) -> bytes:
        return generate_latest(self)

    def collect(self) -> Iterator[Metric]:
        metrics = {
            name: Metric(f"stream_tracker_stream_{name}", meaning, "gauge")
            for name, meaning in _MEANINGS.items()
        }
        for monitor in self.monitors:
            name = shown_name(monitor.name, monitor.title) or monitor.monitor_id
            stream = {"monitor_id": monitor.monitor_id, "name": name}
            for metric, labels, value in _samples(monitor, self.now):
                metrics[metric].add_sample(metrics[metric].name, {**labels, **stream}, value)
        yield from metrics.values()


def _samples(monitor: MonitorSummary, now: datetime) -> Iterator[Sample]:
    yield "info", _own_labels(monitor), 1
    yield "health", {"track": "video"}, _HEALTH[monitor.health.video]
    yield "health", {"track": "audio"}, _HEALTH[monitor.health.audio]
    for incident in monitor.open_incidents:
        yield "open_incidents", {"kind": incident.kind}, 1
    if seen_at := monitor.health.last_check_at:
        yield "last_segment_age_seconds", {}, (now - seen_at).total_seconds()

    if levels := monitor.media and monitor.media.levels:
        yield from _level_samples(levels)


def _level_samples(levels: SoundLevels) -> Iterator[Sample]:
    if levels.momentary_lufs is not None:
        yield "loudness_lufs", {"window": "momentary"}, levels.momentary_lufs
    if levels.short_term_lufs is not None:
        yield "loudness_lufs", {"window": "short_term"}, levels.short_term_lufs
    if levels.true_peak_dbtp is not None:
        yield "true_peak_dbtp", {}, levels.true_peak_dbtp


def _own_labels(monitor: MonitorSummary) -> dict[str, str]:
    """Return a monitor's labels under names that Prometheus takes; of two alike, the last."""
    return {f"label_{_NO_LABEL.sub('_', key)}": text for key, text in monitor.labels.items()}
