"""Changing a running monitor: name, labels, destinations, thresholds, headers, metadata."""

from dataclasses import dataclass
from typing import Any, Final

import structlog

from api.body import parse_json_object, validated
from api.destinations.service import check_destinations
from api.errors import EngineNotAvailable, InvalidConfig, MonitorNotActive, ValidationFailed
from api.monitor_engine import ChangeRefused, ChangeUnconfirmed, MonitorEngine, NotRunning
from api.monitors.schemas import ChangeMonitor, MonitorDetails
from api.monitors.service import MonitorService
from api.secrets import SecretHeaders
from api.store import Store
from api.store.monitor_records import MonitorRecord
from monitors.config import ChangeableConfig, MonitorConfig
from monitors.request_headers import masked
from monitors.stream_url import parse_stream_url
from workflows.messages import ChangeResult, MonitorChange

STORED_ALONE: Final = frozenset({"labels", "applied_by"})
"""Columns of which the workflow knows nothing."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class MonitorUpdates:
    """Changes monitors.

    The workflow takes a change first, then the store: what the workflow refuses is never stored.
    Request headers are stored before, and the former ones come back when the workflow refuses.
    When the store cannot keep what the workflow took, the client gets 503; the same change again
    repairs that, and so does the next GET of the monitor. Labels and destinations are of the store
    alone.
    """

    store: Store
    engine: MonitorEngine
    service: MonitorService
    headers: SecretHeaders

    async def change(self, monitor_id: str, wanted: ChangeMonitor) -> MonitorDetails:
        """Change a monitor and return its condition; a change of nothing changes nothing.

        Raises:
            InvalidConfig: its workflow refuses the change.
            EngineNotAvailable: its workflow did not confirm the change, but may still make it.
        """
        record = await self.service.find(monitor_id)
        if not record.status.is_active:
            raise _not_active(record)
        await self._check_destinations(record, wanted)
        change = _change(wanted)
        if change != MonitorChange():
            result = await self._apply(record, change, wanted.config.request_headers)
            await self.store.monitors.change(monitor_id, result)
            _log.info("monitor changed", monitor_id=monitor_id, thresholds=change.thresholds)
        own = {name: getattr(wanted, name) for name in STORED_ALONE & wanted.model_fields_set}
        if own:
            await self.store.monitors.set_fields(monitor_id, own)
        if "destinations" in wanted.model_fields_set:
            await self.store.destinations.set_of_monitor(monitor_id, wanted.destinations)
        return await self.service.show(monitor_id)

    async def _check_destinations(self, record: MonitorRecord, wanted: ChangeMonitor) -> None:
        if "destinations" not in wanted.model_fields_set:
            return
        if not (wanted.destinations or record.callback_url):
            raise ValidationFailed("destinations: must name one, the monitor has no callback_url")
        await check_destinations(self.store, wanted.destinations)

    async def _apply(
        self, record: MonitorRecord, change: MonitorChange, headers: dict[str, str]
    ) -> ChangeResult:
        try:
            if change.request_headers is None:
                return await self.engine.change(record.monitor_id, change)
            return await self._change_with_headers(record, change, headers)
        except ChangeRefused as error:
            raise InvalidConfig(f"config: {error}") from None
        except NotRunning as error:
            if record.workflow_started_at:
                raise _not_active(record) from None
            reason = f"it is not started yet ({error})"
        except ChangeUnconfirmed as error:
            reason = str(error)
        _log.error("change unconfirmed", monitor_id=record.monitor_id, reason=reason)
        raise EngineNotAvailable(
            "The monitor's workflow did not confirm the change, which may still be made; "
            "the same change may be asked for again"
        )

    async def _change_with_headers(
        self, record: MonitorRecord, change: MonitorChange, headers: dict[str, str]
    ) -> ChangeResult:
        monitor_id, store = record.monitor_id, self.store.monitors
        whole = self.headers.unmasked(headers, record)
        kind = parse_stream_url(record.stream_url).kind
        sealed = self.headers.sealed(whole, monitor_id, kind)
        # Stored first: the workflow has the watch read them again at once.
        await store.set_request_headers(monitor_id, sealed)
        try:
            return await self.engine.change(monitor_id, change)
        except (ChangeRefused, NotRunning):
            await store.restore_request_headers(
                monitor_id, record.request_headers, instead_of=sealed
            )
            raise


def parse_change(body: bytes) -> ChangeMonitor:
    _check_changeable(parse_json_object(body).get("config"))
    return validated(ChangeMonitor, body)


def _check_changeable(config: Any) -> None:
    fixed = set(MonitorConfig.model_fields) - set(ChangeableConfig.model_fields)
    for name in config if isinstance(config, dict) else ():
        if name in fixed:
            raise InvalidConfig(f"config.{name}: cannot change while the monitor runs")


def _change(wanted: ChangeMonitor) -> MonitorChange:
    headers = wanted.config.request_headers
    thresholds = wanted.config.model_dump(
        mode="json", exclude_unset=True, exclude={"request_headers"}
    )
    return MonitorChange(
        name=(wanted.name or "") if "name" in wanted.model_fields_set else None,
        thresholds=thresholds,
        request_headers=(
            masked(headers) if "request_headers" in wanted.config.model_fields_set else None
        ),
        metadata=wanted.metadata if "metadata" in wanted.model_fields_set else None,
    )


def _not_active(record: MonitorRecord) -> MonitorNotActive:
    return MonitorNotActive(f"Monitor {record.monitor_id} has ended, it cannot be changed")
