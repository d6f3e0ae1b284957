"""What the demo shows: a live table on a terminal, plain lines elsewhere, a summary at the end."""

from collections.abc import Sequence
from datetime import datetime
from textwrap import fill
from typing import Any, Self

from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from cli.demo.broadcast import SceneOnAir
from cli.demo.checklist import Arrival, Checklist, Row, percentile
from cli.demo.script import CONFIG, DELAY_BOUND_SEC, airtime_sec, expectations
from cli.embedded.service import Endpoints

WIDTH = 88
SHOWN_ID_CHARS = len("inc-5a9be5a8")


def print_line(line: str) -> None:
    print(line, flush=True)


def introduction() -> str:
    return fill(
        f"A live stream of {airtime_sec():.0f} s goes on air on this machine, with scripted "
        "faults: black, silence, a frozen picture, a stall, the end. The whole service watches "
        "it (Temporal server, gateway, worker) and posts signed webhooks to a receiver that "
        f"verifies them. {len(expectations())} events must arrive and no other. Delays count from "
        "the moment the segment that completes a threshold is in the playlist. The thresholds "
        f"are short here: black {CONFIG.blackout_threshold_sec:g} s, silence "
        f"{CONFIG.silence_threshold_sec:g} s, freeze {CONFIG.freeze_threshold_sec:g} s, stall "
        f"{CONFIG.suspend_threshold_sec:g} s, recovery {CONFIG.recovery_sec:g} s. "
        "Starting the service ...",
        WIDTH,
    )


def places(endpoints: Endpoints, page: str, stream_url: str, monitor_id: str) -> str:
    """Return where the running service can be looked at; `page` logs in once."""
    workflow = f"{endpoints.temporal_ui}/namespaces/default/workflows/{monitor_id}"
    return (
        f"  page         {page}\n"
        f"  Temporal UI  {workflow}\n"
        f"  API          {endpoints.gateway}/docs\n"
        f"  API_KEY      {endpoints.keys['API_KEY']}\n"
        f"  stream       {stream_url}\n"
    )


class Screen:
    """Shows the script beside what was reported while its context is open."""

    def __init__(self, console: Console, checklist: Checklist) -> None:
        self._live = Live(console=console, auto_refresh=False) if console.is_terminal else None
        self._checklist = checklist
        self._printed_scenes = self._printed_arrivals = 0

    def __enter__(self) -> Self:
        if self._live:
            self._live.__enter__()
        return self

    def __exit__(self, *exception: Any) -> None:
        if self._live:
            self._live.__exit__(*exception)

    def show(self, scenes: Sequence[SceneOnAir], condition: str) -> None:
        if not self._live:
            self._print_new(scenes)
            return
        now = scenes[-1].caption if scenes else "nothing yet"
        heading = Text(f"On air: {now}", style="bold")
        self._live.update(Group(heading, Text(condition), _table(self._checklist)), refresh=True)

    def _print_new(self, scenes: Sequence[SceneOnAir]) -> None:
        for scene in scenes[self._printed_scenes :]:
            print_line(f"{_clock(scene.started_at)}  on air   {scene.caption}")
        self._printed_scenes = len(scenes)
        arrivals = self._checklist.arrivals
        for arrival in arrivals[self._printed_arrivals :]:
            print_line(f"{_clock(arrival.at)}  webhook  {_line(arrival, self._checklist)}")
        self._printed_arrivals = len(arrivals)


def print_summary(checklist: Checklist, problems: Sequence[str]) -> None:
    text, console = summary(checklist, problems), Console()
    if console.is_terminal:
        style = "bold red" if problems else "bold green"
        console.print(Panel(Text(text), border_style=style, width=WIDTH))
    else:
        print_line(f"\n{text}")


def summary(checklist: Checklist, problems: Sequence[str]) -> str:
    arrived = sum(row.arrival is not None for row in checklist.rows)
    lines = [
        f"{len(checklist.rows)} events expected, {arrived} arrived, "
        f"{len(checklist.unexpected)} unexpected; "
        f"{len(checklist.verified)} of {len(checklist.arrivals)} signatures valid.",
        *_delays(checklist.delays_sec()),
        *problems,
        "Something is wrong." if problems else "All as scripted.",
    ]
    return "\n".join(lines)


def _delays(delays_sec: Sequence[float]) -> list[str]:
    if not delays_sec:
        return []
    p50, p95, worst = (percentile(delays_sec, share) for share in (0.5, 0.95, 1.0))
    verdict = "within" if p95 <= DELAY_BOUND_SEC else "OVER"
    return [
        f"Delay: p50 {p50:.2f} s, p95 {p95:.2f} s, max {worst:.2f} s; p95 is {verdict} the bound "
        f"of {DELAY_BOUND_SEC:g} s",
        "(one target duration + 1 s).",
    ]


def _table(checklist: Checklist) -> Table:
    table = Table("could be known", "because of", "event", "arrived", "delay", "incident")
    table.columns[-2].justify = "right"
    for row in checklist.rows:
        table.add_row(*_cells(row), style=_style(row))
    for arrival in checklist.unexpected:
        reason = arrival.problem or "unexpected"
        table.add_row("", reason, arrival.event_type, _clock(arrival.at), style="bold red")
    return table


def _cells(row: Row) -> tuple[str, ...]:
    delay_sec = row.delay_sec
    incident_id = (row.arrival and row.arrival.incident_id) or ""
    return (
        _clock(row.known_at) if row.known_at else "",
        row.expected.cause,
        row.expected.event_type,
        _clock(row.arrival.at) if row.arrival else "",
        "" if delay_sec is None else f"{delay_sec:.2f} s",
        incident_id[:SHOWN_ID_CHARS],
    )


def _style(row: Row) -> str:
    if row.arrival:
        return "green"
    return "yellow" if row.known_at else "dim"


def _line(arrival: Arrival, checklist: Checklist) -> str:
    if arrival.problem:
        return f"{arrival.event_type}: NOT VERIFIED, {arrival.problem}"
    row = next((row for row in checklist.rows if row.arrival is arrival), None)
    if row is None:
        return f"{arrival.event_type}: NOT EXPECTED"
    delay = "" if row.delay_sec is None else f", {row.delay_sec:.2f} s after it could be known"
    incident = f" · {arrival.incident_id}" if arrival.incident_id else ""
    return f"{arrival.event_type} ({row.expected.cause}){delay}{incident}"


def _clock(moment: datetime) -> str:
    local = moment.astimezone()
    return f"{local:%H:%M:%S}.{local.microsecond // 100_000}"
