"""Timers, retry policies and queues of the workflows, each under its own name."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.workflow import ActivityCancellationType, ActivityConfig

with workflow.unsafe.imports_passed_through():
    from activities.declarations import Placement
    from monitors.pods import PlacementKind

PROBE_QUEUE = "probes"  # probe workers of placement `pool` share it

EARLY_POLL = timedelta(minutes=5)
"""A scheduled monitor begins to poll this long before its stream should start."""

FIRST_POLL = timedelta(seconds=10)
"""A stream is not called late before the first poll, which takes this long at most."""

CHECKPOINT = timedelta(minutes=10)
"""A watch in which nothing happens returns this often: about 6 history events each time."""

SHORT_CHECKPOINT = timedelta(seconds=30)
"""The same for the first watch, so that Temporal's list soon shows the health, and when the history
is long: a new run begins at a checkpoint."""

WAITING_MAX_BYTES = 500_000
"""Events that wait for the receiver may take this much: mostly 1 KB each, at most 20 KB. A new run
of the workflow begins with them, and Temporal takes 2 MB."""

OUTCOMES_MAX_BYTES = 500_000
"""Outcomes of deliveries may take this much while the store does not take them."""

WAIT_FOR_LIVE: ActivityConfig = {
    "summary": "Asks until the stream is live",
    "start_to_close_timeout": timedelta(minutes=2),
    # A lost worker is missed after this; a poll that takes long sends heartbeats.
    "heartbeat_timeout": timedelta(seconds=10),
    # The activity itself says when it polls again (`next_retry_delay`); this policy is
    # for a lost worker. Attempts are unlimited: waiting costs no history.
    "retry_policy": RetryPolicy(
        initial_interval=timedelta(seconds=2),
        backoff_coefficient=1.5,
        maximum_interval=timedelta(seconds=30),
    ),
    "cancellation_type": ActivityCancellationType.TRY_CANCEL,
}


def probe_queue(placement: Placement, monitor_id: str) -> str:
    return pod_queue(monitor_id) if placement.kind is PlacementKind.POD else PROBE_QUEUE


def pod_queue(monitor_id: str) -> str:
    return f"probe-{monitor_id}"


def watch_stream(placement: Placement, monitor_id: str) -> ActivityConfig:
    """Return how a stream is watched: until its worker is lost, and then by another one."""
    return {
        "summary": "Measures every segment",
        "task_queue": probe_queue(placement, monitor_id),
        "start_to_close_timeout": CHECKPOINT + timedelta(minutes=5),
        "heartbeat_timeout": timedelta(seconds=placement.heartbeat_timeout_sec),
        # No backoff: a lost worker is no reason to look at the stream less often.
        "retry_policy": RetryPolicy(
            initial_interval=timedelta(seconds=placement.watch_retry_sec), backoff_coefficient=1.0
        ),
        # A stopped watch still returns what it has seen. By then no segment of it is being decoded.
        "cancellation_type": ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    }


_UNTIL_DONE = RetryPolicy(
    initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=30)
)
"""Unlimited: what will never be done ends by itself, and all else passes."""

PROBE_POD: ActivityConfig = {
    # Some calls of the Kubernetes API, 8 s each at most. A lost orchestrator is missed after that.
    "start_to_close_timeout": timedelta(seconds=20),
    "retry_policy": _UNTIL_DONE,
    # A Pod that is being made must not come into the world after its deletion.
    "cancellation_type": ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
}

MAKE_POD: ActivityConfig = {
    **PROBE_POD,
    # What lasts longer is shown, and then tried without a limit.
    "retry_policy": RetryPolicy(initial_interval=timedelta(seconds=1), maximum_attempts=3),
}


def pod_backoff(failures: int) -> timedelta:
    """Return the wait before the next Pod, after failures in a row: 1, 3, 9... s."""
    return timedelta(seconds=min(60, 3 ** (failures - 1)))


LAST_DELIVERIES = timedelta(minutes=10)
"""A monitor that is stopped delivers what is queued for this long. Then the rest fails into the
audit, from where it can be sent again."""

DELIVERY_STARTS = 500
"""Attempts of one delivery, counted or not: it ends even if something keeps breaking attempts
before they have an outcome. When it is the gateway that does not give the address, the count starts
again."""

_UNTIL_SENT = RetryPolicy(
    initial_interval=timedelta(seconds=1),
    maximum_interval=timedelta(seconds=10),
    maximum_attempts=DELIVERY_STARTS,
)
"""For a lost worker. How many attempts, and how long apart, is a setting of the worker: it says so
with each failed attempt."""

DELIVER_WEBHOOK: ActivityConfig = {
    # An attempt takes 3 s at most to ask for silences, 11 s to post, and 2 s to report it. What
    # comes on top is for a busy worker; a dead one is missed after that, its attempt not counted.
    "start_to_close_timeout": timedelta(seconds=18),
    "retry_policy": _UNTIL_SENT,
}

DESTINATION_HEARTBEAT = timedelta(seconds=8)
"""A worker that is lost while it serves a destination is missed after this."""

SERVE_DESTINATION: ActivityConfig = {
    # A service that people read may take 30 s, and the gateway 5 s for each of three answers; what
    # comes on top is for a busy worker.
    "start_to_close_timeout": timedelta(seconds=60),
    "heartbeat_timeout": DESTINATION_HEARTBEAT,
    "retry_policy": _UNTIL_SENT,
    # An attempt that is under way may still succeed: then it is not made again.
    "cancellation_type": ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
}

REPORT: ActivityConfig = {
    "start_to_close_timeout": timedelta(seconds=15),
    "retry_policy": _UNTIL_DONE,
}

RECONCILE: ActivityConfig = {
    "start_to_close_timeout": timedelta(seconds=90),
    "retry_policy": RetryPolicy(
        initial_interval=timedelta(seconds=5), maximum_interval=timedelta(seconds=30)
    ),
}
