"""Makes the service what a file says, step by step."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import typer

from cli.apply.destinations import plan_destinations
from cli.apply.document import Document, read_document
from cli.apply.monitors import plan_monitors
from cli.apply.silences import plan_silences
from cli.apply.steps import Action, Kind, Options, Step
from cli.client import GatewayRefused, RestClient
from cli.monitor_view import printable
from cli.top import ACTIVE

Items = list[dict[str, Any]]

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
    destinations = _all(client, "/destinations")
    document.check_destinations([each["name"] for each in destinations])
    taker = StepTaker(client, destinations, dry_run=dry_run)
    steps = _plan(client, document, destinations, options)
    done = [step for step in steps if taker.take(step)]
    typer.echo(_summary(done, dry_run=dry_run))
    return len(steps) - len(done)


def _plan(
    client: RestClient, document: Document, destinations: Items, options: Options
) -> list[Step]:
    """Return all steps: what others name is made before them, and removed after them."""
    file = document.file
    names = {each["destination_id"]: each["name"] for each in destinations}
    first = list(plan_destinations(file, destinations, options))
    for step in first:
        if step.item_id and step.action is Action.REPLACE:
            del names[step.item_id]  # so that the monitors are given the new one
    steps = [
        *first,
        *plan_monitors(file, _active_monitors(client, names), options),
        *plan_silences(file, _all(client, "/silences"), options, datetime.now(UTC)),
    ]
    last = (Action.REMOVE, Kind.DESTINATION)
    return sorted(steps, key=lambda step: (step.action, step.kind) == last)


def _active_monitors(client: RestClient, destination_names: Mapping[str, str]) -> Items:
    """Return the active monitors with their settings, and destinations by name."""
    found: dict[str, dict[str, Any]] = {}
    for status in ACTIVE:
        for each in _all(client, "/monitors", status=status, settings="true"):
            named = each["settings"]["destinations"]
            each["settings"]["destinations"] = [destination_names.get(one, one) for one in named]
            found[each["monitor_id"]] = each
    return list(found.values())


def _all(client: RestClient, path: str, **query: Any) -> Items:
    return [each for page in client.pages(path, **query) for each in page]


class StepTaker:
    """Takes steps, or only shows them.

    Args:
        client: of the service.
        destinations: those that exist: monitors name them, the API wants their ids.
        dry_run: whether nothing is to be done.
    """

    def __init__(self, client: RestClient, destinations: Items, *, dry_run: bool) -> None:
        self._client = client
        self._ids = {each["name"]: each["destination_id"] for each in destinations}
        self._dry_run = dry_run

    def take(self, step: Step) -> bool:
        """Show a step and take it; return whether it succeeded."""
        if step.action is not Action.KEEP:
            typer.echo(printable(step))
        try:
            if not self._dry_run:
                self._send(step)
        except GatewayRefused as error:
            typer.echo(f"  refused: {error}", err=True)
            return False
        return True

    def _send(self, step: Step) -> None:
        path = f"{step.kind.path}/{step.item_id}"
        if step.action in (Action.REMOVE, Action.REPLACE):
            self._client.call_patiently("DELETE", path)
        if step.action in (Action.CREATE, Action.REPLACE):
            created = self._client.call_patiently("POST", step.kind.path, body=self._body(step))
            self._note(step, created)
        elif step.action is Action.CHANGE:
            self._client.call_patiently("PATCH", path, body=self._body(step))

    def _body(self, step: Step) -> Mapping[str, Any]:
        if "destinations" not in step.body:
            return step.body
        # A destination that was refused has no id: its name is refused, too.
        ids = [self._ids.get(name, name) for name in step.body["destinations"]]
        return {**step.body, "destinations": ids}

    def _note(self, step: Step, created: Mapping[str, Any]) -> None:
        if step.kind is Kind.DESTINATION:
            self._ids[step.name] = created["destination_id"]
            if secret := created.get("secret"):
                typer.echo(f"  its secret, shown this once: {secret}")


def _summary(steps: Sequence[Step], *, dry_run: bool) -> str:
    counts = Counter(step.action for step in steps)
    said = ", ".join(f"{counts[action]} {word}" for action, word in DONE.items() if counts[action])
    return f"{'Would be: ' if dry_run else ''}{said or 'nothing to do'}"
