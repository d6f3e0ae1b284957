"""What listeners are told of a change: the monitor or incident as its list shows it."""

from collections.abc import Sequence

from api.monitors.service import MonitorService
from api.store.changes import Change, Subject


class ChangeDescriptions:
    def __init__(self, monitors: MonitorService) -> None:
        self._monitors = monitors

    async def describe(self, changes: Sequence[Change]) -> list[tuple[Subject, str]]:
        """Return what is to be said, as JSON, in order; what was removed meanwhile is left out."""
        ids = [each.subject_id for each in changes if each.subject is Subject.MONITOR]
        known = {each.monitor_id: each for each in await self._monitors.by_ids(ids)}
        return [
            (each.subject, known[each.subject_id].model_dump_json())
            for each in changes
            if each.subject_id in known
        ]
