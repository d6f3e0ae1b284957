"""`stream-tracker watch`: what a probe finds in one stream, without any service."""

import json
from collections import deque
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, Self

import typer
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from cli.command import printable
from media.outbound.guard import OutboundGuard
from media.sources.source import Observation, Source, SourceState
from media.watching import ResumeHint, SegmentProber, SegmentSeen, StreamWatch, WatchState
from monitors.config import MonitorConfig
from monitors.detectors.freeze import missing_frames
from monitors.events import EndReason, EventDraft
from monitors.measurement import Interval, SegmentMeasurement
from monitors.sound import SHORT_GAP_SEC
from runtime.logging import configure_logging
from runtime.settings import StreamSettings
from worker.probe_setup import open_worker_probe
from worker.stream_access import open_stream_access

ROWS = 15
COLUMNS = ("time", "segment", "seconds", "KiB", "video", "audio", "LUFS")
NO_MEDIA = {
    SourceState.UPCOMING: "not on air",
    SourceState.ENDED: "over",
    SourceState.UNAVAILABLE: "cannot be watched",
    SourceState.NOT_OBSERVED: "not observed",
}
"""What a look found instead of media; its message follows."""


class Output:
    """Shows what happens while its context is open; each kind of output shows what it can."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: Any) -> None:
        return None

    def observation(self, seen: Observation) -> None:
        """Show what a look at the source found."""

    def segment(self, seen: SegmentSeen) -> None:
        """Show a segment."""

    def event(self, event: EventDraft) -> None:
        """Show an event."""

    def health(self, state: WatchState) -> None:
        """Show the condition of the stream."""

    def ended(self, reason: EndReason) -> None:
        """Show why the stream ended."""


async def watch_url(
    url: str,
    config: MonitorConfig,
    settings: StreamSettings,
    request_headers: Mapping[str, str] | None = None,
    *,
    as_json: bool,
) -> EndReason:
    """Show what a probe finds in the stream behind `url`, until it ends.

    Private addresses are allowed: who types the URL reaches them anyway.

    Raises:
        StreamUnavailable: the source says that it can never be watched.
        StartError: a setting cannot be used.
    """
    # Log lines would break the live table, which shows problems itself.
    quiet = {} if as_json else {"log_level": "error"}
    configure_logging(settings.model_copy(update=quiet))
    state = WatchState()
    with _output(url, state, as_json=as_json) as output:
        async with (
            open_stream_access(settings, OutboundGuard(allow_private_networks=True)) as access,
            open_worker_probe(settings, with_loudness=True) as probe,
        ):
            client = access.sources.new_client(request_headers)
            source = _ObservedSource(access.sources.resolve(url, client), output)
            prober = SegmentProber(
                client, probe.probe, segment_max_bytes=settings.segment_max_bytes
            )
            return await _watch(source, state, config, prober, output)


async def _watch(
    source: Source, state: WatchState, config: MonitorConfig, prober: SegmentProber, output: Output
) -> EndReason:
    hint = ResumeHint()
    while True:
        watch = StreamWatch(
            source,
            state,
            config=config,
            prober=prober,
            on_segment=output.segment,
            hint=hint,
        )
        ended = await watch.run()
        output.health(state)
        for event in state.pending_events:
            output.event(event)
        state.pending_events.clear()
        if ended:
            output.ended(ended)
            return ended


class _ObservedSource:
    def __init__(self, source: Source, output: Output) -> None:
        self.observe_status = source.observe_status
        self.poll_delay_sec = source.poll_delay_sec
        self._observe = source.observe
        self._output = output

    async def observe(self, *, refresh: bool = False) -> Observation:
        seen = await self._observe(refresh=refresh)
        self._output.observation(seen)
        return seen


def _output(url: str, state: WatchState, *, as_json: bool) -> Output:
    if as_json:
        return _JsonLines()
    console = Console()
    return _LiveTable(console, url, state) if console.is_terminal else _PlainLines(url)


class _JsonLines(Output):
    def __init__(self) -> None:
        self._printed: Observation | None = None

    def observation(self, seen: Observation) -> None:
        """Print why there is no media, once; of `NOT_OBSERVED` the health gives the reason."""
        if seen.media or seen.state is SourceState.NOT_OBSERVED or seen == self._printed:
            return
        self._printed = seen
        self._print("observation", state=seen.state, reason=seen.reason, message=seen.message)

    def segment(self, seen: SegmentSeen) -> None:
        measured = seen.measurement
        self._print(
            "segment",
            sequence=seen.segment.sequence,
            track=seen.track,
            duration_sec=seen.segment.duration_sec,
            error=seen.error,
            measurement=_without_pictures(measured) if measured else None,
        )

    def event(self, event: EventDraft) -> None:
        self._print("event", **event.model_dump(mode="json"))

    def health(self, state: WatchState) -> None:
        self._print("health", **state.health().model_dump(mode="json"))

    def ended(self, reason: EndReason) -> None:
        self._print("ended", reason=reason.value)

    def _print(self, kind: str, **fields: Any) -> None:
        print(json.dumps({"kind": kind, **fields}), flush=True)


class _PlainLines(Output):
    def __init__(self, url: str) -> None:
        self._condition = ""
        _print_line(f"loading {printable(url)}")

    def observation(self, seen: Observation) -> None:
        if seen.media is None:
            self._print_once(_no_media(seen))

    def segment(self, seen: SegmentSeen) -> None:
        row = segment_row(seen)
        heard = f"{row.audio} {row.lufs} LUFS" if row.lufs else row.audio
        _print_line(
            f"{seen.track} {row.sequence}  {row.duration_sec} s  {row.kibibytes or '-'} KiB  "
            f"video {row.video}  audio {heard or '-'}"
        )

    def event(self, event: EventDraft) -> None:
        _print_line(event_text(event))

    def health(self, state: WatchState) -> None:
        self._print_once(_condition(state))

    def ended(self, reason: EndReason) -> None:
        _print_line(f"ended: {reason}")

    def _print_once(self, condition: str) -> None:
        if condition != self._condition:
            _print_line(condition)
        self._condition = condition


class _LiveTable(Output):
    def __init__(self, console: Console, url: str, state: WatchState) -> None:
        self._url = printable(url)
        self._state = state
        self._no_media: str | None = "loading ..."
        self._rows: deque[SegmentRow] = deque(maxlen=ROWS)
        self._events: deque[Text] = deque(maxlen=ROWS)
        self._live = Live(console=console, auto_refresh=False)

    def __enter__(self) -> Self:
        self._live.__enter__()
        self._refresh()
        return self

    def __exit__(self, *exception: Any) -> None:
        self._live.__exit__(*exception)

    def observation(self, seen: Observation) -> None:
        self._no_media = None if seen.media else _no_media(seen)
        self._refresh()

    def segment(self, seen: SegmentSeen) -> None:
        self._rows.append(segment_row(seen))
        self._refresh()

    def event(self, event: EventDraft) -> None:
        is_good = event.event_type.endswith(("recovered", "resumed"))
        line = f"{event.timestamp.astimezone():%H:%M:%S}  {event_text(event)}"
        self._events.append(Text(line, style="green" if is_good else "bold red"))
        self._refresh()

    def health(self, state: WatchState) -> None:
        self._refresh()

    def ended(self, reason: EndReason) -> None:
        self._events.append(Text(f"{datetime.now():%H:%M:%S}  ended: {reason}", style="bold"))
        self._refresh()

    def _refresh(self) -> None:
        table = Table(*COLUMNS)
        for row in self._rows:
            table.add_row(*map(Text, row))
        problem = self._no_media or self._state.unknown_because
        condition = Text(problem or _condition(self._state), style="yellow" if problem else "")
        shown: list[Text | Table] = [Text(self._url, style="bold"), condition]
        if self._rows:
            shown.append(table)
        self._live.update(Group(*shown, *self._events), refresh=True)


def _print_line(text: str) -> None:
    typer.echo(f"{datetime.now():%H:%M:%S}  {text}")


def _no_media(seen: Observation) -> str:
    return f"{NO_MEDIA.get(seen.state, seen.state)}: {printable(seen.message or seen.reason)}"


def _condition(state: WatchState) -> str:
    if because := state.unknown_because:
        return f"{NO_MEDIA[SourceState.NOT_OBSERVED]}: {printable(because)}"
    health = state.health()
    seen = f", seen: {health.reason}" if health.reason else ""
    incidents = ", ".join(state.open_incidents()) or "none"
    return f"video {health.video}, audio {health.audio}{seen}, open incidents: {incidents}"


def event_text(event: EventDraft) -> str:
    told = [_field_text(name, value) for name, value in event.data.items()]
    return printable(f"{event.event_type}  {', '.join(filter(None, told))}")


def _field_text(name: str, value: Any) -> str:
    if isinstance(value, dict):
        return ""
    if name.endswith("_sec") and isinstance(value, int | float):
        return f"{name.removesuffix('_sec').replace('_', ' ')} {value:g} s"
    if name.endswith("_at") and isinstance(value, str):
        moment = datetime.fromisoformat(value).astimezone()
        return f"{name.removesuffix('_at').replace('_', ' ')} {moment:%H:%M:%S}"
    return f"{name} {value}"


class SegmentRow(NamedTuple):
    """What is shown of a segment, in the order of `COLUMNS`."""

    seen_at: str
    sequence: str
    duration_sec: str
    kibibytes: str = ""
    video: str = ""
    audio: str = ""
    lufs: str = ""


def segment_row(seen: SegmentSeen) -> SegmentRow:
    segment, measured = seen.segment, seen.measurement
    row = SegmentRow(
        f"{seen.seen_at.astimezone():%H:%M:%S}",
        str(segment.sequence),
        f"{segment.duration_sec:.2f}",
    )
    if measured is None:
        return row._replace(video=printable(seen.error or ""))
    return row._replace(
        kibibytes=f"{measured.size_bytes / 1024:.0f}",
        video=_video(measured),
        audio=_audio(measured),
        lufs="" if measured.loudness_lufs is None else f"{measured.loudness_lufs:.1f}",
    )


def _video(measured: SegmentMeasurement) -> str:
    if not measured.has_video:
        return "none"
    if measured.is_video_missing:
        return "missing"
    still = [run for run in measured.still if run.end - run.start >= measured.duration_sec / 2]
    missing = _faults("missing", missing_frames(measured))
    return missing or _faults("black", measured.black) or _faults("still", still) or "ok"


def _audio(measured: SegmentMeasurement) -> str:
    if not measured.has_audio:
        return "none"
    gaps = [gap for gap in measured.audio_gaps if gap.end - gap.start > SHORT_GAP_SEC]
    return _faults("missing", gaps) or _faults("silent", measured.silent) or "ok"


def _faults(name: str, intervals: Sequence[Interval]) -> str:
    seconds = sum(interval.end - interval.start for interval in intervals)
    return f"{name} {seconds:.1f} s" if seconds else ""


def _without_pictures(measurement: SegmentMeasurement) -> dict[str, Any]:
    return measurement.model_dump(mode="json", exclude={"still": {"__all__": {"picture"}}})
