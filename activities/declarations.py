"""The activities as workflows call them: names, inputs, results, errors.

Workflows import this and nothing else of the activities. The classes at the end declare the
activities; the other files, one a step, implement them.

The state of a watch is opaque to workflows: the probe may change its shape.
"""

from enum import StrEnum
from typing import Any, Protocol

from pydantic import AwareDatetime, BaseModel, Field
from temporalio import activity

from monitors.config import MonitorConfig
from monitors.coverage import ObservedSpan, QuietSpan
from monitors.coverage_log import CoverageLog
from monitors.events import EndReason, EventDraft, StreamEvent
from monitors.measurement import SlateName, SlatePicture
from monitors.pods import PlacementKind
from monitors.reports import EventReport, HealthReport, OpenIncident, Statistics, StatusReport

NOT_LIVE_YET = "NotLiveYet"
"""Error type of `wait_for_live`: ask again; its `next_retry_delay` says when."""

STREAM_UNAVAILABLE = "StreamUnavailable"
"""Error type of `wait_for_live` and `watch_stream`: final; details: `UnavailableDetails`."""

DELIVERY_FAILED = "DeliveryFailed"  # error type of `deliver_webhook`; details: `DeliveryAttempts`

GATEWAY_UNAVAILABLE = "GatewayUnavailable"
"""Error type of all activities that ask the gateway: it gives no answer, ask again."""


class Placement(BaseModel):
    """Where and how a stream is watched, as the settings of the orchestrator say."""

    kind: PlacementKind = PlacementKind.POOL
    heartbeat_timeout_sec: float = 10.0  # a watch whose worker is silent this long is started again
    watch_retry_sec: float = 1.0  # from there to its new start
    # a Pod that fails this often in a row, for this long, is not made again. What the Kubernetes
    # API refuses is tried for this long, too.
    pod_max_failures: int = 5
    pod_patience_sec: float = 600.0


class WaitInput(BaseModel):
    """Input of `wait_for_live`."""

    monitor_id: str
    stream_url: str
    scheduled_start_time: AwareDatetime | None = None  # when the user expects the stream
    site_start_time: AwareDatetime | None = None  # when its site said last that it will start
    has_request_headers: bool = False  # whether the gateway keeps headers for its requests
    # what the last `wait_for_live` of this stream returned; None for the first
    state: dict[str, Any] | None = None


class WaitResult(BaseModel):
    """Returned by `wait_for_live`: the stream is live, or over, or something else is new."""

    is_live: bool = True
    has_ended: bool = False  # whether it is over, and was never seen live
    title: str | None = None
    # when the site says that it will start, while it is not live
    site_start_time: AwareDatetime | None = None
    # why nothing can be seen of it for a while; None while it is observed
    unknown_because: str | None = None
    state: dict[str, Any] | None = None  # goes into the next `WaitInput` as it is
    placement: Placement | None = None  # where it is to be watched; None while it is not live


class UnavailableDetails(BaseModel):
    """Why a stream can never be watched: what `monitor.error` says."""

    reason: str
    message: str
    more: dict[str, Any] = {}


class WatchInput(BaseModel):
    """Input of `watch_stream`."""

    monitor_id: str
    stream_url: str
    config: MonitorConfig
    # where the last watch of this stream stopped; None for the first
    state: dict[str, Any] | None = None
    checkpoint_sec: float  # return after this long even when nothing happened


class WatchOutcome(StrEnum):
    """Why a watch returned."""

    EVENTS_READY = "events_ready"
    CHECKPOINT = "checkpoint"
    HANDED_BACK = "handed_back"
    """Its worker shuts down, or its workflow interrupts it; another watch goes on."""

    ENDED = "ended"


class WatchResult(BaseModel):
    """Returned by `watch_stream`."""

    outcome: WatchOutcome
    event_drafts: list[EventDraft]  # what happened since the last return, in order
    end_reason: EndReason | None = None  # with outcome `ended`
    statistics: Statistics
    health: HealthReport
    open_incidents: list[OpenIncident]
    # what the gateway may not know yet
    coverage: list[ObservedSpan] = []
    quiet_spans: list[QuietSpan] = []
    state: dict[str, Any]  # goes into the next `WatchInput` as it is


class HeartbeatDetails(BaseModel):
    """What a workflow reads of the state in a watch's last heartbeat, when its worker was lost."""

    pending_events: list[EventDraft] = []
    statistics: Statistics = Statistics()
    coverage: CoverageLog = CoverageLog()


class DeliveryInput(BaseModel):
    """Input of `deliver_webhook`."""

    callback_url: str
    # proves that the gateway said `callback_url`; see `monitors.webhook_signing`. Where it does
    # not, the event goes where the gateway says.
    callback_seal: str
    event: StreamEvent
    # what the gateway said last of an event that a silence held back
    silenced_until: AwareDatetime | None = None


class DeliveryResult(BaseModel):
    """Returned by `deliver_webhook`: the receiver answered 2xx, or is not to be told now."""

    attempts: int
    # None: nothing was posted, a silence holds the event back until `silenced_until`
    sent_at: AwareDatetime | None
    silenced_until: AwareDatetime | None = None
    is_reported: bool = False  # whether the gateway has taken the event with this outcome


class RedeliveryInput(BaseModel):
    """Input of `redeliver_webhook`: an event that a user wants to be sent once more."""

    monitor_id: str
    event_id: str
    # why it is tried no more; then nothing is posted, and the event has failed
    given_up: str | None = None


class DeliveryAttempts(BaseModel):
    """How often a webhook was tried in vain, and the last reason."""

    attempts: int
    error: str
    is_reported: bool = False  # as of `DeliveryResult`


class StatusReportInput(BaseModel):
    monitor_id: str
    report: StatusReport


class EventReportInput(BaseModel):
    report: EventReport


class CallbackAddress(BaseModel):
    """Where a monitor's webhooks go, as the store knows it."""

    callback_url: str


class StoredEvent(CallbackAddress):
    """An event as the store keeps it, where its webhook goes, and how often it was tried."""

    event: StreamEvent
    attempts: int


class RequestHeadersResult(BaseModel):
    """The gateway's answer to a worker, with secret values; no workflow ever sees it."""

    request_headers: dict[str, str] = Field(repr=False)


class SlatesResult(BaseModel):
    """The gateway's slates by name, for a worker."""

    pictures: dict[SlateName, SlatePicture]


class ReconciliationReport(BaseModel):
    """Returned by `reconcile`: how much was repaired."""

    started: int = 0  # monitors whose workflow nobody had confirmed
    ended: int = 0  # monitors that took the end of a workflow that had not reported it
    stopped: int = 0  # workflows whose monitor the store does not know
    # past their time, removed
    forgotten_monitors: int = 0
    forgotten_events: int = 0


class WaitActivities(Protocol):
    """Done by `activities.wait_for_live`."""

    @activity.defn
    async def wait_for_live(self, input: WaitInput) -> WaitResult:
        """Ask once, when it is time, whether a stream is live.

        Raises:
            ApplicationError: `NOT_LIVE_YET`, `STREAM_UNAVAILABLE`.
        """


class WatchActivities(Protocol):
    """Done by `activities.watch_stream`."""

    @activity.defn
    async def watch_stream(self, input: WatchInput) -> WatchResult:
        """Watch until something happens, at the latest until the checkpoint.

        It goes on where the last heartbeat of an attempt that was lost, or else the input, stopped.
        Cancelled, or with its worker shutting down, it returns what it knows.

        Raises:
            ApplicationError: `STREAM_UNAVAILABLE`.
        """


class DeliveryActivities(Protocol):
    """Done by `activities.deliver_webhook`."""

    @activity.defn
    async def deliver_webhook(self, input: DeliveryInput) -> DeliveryResult:
        """Post the event once, and report it to the gateway; a failure carries when to try again.

        The gateway learns of the event even while the receiver does not answer, and of the
        outcome, if it can be reached. The beginning of an incident is posted only when it says
        that no silence holds it back, or gives no answer.

        Raises:
            ApplicationError: `DELIVERY_FAILED`, not retryable after the last attempt, on 410, and
                on an address that is refused. `GATEWAY_UNAVAILABLE`: the gateway, which knows the
                address, does not answer; that is no attempt.
        """

    @activity.defn
    async def redeliver_webhook(self, input: RedeliveryInput) -> EventReport:
        """Post an event as the store has it, once; return what became of it in the end.

        Raises:
            ApplicationError: as `deliver_webhook`, while it is tried again.
        """


class GatewayActivities(Protocol):
    """Done by `activities.gateway_reports`.

    They raise ApplicationError: `GATEWAY_UNAVAILABLE`, or what is not retryable when the gateway
    will never take the report.
    """

    @activity.defn
    async def report_status(self, input: StatusReportInput) -> None:
        """Report a monitor's condition."""

    @activity.defn
    async def report_event(self, input: EventReportInput) -> None:
        """Report an event and what became of its webhook."""

    @activity.defn
    async def reconcile(self) -> ReconciliationReport:
        """Have the gateway compare its store with Temporal."""
