"""Makes the service what a file says, step by step."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import typer

from cli.apply.document import ApplyDocument, read_document
from cli.apply.plan import (
    Action,
    Kind,
    Options,
    Step,
    plan_destinations,
    plan_monitors,
    plan_silences,
)
from cli.client import GatewayRefused, RestClient
from cli.command import printable

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
    destinations = client.all("/destinations")
    document.check_destinations([each["name"] for each in destinations])
    taker = StepTaker(client, destinations, dry_run=dry_run)
    steps = _plan(client, document, destinations, options)
    done = [step for step in steps if taker.take(step)]
    taker.remove_replaced()
    typer.echo(_summary(done, dry_run=dry_run))
    return len(steps) - len(done)


def _plan(
    client: RestClient, document: ApplyDocument, destinations: Items, options: Options
) -> list[Step]:
    """Return all steps: what others name is made before them, and removed after them.

    What is taken away comes last, so that a failure before it leaves nothing worse than it was.
    """
    file = document.file
    names = {each["destination_id"]: each["name"] for each in destinations}
    first = list(plan_destinations(file, destinations, options))
    for step in first:
        if step.item_id and step.action is Action.REPLACE:
            del names[step.item_id]  # so that the monitors are given the new one
    steps = [
        *first,
        *plan_monitors(file, _active_monitors(client, names), options),
        *plan_silences(file, client.all("/silences"), options, datetime.now(UTC)),
    ]
    return sorted(steps, key=_turn)


def _turn(step: Step) -> int:
    if step.action is Action.REMOVE:
        return 3 if step.kind is Kind.DESTINATION else 2
    return int((step.action, step.kind) == (Action.REPLACE, Kind.MONITOR))


def _active_monitors(client: RestClient, destination_names: Mapping[str, str]) -> Items:
    found = client.active_monitors(settings="true")
    for each in found:
        named = each["settings"]["destinations"]
        each["settings"]["destinations"] = [destination_names.get(one, one) for one in named]
    return found


class StepTaker:
    """Takes steps, or only shows them; `destinations` are those that exist."""

    def __init__(self, client: RestClient, destinations: Items, *, dry_run: bool) -> None:
        self._client = client
        # Monitors name destinations, the API wants their ids.
        self._ids = {each["name"]: each["destination_id"] for each in reversed(destinations)}
        self._dry_run = dry_run
        self._replaced: list[str] = []
        self._has_refusals = False

    def take(self, step: Step) -> bool:
        if step.action is not Action.KEEP:
            typer.echo(printable(step))
        if self._has_refusals and step.action is Action.REMOVE:
            typer.echo("  left: something before it was refused", err=True)
            return False
        try:
            if not self._dry_run:
                self._send(step)
        except GatewayRefused as error:
            typer.echo(f"  refused: {error}", err=True)
            self._has_refusals = True
            return False
        return True

    def remove_replaced(self) -> None:
        """Remove the destinations that were replaced, unless some monitor may still name them."""
        for path in () if self._has_refusals else self._replaced:
            self._client.call_patiently("DELETE", path)

    def _send(self, step: Step) -> None:
        path = f"{step.kind.path}/{step.item_id}"
        if step.action is Action.REMOVE:
            self._client.call_patiently("DELETE", path)
        elif step.action is Action.CREATE:
            self._create(step, step.body)
        elif step.action is Action.CHANGE:
            self._client.call_patiently("PATCH", path, body=self._body(step.body))
        elif step.action is Action.REPLACE and step.kind is Kind.DESTINATION:
            self._create(step, step.body)
            self._replaced.append(path)
        elif step.action is Action.REPLACE:
            self._replace(step, path)

    def _replace(self, step: Step, path: str) -> None:
        """Put a monitor in the place of one of the same stream; two of it cannot be active."""
        self._client.call_patiently("DELETE", path)
        try:
            self._create(step, step.body)
        except GatewayRefused:
            self._create(step, step.before)
            typer.echo("  as it was before", err=True)
            raise

    def _create(self, step: Step, body: Mapping[str, Any]) -> None:
        created = self._client.call_patiently("POST", step.kind.path, body=self._body(body))
        if step.kind is Kind.DESTINATION:
            self._ids[step.name] = created["destination_id"]
            if secret := created.get("secret"):
                typer.echo(f"  its secret, shown this once: {secret}")

    def _body(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        if "destinations" not in body:
            return body
        # A destination that was refused has no id: its name is refused, too.
        ids = [self._ids.get(name, name) for name in body["destinations"]]
        return {**body, "destinations": ids}


def _summary(steps: Sequence[Step], *, dry_run: bool) -> str:
    counts = Counter(step.action for step in steps)
    said = ", ".join(f"{counts[action]} {word}" for action, word in DONE.items() if counts[action])
    return f"{'Would be: ' if dry_run else ''}{said or 'nothing to do'}"
