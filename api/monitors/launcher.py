"""Starts the workflow of a stored monitor."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from api.metrics import GatewayMetrics
from api.monitor_engine import EngineUnavailable, MonitorEngine, StartUnconfirmed
from api.store import Store, StoreUnavailable
from api.store.monitor_records import MonitorRecord
from monitors.webhook_signing import callback_seal
from workflows.messages import MonitorInput

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Launcher:
    """Starts workflows. Starting one twice does no harm: the monitor id is the workflow id."""

    store: Store
    engine: MonitorEngine
    metrics: GatewayMetrics
    now: Callable[[], datetime]
    seal_key: bytes = field(repr=False)

    async def launch(self, record: MonitorRecord) -> None:
        """Start the workflow of `record`.

        An unconfirmed start leaves the row as it is; the reconciler asks again later. A monitor
        that was stopped or removed meanwhile is cancelled again.

        Raises:
            EngineUnavailable: this attempt certainly started nothing.
        """
        try:
            await self.engine.start(workflow_input(record, self.seal_key))
        except StartUnconfirmed as error:
            self.metrics.start_failures.labels("unconfirmed").inc()
            _log.warning("start unconfirmed", monitor_id=record.monitor_id, error=str(error))
            return
        except EngineUnavailable:
            self.metrics.start_failures.labels("unavailable").inc()
            raise
        if not await self._confirm(record.monitor_id):
            await self._cancel_again(record.monitor_id)

    async def _confirm(self, monitor_id: str) -> bool:
        try:
            return await self.store.monitors.confirm_started(monitor_id, self.now())
        except StoreUnavailable as error:
            # It runs, and the reconciler starts it again without harm once the store answers.
            _log.warning("start not recorded", monitor_id=monitor_id, error=str(error))
            return True

    async def _cancel_again(self, monitor_id: str) -> None:
        try:
            await self.engine.cancel(monitor_id)
        except EngineUnavailable as error:
            # Its first report finds no active monitor, and the workflow is cancelled then.
            _log.warning("stopped monitor runs", monitor_id=monitor_id, error=str(error))


def workflow_input(record: MonitorRecord, seal_key: bytes) -> MonitorInput:
    return MonitorInput(
        monitor_id=record.monitor_id,
        name=record.name,
        stream_url=record.stream_url,
        stream_key=record.stream_key,
        callback_url=record.callback_url,
        callback_seal=callback_seal(seal_key, record.monitor_id, record.callback_url or ""),
        config=record.config,
        metadata=record.metadata,
        created_at=record.created_at,
    )
