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
    """Keep a history, without what tells of the machine on which it was recorded."""
    events = _without_stack_traces(json.loads(history.to_json()))
    path_of(name).write_text(json.dumps(events, indent=1) + "\n")


def path_of(name: str) -> Path:
    """Return the file of a history."""
    return FOLDER / f"{name}.json"


def _without_stack_traces(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: _without_stack_traces(member)
            for name, member in value.items()
            if name != "stackTrace"
        }
    if isinstance(value, list):
        return [_without_stack_traces(member) for member in value]
    return value
