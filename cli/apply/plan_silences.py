"""Which steps make the silences what a file says: pure, from two states to steps.

A silence cannot change: what differs is another one, and the old one ends with `--prune`.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from cli.apply.document import ApplyFile, SilenceEntry
from cli.apply.plan_steps import Action, Kind, Options, Step


def plan_silences(
    file: ApplyFile, existing: Sequence[Mapping[str, Any]], options: Options, now: datetime
) -> Iterator[Step]:
    """Yield a step for each silence of the file that has not ended, and for each it lacks.

    `existing` has the silences that have not ended, as the API lists them.
    """
    remaining = list(existing)
    for entry in file.silences:
        if entry.ends_at <= now:
            continue
        found = next((each for each in remaining if _is_same(entry, each)), None)
        if found:
            remaining.remove(found)
            yield Step(Action.KEEP, Kind.SILENCE, _name(entry), item_id=found["silence_id"])
        else:
            body = entry.model_dump(mode="json", exclude_unset=True) | {"applied_by": file.set}
            yield Step(Action.CREATE, Kind.SILENCE, _name(entry), body=body)
    for each in remaining if options.prune else ():
        if each["applied_by"] == file.set:
            name = each["note"] or f"until {each['ends_at']}"
            yield Step(Action.REMOVE, Kind.SILENCE, name, item_id=each["silence_id"])


def _is_same(entry: SilenceEntry, found: Mapping[str, Any]) -> bool:
    known = {name: found[name] for name in SilenceEntry.model_fields}
    return entry == SilenceEntry.model_validate(known)


def _name(entry: SilenceEntry) -> str:
    return entry.note or f"until {entry.ends_at.isoformat()}"
