"""The monitor's status, and who has to see it when it changes."""

from temporalio import workflow

from workflows import views
from workflows.outbox import Outbox

with workflow.unsafe.imports_passed_through():
    from monitors.status import MonitorStatus, StreamStatus
    from workflows.messages import MonitorInput, MonitorProgress


class StatusBoard:
    """Keeps the store, the search attributes and the details in the web UI up to date."""

    def __init__(self, input: MonitorInput, progress: MonitorProgress, outbox: Outbox) -> None:
        self._input = input
        self._progress = progress
        self._outbox = outbox

    def update(
        self,
        doing: str,
        *,
        status: MonitorStatus | None = None,
        stream_status: StreamStatus | None = None,
    ) -> None:
        """Show what was just learned of the stream."""
        progress = self._progress
        progress.as_of = workflow.now()
        progress.stream_status = stream_status or progress.stream_status
        if status and status is not progress.status:
            progress.status = status
            self._outbox.report_status()
        self.set_details(doing)

    def set_details(self, doing: str) -> None:
        """Show what is going on, in plain words."""
        self._progress.doing = doing
        workflow.set_current_details(doing)
        views.show_search_attributes(self._input, self._progress)
