"""What Temporal starts by itself, time and again."""

from datetime import timedelta

from temporalio.client import (
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
)

from workflows.messages import TASK_QUEUE
from workflows.reconciliation import RECONCILIATION_TYPE

RECONCILIATION_SCHEDULE = "stream-tracker-reconciliation"
RECONCILIATION_INTERVAL = timedelta(minutes=5)


def reconciliation_schedule() -> Schedule:
    """Return the schedule that compares the store with Temporal; its rounds never overlap."""
    return Schedule(
        action=ScheduleActionStartWorkflow(
            RECONCILIATION_TYPE,
            id="reconciliation",
            task_queue=TASK_QUEUE,
            execution_timeout=RECONCILIATION_INTERVAL,
            static_summary="Compares the gateway's store with Temporal and mends the difference",
        ),
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=RECONCILIATION_INTERVAL)]),
        # What an outage kept from running is made good by the next round, not by many at once.
        policy=SchedulePolicy(
            overlap=ScheduleOverlapPolicy.SKIP, catchup_window=RECONCILIATION_INTERVAL
        ),
    )
