"""The kept histories: a file each, as Temporal's web UI and CLI download them."""

import json
from pathlib import Path
from typing import Any

from temporalio.client import WorkflowHistory

FOLDER = Path(__file__).parent / "histories"


def names() -> list[str]:
    """Return the names of the kept histories."""
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def read(name: str) -> WorkflowHistory:
    """Read a kept history."""
    return WorkflowHistory.from_json(name, path_of(name).read_text())


def keep(name: str, history: WorkflowHistory) -> None:
    """Keep a history, an event a line, without what replay does not read."""
    events = _slim(json.loads(history.to_json()))["events"]
    lines = ",\n".join(json.dumps(event) for event in events)
    path_of(name).write_text(f'{{"events": [\n{lines}\n]}}\n')


def path_of(name: str) -> Path:
    """Return the file of a history."""
    return FOLDER / f"{name}.json"


def _slim(value: Any) -> Any:
    """Leave out stack traces, which tell of the machine, and the inputs of activities."""
    if isinstance(value, dict):
        if "activityType" in value:
            value = {**value, "input": None}
        return {
            name: _slim(member)
            for name, member in value.items()
            if name != "stackTrace" and member not in (None, {}, "")
        }
    return [_slim(member) for member in value] if isinstance(value, list) else value
