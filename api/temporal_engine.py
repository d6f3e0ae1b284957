"""Runs each monitor as one Temporal workflow."""

import asyncio
import contextlib
import math
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Final

import structlog
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.api.workflowservice.v1 import GetSystemInfoRequest
from temporalio.client import (
    Client,
    Schedule,
    ScheduleAlreadyRunningError,
    ScheduleUpdate,
    ScheduleUpdateInput,
    WorkflowExecution,
    WorkflowExecutionAsyncIterator,
    WorkflowExecutionStatus,
    WorkflowHandle,
    WorkflowQueryFailedError,
    WorkflowQueryRejectedError,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.common import (
    QueryRejectCondition,
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from activities.declarations import RedeliveryInput
from api.monitor_engine import (
    ChangeRefused,
    ChangeUnconfirmed,
    EngineNotReady,
    EngineUnavailable,
    NotRunning,
    StartUnconfirmed,
)
from monitors.status import MonitorStatus
from monitors.stream_url import StreamKind, parse_stream_url
from runtime.payloads import UnreadablePayload
from workflows import search_attributes
from workflows.messages import (
    CHANGE_UPDATE,
    DESTINATION_TYPE,
    INTERRUPT_SIGNAL,
    INVALID_CHANGE,
    REDELIVERY_TYPE,
    SILENCE_ENDED_SIGNAL,
    SNAPSHOT_QUERY,
    TASK_QUEUE,
    WAKE_SIGNAL,
    WORKFLOW_TYPE,
    ChangeResult,
    DestinationInput,
    MonitorChange,
    MonitorInput,
    MonitorProgress,
    MonitorResult,
    MonitorSnapshot,
    destination_workflow_id,
    redelivery_id,
)
from workflows.reconciliation import RECONCILIATION_SCHEDULE, reconciliation_schedule

logger = structlog.get_logger(__name__)

CONTACT_LIMIT_SEC: Final = 3
CONTACT_HOLDS_SEC: Final = 1
READY_LIMIT_SEC: Final = 2
CALL_LIMIT_SEC: Final = 5
SNAPSHOT_LIMIT_SEC: Final = 2
LIST_LIMIT_SEC: Final = 20
SUMMARY_BYTES: Final = 200
DEPLOYMENT_MEMO: Final = "deployment"
RUNNING: Final = f"WorkflowType = '{WORKFLOW_TYPE}' AND ExecutionStatus = 'Running'"

_CALL_LIMIT = timedelta(seconds=CALL_LIMIT_SEC)
_NO_ANSWER = (RPCError, RuntimeError)
"""A client that never had a connection raises RuntimeError at each call."""

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


class TemporalEngine:
    """Implements `api.monitor_engine.MonitorEngine`; its methods say what they do there.

    The client must use `runtime.payloads.data_converter`.
    """

    def __init__(
        self,
        client: Client,
        deployment_id: str,
        *,
        searchable: Callable[[str], str] = lambda text: text,
    ) -> None:
        """Mark monitors as those of a database, by its `deployment_id`.

        `searchable` returns what stands for a stream key in Temporal, which does not encrypt it.
        """
        self._searchable = searchable
        self._client = client
        self._deployment_id = deployment_id
        self._answered_at = -math.inf

    async def start(self, input: MonitorInput) -> None:
        await self._contact()
        try:
            async with asyncio.timeout(CALL_LIMIT_SEC):
                await self._start(input)
                self._answered_at = time.monotonic()
        except WorkflowAlreadyStartedError:
            return
        except TimeoutError:
            raise StartUnconfirmed(f"no answer within {CALL_LIMIT_SEC} s") from None
        except RPCError as error:
            kind = StartUnconfirmed if error.status in _UNCERTAIN else EngineUnavailable
            raise kind(_reason(error)) from error

    async def snapshot(self, monitor_id: str) -> MonitorSnapshot | None:
        handle = self._client.get_workflow_handle(monitor_id)
        try:
            async with asyncio.timeout(SNAPSHOT_LIMIT_SEC):
                snapshot: MonitorSnapshot = await handle.query(
                    SNAPSHOT_QUERY,
                    result_type=MonitorSnapshot,
                    reject_condition=QueryRejectCondition.NOT_OPEN,
                    rpc_timeout=timedelta(seconds=SNAPSHOT_LIMIT_SEC),
                )
        except (TimeoutError, WorkflowQueryFailedError, WorkflowQueryRejectedError, *_NO_ANSWER):
            return None
        except UnreadablePayload as error:
            logger.warning("a monitor cannot be read", monitor_id=monitor_id, error=str(error))
            return None
        return snapshot

    async def change(self, monitor_id: str, change: MonitorChange) -> ChangeResult:
        handle = self._client.get_workflow_handle(monitor_id)
        try:
            async with asyncio.timeout(CALL_LIMIT_SEC):
                result: ChangeResult = await handle.execute_update(
                    CHANGE_UPDATE, change, result_type=ChangeResult, rpc_timeout=_CALL_LIMIT
                )
        except WorkflowUpdateFailedError as error:
            raise _change_failure(error) from None
        except (TimeoutError, WorkflowUpdateRPCTimeoutOrCancelledError):
            raise ChangeUnconfirmed(f"no answer within {CALL_LIMIT_SEC} s") from None
        except RPCError as error:
            kind = NotRunning if error.status is RPCStatusCode.NOT_FOUND else ChangeUnconfirmed
            raise kind(_reason(error)) from error
        except RuntimeError as error:
            raise ChangeUnconfirmed(_reason(error)) from error
        return result

    async def cancel(self, monitor_id: str) -> None:
        handle = self._client.get_workflow_handle(monitor_id)
        with contextlib.suppress(NotRunning):
            async with _answered_within(CALL_LIMIT_SEC, missing=NotRunning):
                await handle.cancel(rpc_timeout=_CALL_LIMIT)

    async def tell_silence_ended(self, monitor_id: str) -> None:
        handle = self._client.get_workflow_handle(monitor_id)
        with contextlib.suppress(NotRunning):
            async with _answered_within(CALL_LIMIT_SEC, missing=NotRunning):
                await handle.signal(SILENCE_ENDED_SIGNAL, rpc_timeout=_CALL_LIMIT)

    async def redeliver(self, input: RedeliveryInput) -> None:
        """Start the workflow that sends an event again; one for each event at a time."""
        async with _answered_within(CALL_LIMIT_SEC):
            await self._client.start_workflow(
                REDELIVERY_TYPE,
                input,
                id=redelivery_id(input.event_id),
                task_queue=TASK_QUEUE,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                static_summary=f"Sends an event of {input.monitor_id} again",
                rpc_timeout=_CALL_LIMIT,
            )

    async def running(self) -> set[str]:
        """List the workflows from Temporal's visibility store, which lags a little."""
        async with _answered_within(LIST_LIMIT_SEC):
            return {one.id async for one in self._list_running()}

    async def running_of_ours(self) -> set[str]:
        """List as `running`; those that carry our deployment id in their memo."""
        ours = self._deployment_id
        async with _answered_within(LIST_LIMIT_SEC):
            return {one.id async for one in self._list_running() if await _deployment(one) == ours}

    async def outcome(self, monitor_id: str) -> MonitorResult | None:
        handle: WorkflowHandle[object, MonitorResult] = self._client.get_workflow_handle(
            monitor_id, result_type=MonitorResult
        )
        try:
            async with _answered_within(CALL_LIMIT_SEC, missing=NotRunning):
                status = (await handle.describe(rpc_timeout=_CALL_LIMIT)).status
                if status in (None, WorkflowExecutionStatus.RUNNING):
                    return None
                if status is WorkflowExecutionStatus.COMPLETED:
                    return await handle.result(rpc_timeout=_CALL_LIMIT)
        except NotRunning:
            status = None
        return _unreported_end(status)

    async def schedule_reconciliation(self) -> None:
        """Create the schedule, or bring it to what this version says; a pause stays."""
        schedule = reconciliation_schedule()
        async with _answered_within(CALL_LIMIT_SEC):
            try:
                await self._client.create_schedule(
                    RECONCILIATION_SCHEDULE, schedule, rpc_timeout=_CALL_LIMIT
                )
            except ScheduleAlreadyRunningError:
                known = self._client.get_schedule_handle(RECONCILIATION_SCHEDULE)
                await known.update(partial(_updated, schedule), rpc_timeout=_CALL_LIMIT)

    async def start_destination(self, destination_id: str) -> None:
        await self._start_destination(destination_id)

    async def wake_destination(self, destination_id: str, *, interrupt: bool) -> None:
        signal = INTERRUPT_SIGNAL if interrupt else WAKE_SIGNAL
        await self._start_destination(destination_id, signal)

    async def _start_destination(self, destination_id: str, signal: str | None = None) -> None:
        async with _answered_within(CALL_LIMIT_SEC):
            await self._client.start_workflow(
                DESTINATION_TYPE,
                DestinationInput(destination_id=destination_id),
                id=destination_workflow_id(destination_id),
                task_queue=TASK_QUEUE,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                static_summary="Tells a destination what happens",
                start_signal=signal,
                rpc_timeout=_CALL_LIMIT,
            )

    async def ready(self) -> None:
        """Check that Temporal answers and knows our search attributes.

        A workflow that sets an unregistered one hangs in endless retries of its first task.
        """
        try:
            registered = await self._registered_attributes()
        except _NO_ANSWER as error:
            raise EngineNotReady(f"Temporal: {_reason(error)}") from error
        keyword = IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD
        missing = [key.name for key in search_attributes.ALL if registered.get(key.name) != keyword]
        if missing:
            names = ", ".join(missing)
            raise EngineNotReady(f"search attributes not registered as Keyword: {names}")

    async def _contact(self) -> None:
        """Make sure that there is a server, unless it answered just now.

        One that does not even answer this was certainly not asked to start anything.
        """
        if time.monotonic() - self._answered_at < CONTACT_HOLDS_SEC:
            return
        async with _answered_within(CONTACT_LIMIT_SEC):
            await self._client.workflow_service.get_system_info(GetSystemInfoRequest(), retry=True)

    async def _start(self, input: MonitorInput) -> None:
        searchable = self._searchable(input.stream_key)
        shows_name = searchable == input.stream_key  # a digest: nothing may be read
        input = input.model_copy(update={"stream_key": searchable, "shows_name": shows_name})
        await self._client.start_workflow(
            WORKFLOW_TYPE,
            input,
            id=input.monitor_id,
            task_queue=TASK_QUEUE,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
            search_attributes=_first_attributes(input),
            memo={DEPLOYMENT_MEMO: self._deployment_id},
            static_summary=_summary(input),
            rpc_timeout=_CALL_LIMIT,
        )

    def _list_running(self) -> WorkflowExecutionAsyncIterator:
        return self._client.list_workflows(RUNNING, rpc_timeout=_CALL_LIMIT)

    async def _registered_attributes(self) -> dict[str, IndexedValueType.ValueType]:
        answer = await self._client.operator_service.list_search_attributes(
            ListSearchAttributesRequest(namespace=self._client.namespace),
            timeout=timedelta(seconds=READY_LIMIT_SEC),
        )
        return dict(answer.custom_attributes)


@asynccontextmanager
async def _answered_within(
    limit_sec: float, *, missing: type[Exception] = EngineUnavailable
) -> AsyncIterator[None]:
    """Translate errors of a call into `EngineUnavailable`; a missing workflow into `missing`."""
    try:
        async with asyncio.timeout(limit_sec):
            yield
    except TimeoutError:
        raise EngineUnavailable(f"no answer within {limit_sec:g} s") from None
    except RPCError as error:
        kind = missing if error.status is RPCStatusCode.NOT_FOUND else EngineUnavailable
        raise kind(_reason(error)) from error
    except RuntimeError as error:
        raise EngineUnavailable(_reason(error)) from error


def _updated(schedule: Schedule, known: ScheduleUpdateInput) -> ScheduleUpdate:
    return ScheduleUpdate(replace(schedule, state=known.description.schedule.state))


def _change_failure(error: WorkflowUpdateFailedError) -> Exception:
    cause = error.cause
    if isinstance(cause, ApplicationError) and cause.type == INVALID_CHANGE:
        return ChangeRefused(cause.message)
    # It refuses changes after its end, or the server says that it ended before it answered.
    return NotRunning(str(cause))


_UNREPORTED = {
    WorkflowExecutionStatus.TERMINATED: ("workflow_terminated", "Its workflow was terminated"),
    WorkflowExecutionStatus.FAILED: ("workflow_failed", "Its workflow failed"),
    WorkflowExecutionStatus.TIMED_OUT: ("workflow_failed", "Its workflow ran out of time"),
}
_GONE = ("workflow_gone", "Its workflow ended without a report")


def _unreported_end(status: WorkflowExecutionStatus | None) -> MonitorResult:
    if status is WorkflowExecutionStatus.CANCELED:
        return MonitorResult(status=MonitorStatus.STOPPED, events_sent=0, events_failed=0)
    reason, message = _UNREPORTED.get(status, _GONE) if status else _GONE
    return MonitorResult(
        status=MonitorStatus.ERROR,
        events_sent=0,
        events_failed=0,
        error_reason=reason,
        error_message=message,
    )


def _first_attributes(input: MonitorInput) -> TypedSearchAttributes:
    values = search_attributes.values_of(input, MonitorProgress(as_of=input.created_at))
    return TypedSearchAttributes([SearchAttributePair(*pair) for pair in values.items()])


async def _deployment(execution: WorkflowExecution) -> str | None:
    """Return the deployment that a workflow belongs to; None if its memo has a key of others."""
    try:
        deployment: str | None = await execution.memo_value(DEPLOYMENT_MEMO, None)
    except UnreadablePayload:
        return None
    return deployment


def _summary(input: MonitorInput) -> str:
    """Return the name and the URL without its query, which often carries a secret."""
    url = input.stream_url
    if parse_stream_url(url).kind is not StreamKind.YOUTUBE:
        url = url.partition("?")[0]
    text = f"{input.name}: {url}" if input.name else url
    return text.encode(errors="replace")[:SUMMARY_BYTES].decode(errors="ignore")


def _reason(error: RPCError | RuntimeError) -> str:
    if isinstance(error, RPCError):
        return f"{error.status.name}: {error.message}"
    return "no connection"  # the SDK's text repeats addresses
