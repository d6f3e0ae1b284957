"""How others see a monitor: the store, a query, the change, its result; and words for its watch."""

from typing import Any, TypeVar

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from pydantic import BaseModel

    from activities.declarations import WatchResult
    from monitors.reports import OpenIncident


Model = TypeVar("Model", bound=BaseModel)


def view(model: type[Model], *sources: BaseModel, **fields: Any) -> Model:
    """Return a `model` with the fields of the same names of `sources`."""
    for source in sources:
        names = model.model_fields.keys() & type(source).model_fields.keys()
        fields |= {name: getattr(source, name) for name in names}
    return model(**fields)


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
