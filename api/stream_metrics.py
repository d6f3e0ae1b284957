"""Metrics of single streams, for Prometheus: `STREAM_METRICS`."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from prometheus_client import Metric
from prometheus_client.exposition import generate_latest

from api.monitors.service import shown_name
from api.store.records import MonitorSummary
from monitors.status import Health

MAX_STREAMS: Final = 1_000
"""The newest ones: each costs about six time series."""

_HEALTH: Final = {Health.UNKNOWN: -1, Health.OK: 0, Health.WARNING: 1, Health.ERROR: 2}
_NO_LABEL = re.compile("[^a-zA-Z0-9_]")


@dataclass(frozen=True)
class StreamMetrics:
    """The conditions of streams as metrics; a collector for `generate_latest`."""

    monitors: Sequence[MonitorSummary]
    now: datetime

    def exposition(self) -> bytes:
        """Return them as Prometheus text."""
        return generate_latest(self)

    def collect(self) -> Iterator[Metric]:
        info = _gauge("info", "1, with the monitor's own labels as label_KEY.")
        health = _gauge("health", "Condition of a track: 0 ok, 1 warning, 2 error, -1 unknown.")
        incidents = _gauge("open_incidents", "1 while an incident of this kind is open.")
        age = _gauge("last_segment_age_seconds", "Time since media was last measured.")
        for monitor in self.monitors:
            stream = _stream_labels(monitor)
            info.add_sample(info.name, {**_own_labels(monitor), **stream}, 1)
            for track in ("video", "audio"):
                value = _HEALTH[getattr(monitor.health, track)]
                health.add_sample(health.name, {**stream, "track": track}, value)
            for incident in monitor.open_incidents:
                incidents.add_sample(incidents.name, {**stream, "kind": incident.kind}, 1)
            if seen_at := monitor.health.last_check_at:
                age.add_sample(age.name, stream, (self.now - seen_at).total_seconds())
        yield from (info, health, incidents, age)


def _gauge(name: str, documentation: str) -> Metric:
    return Metric(f"stream_tracker_stream_{name}", documentation, "gauge")


def _stream_labels(monitor: MonitorSummary) -> dict[str, str]:
    name = shown_name(monitor.name, monitor.title) or monitor.monitor_id
    return {"monitor_id": monitor.monitor_id, "name": name}


def _own_labels(monitor: MonitorSummary) -> dict[str, str]:
    """Return a monitor's labels under names that Prometheus takes; of two alike, the last."""
    return {f"label_{_NO_LABEL.sub('_', key)}": text for key, text in monitor.labels.items()}
