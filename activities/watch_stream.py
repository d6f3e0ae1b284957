"""Watching a live stream: one long activity that returns when there are events."""

import asyncio
import contextlib
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import httpx
import structlog
from pydantic import ValidationError
from temporalio import activity

from activities.declarations import WatchActivities, WatchInput, WatchOutcome, WatchResult
from activities.gateway_client import GatewayClient, ReportRefused
from activities.recent_watches import RecentWatch, RecentWatches
from activities.slates import SlateBook
from activities.wait_for_live import NO_HEADERS_MESSAGE, unavailable
from activities.watch_evidence import WatchEvidence
from media.decoding.probe import Probe
from media.outbound.stream_client import StreamClient
from media.sources.source_resolver import SourceResolver
from media.watching import (
    Footage,
    MemoryBudget,
    ResumeHint,
    SegmentCache,
    SegmentListener,
    SegmentProber,
    StreamUnavailable,
    StreamWatch,
    WatchState,
)
from monitors.events import EndReason
from monitors.reports import OpenIncident, StatusReport
from monitors.status import MonitorStatus, StreamStatus

logger = structlog.get_logger(__name__)

HEARTBEAT_SEC = 2.5
"""At most this many seconds between heartbeats to Temporal's client, which throttles them."""

HEARTBEATS_PER_TIMEOUT = 4
"""At least this many heartbeats per timeout."""

REPORT_POLL_SEC = 1.0

CANCEL_AGAIN_SEC = 5.0  # longer than any task needs to clean up

NO_HEADERS = "no_request_headers"
HEADERS_AGAIN_SEC = 2.0


class WatchStream(WatchActivities):
    """Watches streams, one call a stream.

    The memory is for the segments of all streams. Two reports of a stream's counters are
    `report_sec` apart, at least. Without `evidence` nothing is kept of streams.
    """

    def __init__(
        self,
        *,
        sources: SourceResolver,
        probe: Probe,
        gateway: GatewayClient,
        segment_max_bytes: int,
        memory: MemoryBudget,
        report_sec: float,
        on_segment: SegmentListener | None = None,
        evidence: WatchEvidence | None = None,
    ) -> None:
        self._sources = sources
        self._probe = probe
        self._gateway = gateway
        self._segment_max_bytes = segment_max_bytes
        self._memory = memory
        self._report_sec = report_sec
        self._on_segment = on_segment
        self._evidence = evidence
        self._watches = RecentWatches()
        self._cache = SegmentCache()
        self._slates = SlateBook(gateway)
        self.streams = 0  # number of streams being watched

    @activity.defn
    async def watch_stream(self, input: WatchInput) -> WatchResult:
        with structlog.contextvars.bound_contextvars(monitor_id=input.monitor_id):
            heartbeats = activity.info().heartbeat_details
            state = _last_state(heartbeats, input)
            state.began_at = state.began_at or _first_attempt_at()
            inherited = [*state.pending_events]  # events of a lost worker: its footage is gone
            # An attempt that continues from a heartbeat cannot know who watched in between.
            cached = None if heartbeats else self._watches.pop(input.monitor_id, input.state)
            parts = cached or self._new_parts(input)
            if self._evidence:
                parts.prober.footage.level = input.config.evidence
            watch = StreamWatch(
                self._sources.resolve(input.stream_url, parts.client),
                state,
                config=input.config,
                prober=parts.prober,
                on_segment=self._on_segment,
                confirmation=self._sources.confirmation,
                hint=parts.hint,
            )
            async with self._slates.kept_fresh():
                result = await self._watch(watch, parts, state, input)
            if self._evidence:
                drafts = result.event_drafts
                is_over = result.outcome is WatchOutcome.ENDED
                still_open = [] if is_over else [it.ref for it in state.incidents.told_open()]
                self._evidence.open_cases(drafts, input, parts.prober, inherited, still_open)
            if result.outcome is not WatchOutcome.ENDED:
                self._watches.put(input.monitor_id, result.state, parts)
            return result

    def _new_parts(self, input: WatchInput) -> RecentWatch:
        client, evidence = self._sources.new_client(), self._evidence
        prober = SegmentProber(
            client,
            self._probe,
            segment_max_bytes=self._segment_max_bytes,
            memory=self._memory,
            cache=self._cache,
            slates=lambda: self._slates.current,
            journal=evidence.journal_at(input.config.evidence) if evidence else None,
            footage=evidence.footage_of(input) if evidence else None,
        )
        return RecentWatch(client, prober, ResumeHint())

    async def _run(
        self, watch: StreamWatch, client: StreamClient, state: WatchState, input: WatchInput
    ) -> EndReason | None:
        await self._provide_headers(client, state, input)
        return await watch.run()

    async def _provide_headers(
        self, client: StreamClient, state: WatchState, input: WatchInput
    ) -> None:
        """Give `client` the stream's request headers, which the gateway keeps."""
        # While the gateway does not answer, those of the last watch on this worker are used;
        # without any, nothing may be fetched, and the stream is unknown.
        if not input.config.request_headers:
            client.request_headers = {}
            return
        while True:
            try:
                client.request_headers = await self._gateway.load_request_headers(input.monitor_id)
                return
            except (httpx.HTTPError, ReportRefused) as error:
                logger.warning("no request headers", error=type(error).__name__)
            if client.request_headers:
                return
            state.lose_sight(NO_HEADERS, NO_HEADERS_MESSAGE, datetime.now(UTC))
            await asyncio.sleep(HEADERS_AGAIN_SEC)

    async def _watch(
        self, watch: StreamWatch, parts: RecentWatch, state: WatchState, input: WatchInput
    ) -> WatchResult:
        self.streams += 1
        watching = asyncio.create_task(self._run(watch, parts.client, state, input))
        beside = [
            asyncio.create_task(_heartbeat(state)),
            asyncio.create_task(self._report(input.monitor_id, state, parts.prober.footage)),
        ]
        try:
            outcome = await _until_done(watching, input.checkpoint_sec)
        finally:
            await _stop([watching, *beside])
            self.streams -= 1
        return _result(outcome, watching, state)

    async def _report(self, monitor_id: str, state: WatchState, footage: Footage) -> None:
        """Report at intervals; the workflow's own reports make up for a lost one."""
        reported: datetime | None = None
        while True:
            learned_at = state.as_of()
            if learned_at is None or learned_at == reported:
                await asyncio.sleep(REPORT_POLL_SEC)
                continue
            reported = learned_at
            report = StatusReport(
                status=MonitorStatus.MONITORING,
                stream_status=StreamStatus.LIVE,
                health=state.health(),
                statistics=state.statistics,
                open_incidents=_open_incidents(state),
                media=state.media,
                coverage=list(state.coverage.untold),
                quiet_spans=state.incidents.quiet_spans,
                # Not the present: a worker that was frozen wakes up with old counters.
                as_of=learned_at,
            )
            with contextlib.suppress(httpx.HTTPError, ReportRefused):
                wanted = await self._gateway.report_status(monitor_id, report)
                state.coverage.told(report.coverage)
                state.incidents.forget_quiet(report.quiet_spans)
                if wanted:
                    footage.picture_interval_sec = wanted.picture_interval_sec
            await asyncio.sleep(self._report_sec)


def _last_state(heartbeat_details: Iterable[Any], input: WatchInput) -> WatchState:
    for details in heartbeat_details:
        try:
            return WatchState.model_validate(details)
        except ValidationError:
            logger.warning("the state of the last attempt cannot be read")
    return WatchState.model_validate(input.state or {})


def _first_attempt_at() -> datetime:
    """Return when the first attempt of this watch began, or was due to begin."""
    info = activity.info()
    return info.scheduled_time if info.attempt > 1 else datetime.now(UTC)


async def _heartbeat(state: WatchState) -> None:
    timeout = activity.info().heartbeat_timeout
    interval_sec = HEARTBEAT_SEC
    if timeout:
        interval_sec = min(interval_sec, timeout.total_seconds() / HEARTBEATS_PER_TIMEOUT)
    while True:
        activity.heartbeat(state.model_dump(mode="json"))
        await asyncio.sleep(interval_sec)


async def _until_done(
    watching: asyncio.Task[EndReason | None], checkpoint_sec: float
) -> WatchOutcome:
    shutdown = asyncio.create_task(activity.wait_for_worker_shutdown())
    try:
        done, _ = await asyncio.wait(
            [watching, shutdown],
            timeout=checkpoint_sec,
            return_when=asyncio.FIRST_COMPLETED,
        )
    except asyncio.CancelledError:
        return WatchOutcome.HANDED_BACK
    finally:
        await _stop([shutdown])
    if watching in done:
        return WatchOutcome.ENDED if _end_reason(watching) else WatchOutcome.EVENTS_READY
    return WatchOutcome.HANDED_BACK if shutdown in done else WatchOutcome.CHECKPOINT


def _end_reason(watching: asyncio.Task[EndReason | None]) -> EndReason | None:
    try:
        return watching.result()
    except StreamUnavailable as error:
        raise unavailable(error.reason, str(error)) from None


async def _stop(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel tasks and wait until they have ended."""
    # If we are cancelled meanwhile, that has no effect: we are about to return all that is known. A
    # task that continues, because a library took its cancellation for a timeout, is cancelled
    # again.
    ended = list(tasks)
    for task in ended:
        task.cancel()
    while pending := [task for task in ended if not task.done()]:
        with contextlib.suppress(asyncio.CancelledError):
            _, deaf = await asyncio.wait(pending, timeout=CANCEL_AGAIN_SEC)
            for task in deaf:
                task.cancel()
    for task in ended:
        if not task.cancelled():
            task.exception()  # retrieved, so that it is not logged as forgotten


def _result(
    outcome: WatchOutcome, watching: asyncio.Task[EndReason | None], state: WatchState
) -> WatchResult:
    event_drafts, state.pending_events = state.pending_events, []
    return WatchResult(
        outcome=outcome,
        event_drafts=event_drafts,
        end_reason=watching.result() if outcome is WatchOutcome.ENDED else None,
        statistics=state.statistics,
        health=state.health(),
        open_incidents=_open_incidents(state),
        coverage=state.coverage.untold,
        quiet_spans=state.incidents.quiet_spans,
        state=state.model_dump(mode="json"),
    )


def _open_incidents(state: WatchState) -> list[OpenIncident]:
    incidents = state.open_incidents()
    return [OpenIncident(kind=kind, started_at=since) for kind, since in incidents.items()]
