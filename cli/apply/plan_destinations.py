"""Which steps make the destinations what a file says: pure, from two states to steps."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cli.apply.document import ApplyFile, DestinationEntry
from cli.apply.plan_steps import Action, Difference, Kind, Options, Step, difference

UNCOMPARED = {"url", "ed25519"}


def plan_destinations(
    file: ApplyFile, existing: Sequence[Mapping[str, Any]], options: Options
) -> Iterator[Step]:
    """Yield a step for each destination of the file, and for each that it no longer names.

    `existing` has those that there are, newest first.
    """
    newest: dict[str, Mapping[str, Any]] = {}
    for each in existing:
        newest.setdefault(each["name"], each)
    for entry in file.destinations:
        yield _step(entry, newest.get(entry.name), file.set, options)
    named = [newest.get(entry.name) for entry in file.destinations]
    # Others of the same name are what a failure left of an earlier replacement.
    others = [each for each in existing if all(each is not one for one in named)]
    for found in others if options.prune else ():
        if found["applied_by"] == file.set:
            item_id = found["destination_id"]
            yield Step(Action.REMOVE, Kind.DESTINATION, found["name"], item_id=item_id)


def _step(
    entry: DestinationEntry, found: Mapping[str, Any] | None, set_name: str, options: Options
) -> Step:
    creation = entry.model_dump(mode="json", exclude_unset=True) | {"applied_by": set_name}
    if found is None:
        return Step(Action.CREATE, Kind.DESTINATION, entry.name, body=creation)
    wanted = entry.model_dump(mode="json", exclude=UNCOMPARED) | {"applied_by": set_name}
    differences = list(_differences(entry, found, wanted))
    item_id = found["destination_id"]
    if any(each.is_fixed for each in differences):
        return Step(Action.REPLACE, Kind.DESTINATION, entry.name, differences, item_id, creation)
    body = {each.name: wanted[each.name] for each in differences}
    if options.send_secrets:
        differences.append(Difference("url", "url sent again"))
        body["url"] = entry.url
    action = Action.CHANGE if differences else Action.KEEP
    return Step(action, Kind.DESTINATION, entry.name, differences, item_id, body)


def _differences(
    entry: DestinationEntry, found: Mapping[str, Any], wanted: Mapping[str, Any]
) -> Iterator[Difference]:
    for name, new in wanted.items():
        if found[name] != new:
            yield difference(name, found[name], new, is_fixed=name == "type", is_shown=True)
    has_key = found["public_key"] is not None
    if has_key != entry.ed25519:
        yield difference("ed25519", has_key, entry.ed25519, is_fixed=True, is_shown=True)
