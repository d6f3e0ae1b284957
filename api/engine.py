"""Where monitors run: the port to Temporal, and its real implementation."""

import asyncio
from datetime import timedelta
from typing import Final, Protocol

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.api.workflowservice.v1 import GetSystemInfoRequest
from temporalio.client import (
    Client,
    WorkflowExecutionStatus,
    WorkflowQueryFailedError,
    WorkflowQueryRejectedError,
)
from temporalio.common import (
    QueryRejectCondition,
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from monitors.status import Health, MonitorStatus, StreamStatus
from workflows import search_attributes
from workflows.messages import (
    SNAPSHOT_QUERY,
    TASK_QUEUE,
    WORKFLOW_TYPE,
    MonitorOrder,
    MonitorSnapshot,
)

CONTACT_LIMIT_SEC: Final = 3
READY_LIMIT_SEC: Final = 2
CALL_LIMIT_SEC: Final = 5
SNAPSHOT_LIMIT_SEC: Final = 2
SUMMARY_BYTES: Final = 200

_UNCERTAIN = frozenset(
    {
        RPCStatusCode.ABORTED,
        RPCStatusCode.CANCELLED,
        RPCStatusCode.DATA_LOSS,
        RPCStatusCode.DEADLINE_EXCEEDED,
        RPCStatusCode.INTERNAL,
        RPCStatusCode.UNAVAILABLE,
        RPCStatusCode.UNKNOWN,
    }
)


class EngineUnavailable(Exception):
    """The engine did not do what was asked, and never will: nothing of it is under way."""


class StartUnconfirmed(Exception):
    """The engine was asked to start a monitor and gave no answer: it may or may not have."""


class EngineNotReady(Exception):
    """The engine cannot run monitors; the message says what is missing."""


class MonitorEngine(Protocol):
    """Runs monitors."""

    async def start(self, order: MonitorOrder) -> None:
        """Start a monitor; one that was started before is a success.

        Raises:
            EngineUnavailable: it was certainly not started by this call.
            StartUnconfirmed: it may have been.
        """

    async def snapshot(self, monitor_id: str) -> MonitorSnapshot | None:
        """Return a running monitor's condition, or None when it gives none within 2 s."""

    async def cancel(self, monitor_id: str) -> None:
        """Ask a monitor to stop; one that does not run is a success.

        Raises:
            EngineUnavailable: the engine did not take the request.
        """

    async def is_over(self, monitor_id: str) -> bool:
        """Tell whether the engine knows that the monitor does not run (any more).

        Raises:
            EngineUnavailable: the engine gives no answer.
        """

    async def ready(self) -> None:
        """Return when monitors can be started.

        Raises:
            EngineNotReady: they cannot.
        """


class TemporalEngine:
    """Runs each monitor as one workflow.

    The client must use `temporalio.contrib.pydantic.pydantic_data_converter`.
    """

    def __init__(self, client: Client) -> None:
        self._client = client

    async def start(self, order: MonitorOrder) -> None:
        """Start the monitor's workflow (see `MonitorEngine.start`)."""
        # A server that does not even answer this was certainly not asked to start anything.
        await self._contact()
        try:
            async with asyncio.timeout(CALL_LIMIT_SEC):
                await self._start(order)
        except WorkflowAlreadyStartedError:
            return
        except TimeoutError:
            raise StartUnconfirmed(f"no answer within {CALL_LIMIT_SEC} s") from None
        except RPCError as error:
            kind = StartUnconfirmed if error.status in _UNCERTAIN else EngineUnavailable
            raise kind(_reason(error)) from error

    async def snapshot(self, monitor_id: str) -> MonitorSnapshot | None:
        """Query the workflow (see `MonitorEngine.snapshot`)."""
        handle = self._client.get_workflow_handle(monitor_id)
        try:
            async with asyncio.timeout(SNAPSHOT_LIMIT_SEC):
                snapshot: MonitorSnapshot = await handle.query(
                    SNAPSHOT_QUERY,
                    result_type=MonitorSnapshot,
                    reject_condition=QueryRejectCondition.NOT_OPEN,
                    rpc_timeout=timedelta(seconds=SNAPSHOT_LIMIT_SEC),
                )
        except (TimeoutError, RPCError, WorkflowQueryFailedError, WorkflowQueryRejectedError):
            return None
        return snapshot

    async def cancel(self, monitor_id: str) -> None:
        """Cancel the workflow (see `MonitorEngine.cancel`)."""
        try:
            async with asyncio.timeout(CALL_LIMIT_SEC):
                await self._client.get_workflow_handle(monitor_id).cancel(
                    rpc_timeout=timedelta(seconds=CALL_LIMIT_SEC)
                )
        except TimeoutError:
            raise EngineUnavailable(f"no answer within {CALL_LIMIT_SEC} s") from None
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise EngineUnavailable(_reason(error)) from error

    async def is_over(self, monitor_id: str) -> bool:
        """Look the workflow up (see `MonitorEngine.is_over`)."""
        try:
            async with asyncio.timeout(CALL_LIMIT_SEC):
                found = await self._client.get_workflow_handle(monitor_id).describe(
                    rpc_timeout=timedelta(seconds=CALL_LIMIT_SEC)
                )
        except TimeoutError:
            raise EngineUnavailable(f"no answer within {CALL_LIMIT_SEC} s") from None
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return True
            raise EngineUnavailable(_reason(error)) from error
        return found.status not in (None, WorkflowExecutionStatus.RUNNING)

    async def ready(self) -> None:
        """Check that Temporal answers and knows our search attributes.

        A workflow that sets an unregistered one hangs in endless retries of its first task.

        Raises:
            EngineNotReady: Temporal does not answer, or an attribute is missing.
        """
        try:
            registered = await self._registered_attributes()
        except RPCError as error:
            raise EngineNotReady(f"Temporal: {_reason(error)}") from error
        missing = [
            key.name for key in search_attributes.ALL if registered.get(key.name) != _KEYWORD
        ]
        if missing:
            names = ", ".join(missing)
            raise EngineNotReady(f"search attributes not registered as Keyword: {names}")

    async def _contact(self) -> None:
        try:
            async with asyncio.timeout(CONTACT_LIMIT_SEC):
                await self._client.workflow_service.get_system_info(
                    GetSystemInfoRequest(), retry=True
                )
        except TimeoutError:
            raise EngineUnavailable(f"no answer within {CONTACT_LIMIT_SEC} s") from None
        except RPCError as error:
            raise EngineUnavailable(_reason(error)) from error

    async def _start(self, order: MonitorOrder) -> None:
        await self._client.start_workflow(
            WORKFLOW_TYPE,
            order,
            id=order.monitor_id,
            task_queue=TASK_QUEUE,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
            search_attributes=_first_attributes(order),
            static_summary=_summary(order),
            rpc_timeout=timedelta(seconds=CALL_LIMIT_SEC),
        )

    async def _registered_attributes(self) -> dict[str, IndexedValueType.ValueType]:
        answer = await self._client.operator_service.list_search_attributes(
            ListSearchAttributesRequest(namespace=self._client.namespace),
            timeout=timedelta(seconds=READY_LIMIT_SEC),
        )
        return dict(answer.custom_attributes)


_KEYWORD = IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD


def _first_attributes(order: MonitorOrder) -> TypedSearchAttributes:
    return TypedSearchAttributes(
        [
            SearchAttributePair(search_attributes.MONITOR_STATUS, MonitorStatus.INITIALIZING.value),
            SearchAttributePair(search_attributes.STREAM_STATUS, StreamStatus.UNKNOWN.value),
            SearchAttributePair(search_attributes.VIDEO_HEALTH, Health.UNKNOWN.value),
            SearchAttributePair(search_attributes.AUDIO_HEALTH, Health.UNKNOWN.value),
            SearchAttributePair(search_attributes.STREAM_KEY, order.stream_key),
        ]
    )


def _summary(order: MonitorOrder) -> str:
    """Say what the workflow does. The stream key, unlike the URL, carries no secrets."""
    text = f"Watches the live stream {order.stream_key}"
    return text.encode()[:SUMMARY_BYTES].decode(errors="ignore")


def _reason(error: RPCError) -> str:
    return f"{error.status.name}: {error.message}"
