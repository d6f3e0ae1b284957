"""How the workflow of a destination is started."""

from datetime import timedelta
from typing import Any, Final

from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy

from workflows.destination_messages import DESTINATION_TYPE, DestinationInput, workflow_id
from workflows.messages import TASK_QUEUE

RPC_LIMIT: Final = timedelta(seconds=5)


def destination_start(destination_id: str) -> dict[str, Any]:
    """Return the arguments of a start that leaves a workflow alone that runs already."""
    return {
        "workflow": DESTINATION_TYPE,
        "arg": DestinationInput(destination_id=destination_id),
        "id": workflow_id(destination_id),
        "task_queue": TASK_QUEUE,
        "id_reuse_policy": WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        "id_conflict_policy": WorkflowIDConflictPolicy.USE_EXISTING,
        "static_summary": "Tells a destination what happens",
        "rpc_timeout": RPC_LIMIT,
    }
