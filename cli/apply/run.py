"""Makes the service what a file says, step by step."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer

from cli.apply.document import read_document
from cli.apply.monitors import plan_monitors
from cli.apply.steps import Action, Options, Step
from cli.client import GatewayRefused, RestClient
from cli.monitor_view import printable
from cli.top import ACTIVE

DONE = {
    Action.CREATE: "created",
    Action.CHANGE: "changed",
    Action.REPLACE: "replaced",
    Action.REMOVE: "removed",
    Action.KEEP: "unchanged",
}


def apply_file(client: RestClient, path: Path, options: Options, *, dry_run: bool) -> int:
    """Apply a file, or show what that would do; return how many steps the gateway refused.

    Raises:
        FileRefused: the file breaks a rule; nothing was done.
        GatewayUnreachable: what was done until then stays.
    """
    document = read_document(path)
    steps = list(plan_monitors(document, _active(client), options))
    done = [step for step in steps if _take(client, step, dry_run=dry_run)]
    typer.echo(_summary(done, dry_run=dry_run))
    return len(steps) - len(done)


def _active(client: RestClient) -> list[dict[str, Any]]:
    """Return the active monitors with their settings."""
    found: dict[str, dict[str, Any]] = {}
    for status in ACTIVE:
        for page in client.pages("/monitors", status=status, settings="true"):
            found |= {each["monitor_id"]: each for each in page}
    return list(found.values())


def _take(client: RestClient, step: Step, *, dry_run: bool) -> bool:
    """Show a step and take it; return whether it succeeded."""
    if step.action is not Action.KEEP:
        typer.echo(printable(step))
    try:
        if not dry_run:
            _send(client, step)
    except GatewayRefused as error:
        typer.echo(f"  refused: {error}", err=True)
        return False
    return True


def _send(client: RestClient, step: Step) -> None:
    path = f"{step.kind.path}/{step.item_id}"
    if step.action in (Action.REMOVE, Action.REPLACE):
        client.call_patiently("DELETE", path)
    if step.action in (Action.CREATE, Action.REPLACE):
        client.call_patiently("POST", step.kind.path, body=step.body)
    elif step.action is Action.CHANGE:
        client.call_patiently("PATCH", path, body=step.body)


def _summary(steps: Sequence[Step], *, dry_run: bool) -> str:
    counts = Counter(step.action for step in steps)
    said = ", ".join(f"{counts[action]} {word}" for action, word in DONE.items() if counts[action])
    return f"{'Would be: ' if dry_run else ''}{said or 'nothing to do'}"
