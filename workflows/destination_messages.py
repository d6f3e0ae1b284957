"""What goes into a destination's workflow. The gateway uses these to start and to wake it."""

from pydantic import BaseModel

from activities.destination_declarations import NotificationOutcome

DESTINATION_TYPE = "DestinationWorkflow"
WAKE_SIGNAL = "wake"
INTERRUPT_SIGNAL = "interrupt"


class DestinationInput(BaseModel):
    """Workflow id = `workflow_id(destination_id)`.

    Attributes:
        settled, given_up: see `ServeInput`; from the run before.
        is_interrupted: whether what is being sent waits again.
    """

    destination_id: str
    settled: NotificationOutcome | None = None
    given_up: str | None = None
    is_interrupted: bool = False


def workflow_id(destination_id: str) -> str:
    return f"destination-{destination_id}"
