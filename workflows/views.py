"""How others see a monitor: the store, a query, its result, Temporal's list and its web UI."""

from dataclasses import dataclass
from typing import Any, TypeVar

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from pydantic import BaseModel

    from activities.declarations import WatchResult
    from monitors.reports import OpenIncident
    from monitors.status import MonitorStatus, StreamStatus
    from workflows import search_attributes
    from workflows.messages import MonitorInput, MonitorProgress


Model = TypeVar("Model", bound=BaseModel)


def view(model: type[Model], *sources: BaseModel, **fields: Any) -> Model:
    """Return a `model` with the fields of the same names of `sources`."""
    for source in sources:
        names = model.model_fields.keys() & type(source).model_fields.keys()
        fields |= {name: getattr(source, name) for name in names}
    return model(**fields)


def doing(seen: WatchResult) -> str:
    if seen.health.reason:
        return _with_faults(f"The stream cannot be seen: {seen.health.reason}", seen.open_incidents)
    return watching(seen.open_incidents)


def watching(open_incidents: list[OpenIncident]) -> str:
    return _with_faults("Watching the stream", open_incidents)


def _with_faults(words: str, open_incidents: list[OpenIncident]) -> str:
    faults = ", ".join(incident.kind for incident in open_incidents)
    return f"{words}, open: {faults}" if faults else words


@dataclass(frozen=True)
class StatusBoard:
    """Keeps the store, the search attributes and the details in the web UI up to date."""

    input: MonitorInput
    progress: MonitorProgress

    def update(
        self,
        doing: str,
        *,
        status: MonitorStatus | None = None,
        stream_status: StreamStatus | None = None,
    ) -> None:
        """Show what was just learned of the stream."""
        progress = self.progress
        progress.as_of = workflow.now()
        progress.stream_status = stream_status or progress.stream_status
        if status and status is not progress.status:
            progress.status = status
            progress.status_unreported = True  # the outbox tells it to the store
        self.set_details(doing)

    def set_details(self, doing: str) -> None:
        self.progress.doing = doing
        workflow.set_current_details(doing)
        self._show_search_attributes()

    def _show_search_attributes(self) -> None:
        """Bring them up to date; each change of them is an event in the history."""
        values = search_attributes.values_of(self.input, self.progress)
        shown = workflow.info().typed_search_attributes
        changed = [key.value_set(value) for key, value in values.items() if shown.get(key) != value]
        absent = [key for key in search_attributes.ALL if key not in values]
        changed += [key.value_unset() for key in absent if shown.get(key) is not None]
        if changed:
            workflow.upsert_search_attributes(changed)
