"""Timers, retry policies and queues of a monitor's workflow, each under its own name."""

from datetime import timedelta
from typing import Any

from temporalio.common import RetryPolicy
from temporalio.workflow import ActivityCancellationType

PROBE_QUEUE = "probes"
"""Probe workers of placement `pool` share it."""

EARLY_LOOK = timedelta(minutes=5)
"""A scheduled monitor starts to look this long before its stream should start."""

FIRST_LOOK = timedelta(seconds=10)
"""A stream is not called late before it was looked at: that takes so long at most."""

CHECKPOINT = timedelta(minutes=10)
"""A watch in which nothing happens returns this often: about 6 history events each time."""

SHORT_CHECKPOINT = timedelta(seconds=30)
"""The same when the history is long: a new run begins at a checkpoint."""

QUEUE_MAX = 40
"""So many events wait for their receiver inside the workflow; what comes on top waits in the store.
With the largest metadata they are 800 KB."""

CARRIED_MAX_BYTES = 1_000_000
"""Events that a new run begins with: Temporal takes 2 MB, and what was learned must fit too. Only
while the gateway is away there may be more, and then the run goes on until it is back."""

HEARTBEAT_TIMEOUT = timedelta(seconds=10)
"""A watch whose worker is silent this long is started on another one."""

WAIT_FOR_LIVE: dict[str, Any] = {
    "start_to_close_timeout": timedelta(minutes=2),
    # The activity says itself when it wants to look again (`next_retry_delay`); this policy is
    # for a lost worker. Attempts are unlimited: waiting costs no history.
    "retry_policy": RetryPolicy(
        initial_interval=timedelta(seconds=2),
        backoff_coefficient=1.5,
        maximum_interval=timedelta(seconds=30),
    ),
    "cancellation_type": ActivityCancellationType.TRY_CANCEL,
}


WATCH_STREAM: dict[str, Any] = {
    "task_queue": PROBE_QUEUE,
    "start_to_close_timeout": CHECKPOINT + timedelta(minutes=5),
    "heartbeat_timeout": HEARTBEAT_TIMEOUT,
    # No backoff: a lost worker is no reason to look at the stream less often.
    "retry_policy": RetryPolicy(initial_interval=timedelta(seconds=1), backoff_coefficient=1.0),
    # A stopped watch still returns what it has seen, and its ffmpeg is gone by then.
    "cancellation_type": ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
}

DELIVER_WEBHOOK: dict[str, Any] = {
    # An attempt takes 10 s at most. What comes on top is for a busy worker; a dead one is missed
    # after that, and its attempt is not counted (see `activities.deliver_webhook`).
    "start_to_close_timeout": timedelta(seconds=15),
    # How many attempts, and how long apart, is a setting of the worker: it says so with each
    # failed attempt. This policy is for a lost worker.
    "retry_policy": RetryPolicy(
        initial_interval=timedelta(seconds=1),
        backoff_coefficient=2.0,
        maximum_interval=timedelta(seconds=10),
    ),
}

REPORT: dict[str, Any] = {
    "start_to_close_timeout": timedelta(seconds=15),
    # Unlimited: the store catches up after any outage.
    "retry_policy": RetryPolicy(
        initial_interval=timedelta(seconds=1),
        backoff_coefficient=2.0,
        maximum_interval=timedelta(seconds=30),
    ),
}
