"""Which silences hold now, for pages that offer to end them."""

from collections.abc import Mapping
from dataclasses import dataclass

from api.silences.schemas import Silence
from api.silences.service import MAX_SILENCES, SilenceService
from monitors.status import IncidentKind


@dataclass(frozen=True)
class RunningSilences:
    """The silences that hold now."""

    silences: list[Silence]

    def of(
        self, monitor_id: str, labels: Mapping[str, str], kind: IncidentKind | None = None
    ) -> Silence | None:
        """Return the one that ends last of those about a monitor, or about its incidents of a kind.

        Without a kind, only one about all kinds: others leave something to be silenced.
        """
        found = [
            each
            for each in self.silences
            if _is_about(each, monitor_id, labels)
            and (each.kinds is None or (kind is not None and kind in each.kinds))
        ]
        return max(found, key=lambda each: each.ends_at, default=None)


def _is_about(silence: Silence, monitor_id: str, labels: Mapping[str, str]) -> bool:
    if silence.monitor_ids is not None:
        return monitor_id in silence.monitor_ids
    return all(labels.get(key) == value for key, value in (silence.labels or {}).items())


async def running_silences(service: SilenceService) -> RunningSilences:
    found = await service.list_current(limit=MAX_SILENCES, offset=0)
    now = service.now()
    return RunningSilences(
        [each for each in found.silences if each.starts_at <= now < each.ends_at]
    )
