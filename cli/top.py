"""`stream-tracker top`: all active monitors, worst first, as they are now."""

import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import typer
from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from cli.client import ACTIVE, PAGE, GatewayRefused, GatewayUnreachable, RestClient, open_gateway
from cli.command import INTERRUPTED, LOCAL_GATEWAY, AsJson, DataDir, GatewayUrl, table
from cli.monitor_view import COLUMNS, WORST_FIRST, id_chars, row, urgency, worst_health

REFRESH_SEC = 2.0
SEC_PER_CALL = 1.2  # half of what RATE_LIMIT_READ allows a key by default
Monitors = list[dict[str, Any]]


def top(
    url: GatewayUrl = LOCAL_GATEWAY, data_dir: DataDir = Path("data"), as_json: AsJson = False
) -> None:
    """Show a live table of all active monitors, worst first; without a terminal, what changes."""
    try:
        with open_gateway(url, data_dir) as client:
            _show(client, as_json=as_json)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


def _show(client: RestClient, *, as_json: bool) -> None:
    # The first attempt may raise; later ones are shown, and made again.
    console = Console()
    monitors = client.active_monitors()
    if console.is_terminal and not as_json:
        with Live(console=console, screen=True, auto_refresh=False) as live:

            def show(monitors: Monitors, problem: str) -> None:
                live.update(_page(console, monitors, problem), refresh=True)

            _refresh(client, monitors, show)
    else:
        _refresh(client, monitors, _ChangedLines(as_json=as_json))


def _refresh(client: RestClient, monitors: Monitors, show: Callable[[Monitors, str], None]) -> None:
    problem = ""
    while True:
        show(sorted(monitors, key=urgency), problem)
        calls = len(ACTIVE) + len(monitors) // PAGE
        time.sleep(max(REFRESH_SEC, calls * SEC_PER_CALL))
        try:
            monitors, problem = client.active_monitors(), ""
        except (GatewayRefused, GatewayUnreachable) as error:
            problem = str(error)


class _ChangedLines:
    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._shown: dict[str, tuple[str, ...]] = {}
        self._problem = ""

    def __call__(self, monitors: Monitors, problem: str) -> None:
        if problem != self._problem:
            typer.echo(problem or "the gateway answers again", err=True)
            self._problem = problem
        if problem:
            return
        now = {monitor["monitor_id"]: row(monitor) for monitor in monitors}
        for monitor in monitors:
            if self._shown.get(monitor["monitor_id"]) != now[monitor["monitor_id"]]:
                self._print(monitor)
        for monitor_id in self._shown.keys() - now.keys():
            self._print({"monitor_id": monitor_id, "status": "ended"})
        self._shown = now

    def _print(self, monitor: dict[str, Any]) -> None:
        if self._as_json:
            typer.echo(json.dumps(monitor))
        elif monitor["status"] == "ended":
            typer.echo(f"{time.strftime('%H:%M:%S')}  {monitor['monitor_id']}  ended")
        else:
            typer.echo(f"{time.strftime('%H:%M:%S')}  {'  '.join(row(monitor))}")


def _page(console: Console, monitors: Monitors, problem: str) -> Group:
    room = max(1, console.height - 6)
    shown = monitors[:room]
    chars = id_chars([monitor["monitor_id"] for monitor in monitors])
    hidden = f"{len(monitors) - room} more below" if len(monitors) > room else ""
    return Group(
        Text(_heading(monitors), style="bold"),
        table(COLUMNS, [row(monitor, id_chars=chars) for monitor in shown]),
        Text(problem or hidden, style="bold red" if problem else "dim"),
    )


def _heading(monitors: Sequence[dict[str, Any]]) -> str:
    counts = Counter(map(worst_health, monitors))
    said = ", ".join(f"{counts[word]} {word}" for word in WORST_FIRST if counts[word])
    return f"{time.strftime('%H:%M:%S')}  {len(monitors)} monitors" + (f": {said}" if said else "")
