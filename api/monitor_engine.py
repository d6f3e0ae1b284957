"""What the gateway needs of the engine that runs monitors; `api.temporal_engine` implements it."""

from typing import Protocol

from activities.declarations import RedeliveryInput
from workflows.messages import (
    ChangeResult,
    MonitorChange,
    MonitorInput,
    MonitorResult,
    MonitorSnapshot,
)


class EngineUnavailable(Exception):
    """The engine did not do what was asked, and nothing of it is under way."""


class StartUnconfirmed(Exception):
    """The engine was asked to start a monitor and gave no answer: it may or may not have."""


class ChangeUnconfirmed(Exception):
    """The engine was asked for a change and gave no answer: it may or may not be made."""


class ChangeRefused(Exception):
    """The monitor does not take the change; the message says why."""


class NotRunning(Exception):
    """The engine runs no such monitor (any more)."""


class EngineNotReady(Exception):
    """The engine cannot run monitors; the message says what is missing."""


class MonitorEngine(Protocol):
    """Runs monitors.

    Without an answer all raise `EngineUnavailable`, unless they say more; asking again is harmless.
    """

    async def start(self, input: MonitorInput) -> None:
        """Start a monitor; one that was started before is a success.

        Raises:
            EngineUnavailable: it was certainly not started by this call.
            StartUnconfirmed: it may have been.
        """

    async def snapshot(self, monitor_id: str) -> MonitorSnapshot | None:
        """Return a running monitor's condition, or None when it gives none within 2 s."""

    async def change(self, monitor_id: str, change: MonitorChange) -> ChangeResult:
        """Change a running monitor and return what holds then.

        Raises:
            NotRunning: the monitor has ended, or was not started yet.
            ChangeRefused: the monitor judged the change and does not take it.
            ChangeUnconfirmed: no answer within 5 s; the same change may be asked for again.
        """

    async def cancel(self, monitor_id: str) -> None:
        """Ask a monitor to stop; one that does not run is a success."""

    async def tell_silence_ended(self, monitor_id: str) -> None:
        """Have a monitor send what a silence held back; one that does not run is a success."""

    async def redeliver(self, input: RedeliveryInput) -> None:
        """Have an event sent once more; one that is being sent again already is a success."""

    async def running(self) -> set[str]:
        """Return the ids of all monitors that run; the newest changes may be missing."""

    async def running_of_ours(self) -> set[str]:
        """Return those of `running` that were started for this gateway's database.

        Another deployment may share the engine; its monitors are left alone.
        """

    async def outcome(self, monitor_id: str) -> MonitorResult | None:
        """Return how a monitor ended, None while it runs."""

    async def schedule_reconciliation(self) -> None:
        """Have store and engine compared every few minutes from now on, as this version does it."""

    async def start_destination(self, destination_id: str) -> None:
        """Have a workflow serve a destination; one that does already is a success."""

    async def wake_destination(self, destination_id: str, *, interrupt: bool) -> None:
        """Have a destination ask what is due; to `interrupt` it also stops what it tries."""

    async def ready(self) -> None:
        """Return when monitors can be started; raises EngineNotReady."""
