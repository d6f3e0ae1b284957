"""What the demo shows: a live table on a terminal, plain lines elsewhere."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, Self

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from cli.demo.account import Account, Arrival, Row
from cli.demo.broadcast import OnAir


@dataclass(frozen=True)
class View:
    """What there is to show at a moment.

    Attributes:
        elapsed_sec, airtime_sec: of the broadcast, so far and in all.
        scenes: what has been on air, oldest first.
        segments: how many are published.
        condition: what the gateway says of the monitor, in plain words.
    """

    elapsed_sec: float
    airtime_sec: float
    scenes: Sequence[OnAir]
    segments: int
    condition: str
    account: Account


class Screen(Protocol):
    """Shows views while its context is open."""

    def __enter__(self) -> Self:
        """Begin to show."""

    def __exit__(self, *exception: Any) -> None:
        """Leave what was shown last."""

    def show(self, view: View) -> None:
        """Show a view."""


def choose_screen(console: Console) -> Screen:
    """Return the table for a terminal, plain lines for a file or a pipe."""
    return LiveTable(console) if console.is_terminal else PlainLines(print_line)


def print_line(line: str) -> None:
    """Print a line at once, whoever reads it."""
    print(line, flush=True)


class LiveTable:
    """One table that fills up: the script on the left, what was reported on the right."""

    def __init__(self, console: Console) -> None:
        self._live = Live(console=console, auto_refresh=False)

    def __enter__(self) -> Self:
        self._live.__enter__()
        return self

    def __exit__(self, *exception: Any) -> None:
        self._live.__exit__(*exception)

    def show(self, view: View) -> None:
        """Show a view."""
        self._live.update(_page(view), refresh=True)


class PlainLines:
    """A line for each scene and for each webhook, once it has come."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._scenes = 0
        self._arrivals = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: Any) -> None:
        return None

    def show(self, view: View) -> None:
        """Print what is new in a view."""
        for scene in view.scenes[self._scenes :]:
            self._write(f"{_clock(scene.started_at)}  on air   {scene.caption}")
        self._scenes = len(view.scenes)
        for arrival in view.account.arrivals[self._arrivals :]:
            self._write(f"{_clock(arrival.at)}  webhook  {_told(arrival, view.account)}")
        self._arrivals = len(view.account.arrivals)


def _page(view: View) -> Group:
    now = view.scenes[-1].caption if view.scenes else "nothing yet"
    seconds = f"{min(view.elapsed_sec, view.airtime_sec):.0f} of {view.airtime_sec:.0f} s"
    return Group(
        Text(f"On air: {now}", style="bold"),
        Text(f"{seconds}, {view.segments} segments published; {view.condition}"),
        _table(view.account),
    )


def _table(account: Account) -> Table:
    table = Table("could be known", "because of", "event", "arrived", "delay")
    table.columns[-1].justify = "right"
    for row in account.rows:
        table.add_row(*_cells(row), style=_style(row))
    for arrival in account.superfluous:
        reason = arrival.problem or "nobody expected it"
        table.add_row("", reason, arrival.name, _clock(arrival.at), "", style="bold red")
    return table


def _cells(row: Row) -> tuple[str, str, str, str, str]:
    delay_sec = row.delay_sec
    return (
        _clock(row.known_at) if row.known_at else "",
        row.expected.cause,
        row.expected.event_type,
        _clock(row.arrival.at) if row.arrival else "",
        "" if delay_sec is None else f"{delay_sec:.2f} s",
    )


def _style(row: Row) -> str:
    if row.arrival:
        return "green"
    return "yellow" if row.known_at else "dim"


def _told(arrival: Arrival, account: Account) -> str:
    if arrival.problem:
        return f"{arrival.name}: NOT GENUINE, {arrival.problem}"
    row = next((row for row in account.rows if row.arrival is arrival), None)
    if row is None:
        return f"{arrival.name}: NOT EXPECTED"
    delay = "" if row.delay_sec is None else f", {row.delay_sec:.2f} s after it could be known"
    return f"{arrival.name} ({row.expected.cause}){delay}"


def _clock(moment: datetime) -> str:
    local = moment.astimezone()
    return f"{local:%H:%M:%S}.{local.microsecond // 100_000}"
