"""How a monitor is seen by others: the store, a query, Temporal's web UI, its result."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
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


def snapshot(input: MonitorInput, progress: MonitorProgress, *, queued: int) -> MonitorSnapshot:
    """Return the monitor's condition; `queued` events are still to be delivered."""
    shared = set(MonitorSnapshot.model_fields) & set(MonitorProgress.model_fields)
    return MonitorSnapshot(
        monitor_id=input.monitor_id,
        name=input.name,
        stream_url=input.stream_url,
        config=input.config,
        metadata=input.metadata,
        events_queued=queued,
        **{name: getattr(progress, name) for name in shared},
    )


def status_report(progress: MonitorProgress) -> StatusReport:
    """Return what is reported to the store."""
    return StatusReport(
        status=progress.status,
        stream_status=progress.stream_status,
        health=progress.health,
        statistics=progress.statistics,
        title=progress.title,
        open_incidents=progress.open_incidents,
        as_of=progress.as_of,
        error_reason=progress.error_reason,
        error_message=progress.error_message,
    )


def change_result(input: MonitorInput, progress: MonitorProgress) -> ChangeResult:
    """Return what holds after a change."""
    return ChangeResult(
        name=input.name, config=input.config, metadata=input.metadata, changes=progress.changes
    )


def result(progress: MonitorProgress) -> MonitorResult:
    """Return the result of the workflow."""
    return MonitorResult(
        status=progress.status,
        events_sent=progress.events_sent,
        events_failed=progress.events_failed,
        events_unaudited=progress.events_unaudited,
        error_reason=progress.error_reason,
        error_message=progress.error_message,
    )


def show_search_attributes(input: MonitorInput, progress: MonitorProgress) -> None:
    """Bring the search attributes up to date; each change of them is an event in the history."""
    values = search_attributes.values_of(input, progress)
    shown = workflow.info().typed_search_attributes
    changed = [key.value_set(value) for key, value in values.items() if shown.get(key) != value]
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
