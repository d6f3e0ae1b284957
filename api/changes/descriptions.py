"""What listeners are told of a change: the monitor or incident as its list shows it."""

from collections.abc import Sequence

from pydantic import BaseModel

from api.incidents.service import IncidentService
from api.monitors.service import MonitorService
from api.store.changes import Change, ChangeSubject


async def describe(
    monitors: MonitorService, incidents: IncidentService, changes: Sequence[Change]
) -> list[tuple[ChangeSubject, str]]:
    """Return what is to be said, as JSON, in order; what was removed meanwhile is left out."""
    changed = await monitors.by_ids(_ids(changes, ChangeSubject.MONITOR))
    concerned = await incidents.by_ids(_ids(changes, ChangeSubject.INCIDENT))
    known: dict[str, BaseModel] = {
        **{each.monitor_id: each for each in changed},
        **{each.incident_id: each for each in concerned},
    }
    return [
        (each.subject, known[each.subject_id].model_dump_json())
        for each in changes
        if each.subject_id in known
    ]


def _ids(changes: Sequence[Change], subject: ChangeSubject) -> list[str]:
    return [each.subject_id for each in changes if each.subject is subject]
