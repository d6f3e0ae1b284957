"""`stream-tracker watch`: a live table of one stream, without any service."""

import json
from collections import deque
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from media.outbound.guard import OutboundGuard
from media.watching import ResumeHint, SegmentProber, SegmentSeen, StreamWatch, WatchState
from monitors.config import MonitorConfig
from monitors.detectors.freeze import missing_pictures
from monitors.events import EndReason, EventDraft
from monitors.measurement import Interval, SegmentMeasurement
from monitors.reports import HealthReport
from monitors.sound import SHORT_GAP_SEC
from runtime.logging import configure_logging
from runtime.settings import StreamSettings
from worker.probe_setup import open_worker_probe
from worker.stream_access import open_stream_side

ROWS = 15


async def watch_url(
    url: str,
    config: MonitorConfig,
    settings: StreamSettings,
    *,
    as_json: bool,
    request_headers: Mapping[str, str] | None = None,
    allow_private_networks: bool = True,
) -> EndReason:
    """Show what a probe finds in the stream behind `url`, until it ends.

    Args:
        url: a stream URL.
        config: thresholds as a monitor has them.
        settings: how streams are reached, as a worker reaches them.
        as_json: one JSON object a segment, an event and a change of health on standard output,
            instead of a table.
        request_headers: sent with every request for the stream.
        allow_private_networks: whoever types the URL may reach what the machine reaches.

    Raises:
        StreamUnavailable: the source says that it can never be watched.
        StartError: a setting cannot be used.
    """
    # The table says what is wrong; lines of a log would tear it.
    quiet = {} if as_json else {"log_level": "error"}
    configure_logging(settings.model_copy(update=quiet))
    state = WatchState()
    screen = _JsonLines() if as_json else _Screen(url, state)
    opened_probe = open_worker_probe(settings, with_loudness=True)
    opened_side = open_stream_side(settings, OutboundGuard(allow_private_networks))
    async with opened_side as side, opened_probe as probe:
        client = side.sources.new_client(request_headers)
        meter = SegmentProber(client, probe.probe, segment_max_bytes=settings.segment_max_bytes)
        source, standing = side.sources.resolve(url, client), ResumeHint()
        with screen:
            while True:
                watch = StreamWatch(
                    source,
                    state,
                    config=config,
                    meter=meter,
                    on_segment=screen.segment,
                    standing=standing,
                )
                ended = await watch.run()
                screen.condition(state.health())
                for happening in state.happened:
                    screen.happening(happening)
                state.happened.clear()
                if ended:
                    screen.ended(ended)
                    return ended


class _JsonLines:
    """Prints what happens as JSON, a line each."""

    def __enter__(self) -> "_JsonLines":
        return self

    def __exit__(self, *exception: object) -> None:
        return None

    def segment(self, seen: SegmentSeen) -> None:
        measured = seen.measurement
        self._print(
            "segment",
            sequence=seen.segment.sequence,
            track=seen.track,
            duration_sec=seen.segment.duration_sec,
            error=seen.error,
            measurement=_without_pictures(measured.model_dump(mode="json")) if measured else None,
        )

    def happening(self, happening: EventDraft) -> None:
        self._print("event", **happening.model_dump(mode="json"))

    def condition(self, health: HealthReport) -> None:
        self._print("health", **health.model_dump(mode="json"))

    def ended(self, reason: EndReason) -> None:
        self._print("ended", reason=reason.value)

    def _print(self, kind: str, **fields: Any) -> None:
        print(json.dumps({"kind": kind, **fields}), flush=True)


class _Screen:
    """A table of the last segments and the events below it."""

    def __init__(self, url: str, state: WatchState) -> None:
        self._url = url
        self._state = state
        self._rows: deque[tuple[str, ...]] = deque(maxlen=ROWS)
        self._events: deque[Text] = deque(maxlen=ROWS)
        self._live = Live(console=Console(), auto_refresh=False)

    def __enter__(self) -> "_Screen":
        self._live.__enter__()
        self._refresh()
        return self

    def __exit__(self, *exception: Any) -> None:
        self._live.__exit__(*exception)

    def segment(self, seen: SegmentSeen) -> None:
        self._rows.append(_row(seen))
        self._refresh()

    def happening(self, happening: EventDraft) -> None:
        data = ", ".join(f"{name} {value}" for name, value in happening.data.items())
        style = "green" if happening.event_type.endswith(("recovered", "resumed")) else "bold red"
        line = f"{happening.timestamp:%H:%M:%S} {happening.event_type} {data}"
        self._events.append(Text(line, style=style))
        self._refresh()

    def condition(self, health: HealthReport) -> None:
        self._refresh()

    def ended(self, reason: EndReason) -> None:
        self._events.append(Text(f"{datetime.now(UTC):%H:%M:%S} ended: {reason}", style="bold"))
        self._refresh()

    def _refresh(self) -> None:
        table = Table("time", "segment", "seconds", "KiB", "picture", "sound", "LUFS")
        for row in self._rows:
            table.add_row(*row)
        health = self._state.health()
        incidents = ", ".join(self._state.open_incidents()) or "none"
        condition = f"picture {health.video}, sound {health.audio}, open incidents: {incidents}"
        if health.reason:
            condition += f"; not observed: {health.reason}"
        self._live.update(
            Group(Text(self._url), table, Text(condition), *self._events), refresh=True
        )


def _row(seen: SegmentSeen) -> tuple[str, ...]:
    segment, measured = seen.segment, seen.measurement
    head = (f"{seen.seen_at:%H:%M:%S}", str(segment.sequence), f"{segment.duration_sec:.2f}")
    if measured is None:
        return (*head, "", seen.error or "", "", "")
    sound = _missing(measured) or _faults("silent", measured.silent) or "ok"
    loudness = "" if measured.loudness_lufs is None else f"{measured.loudness_lufs:.1f}"
    return (
        *head,
        f"{measured.size_bytes / 1024:.0f}",
        _picture(measured),
        sound if measured.has_audio else "none",
        loudness,
    )


def _picture(measured: SegmentMeasurement) -> str:
    if not measured.has_video:
        return "none"
    if measured.is_video_missing:
        return "missing"
    still = [run for run in measured.still if run.end - run.start >= measured.duration_sec / 2]
    missing = _faults("missing", missing_pictures(measured))
    return missing or _faults("black", measured.black) or _faults("still", still) or "ok"


def _missing(measured: SegmentMeasurement) -> str:
    gaps = [gap for gap in measured.audio_gaps if gap.end - gap.start > SHORT_GAP_SEC]
    return _faults("missing", gaps)


def _faults(name: str, intervals: Sequence[Interval]) -> str:
    seconds = sum(interval.end - interval.start for interval in intervals)
    return f"{name} {seconds:.1f} s" if seconds else ""


def _without_pictures(measurement: dict[str, Any]) -> dict[str, Any]:
    for run in measurement["still"]:
        del run["picture"]
    return measurement
