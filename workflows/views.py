"""How a monitor is seen by others: the store, a query, Temporal's web UI, its result."""

from typing import Any, TypeVar

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from pydantic import BaseModel

    from activities.declarations import WatchResult
    from monitors.reports import OpenIncident, StatusReport
    from workflows import search_attributes
    from workflows.messages import (
        ChangeResult,
        MonitorInput,
        MonitorProgress,
        MonitorResult,
        MonitorSnapshot,
    )


Model = TypeVar("Model", bound=BaseModel)


def snapshot(input: MonitorInput, progress: MonitorProgress, *, queued: int) -> MonitorSnapshot:
    """Return the monitor's condition; `queued` events are still to be delivered."""
    return _view(MonitorSnapshot, progress, input, events_queued=queued)


def status_report(progress: MonitorProgress) -> StatusReport:
    """Return what is reported to the store."""
    return _view(StatusReport, progress)


def change_result(input: MonitorInput, progress: MonitorProgress) -> ChangeResult:
    """Return what holds after a change."""
    return _view(ChangeResult, progress, input)


def result(progress: MonitorProgress) -> MonitorResult:
    """Return the result of the workflow."""
    return _view(MonitorResult, progress)


def _view(model: type[Model], *sources: BaseModel, **fields: Any) -> Model:
    """Return a `model` with the fields of the same names of `sources`."""
    for source in sources:
        names = model.model_fields.keys() & type(source).model_fields.keys()
        fields |= {name: getattr(source, name) for name in names}
    return model(**fields)


def show_search_attributes(input: MonitorInput, progress: MonitorProgress) -> None:
    """Bring the search attributes up to date; each change of them is an event in the history."""
    values = search_attributes.values_of(input, progress)
    shown = workflow.info().typed_search_attributes
    changed = [key.value_set(value) for key, value in values.items() if shown.get(key) != value]
    absent = [key for key in search_attributes.ALL if key not in values]
    changed += [key.value_unset() for key in absent if shown.get(key) is not None]
    if changed:
        workflow.upsert_search_attributes(changed)


def doing(seen: WatchResult) -> str:
    """Return in plain words what a watch does."""
    if seen.health.reason:
        return _with_faults(f"The stream cannot be seen: {seen.health.reason}", seen.open_incidents)
    return watching(seen.open_incidents)


def watching(open_incidents: list[OpenIncident]) -> str:
    """Return in plain words that the stream is watched, and what is wrong with it."""
    return _with_faults("Watching the stream", open_incidents)


def _with_faults(words: str, open_incidents: list[OpenIncident]) -> str:
    faults = ", ".join(incident.kind for incident in open_incidents)
    return f"{words}, open: {faults}" if faults else words
