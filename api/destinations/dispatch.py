"""Answers the workflows of destinations: what is due, and what to tell."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from activities.destination_declarations import (
    NextInput,
    NextResult,
    NotificationAttempt,
    NotificationOrder,
    NotificationOutcome,
)
from api.destinations.due import Rules, Telling, Verdict, judge
from api.destinations.notification_writer import NotificationWriter
from api.errors import DestinationNotFound
from api.metrics import GatewayMetrics
from api.secrets import DestinationSecretBox
from api.store import Store
from api.store.boards import Scope, load_board, to_remind
from api.store.deliveries import add_row, hand_out, in_flight, reminded_incident, silence_rows
from api.store.delivery_records import Board, NotificationStatus
from api.store.destinations import DestinationRecord, find_destination
from notifications.notification import NotificationState

FEW_ROWS: Final = 200
MANY_ROWS: Final = 5000
MAX_ERROR_CHARS: Final = 500

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class DestinationDispatch:
    store: Store
    box: DestinationSecretBox
    writer: NotificationWriter
    metrics: GatewayMetrics
    now: Callable[[], datetime]

    async def settle_and_pick(self, input: NextInput) -> NextResult:
        """Keep what became of the last notification, and hand out the next one.

        Both may be asked twice: what is settled stays so, and what was handed out and is not
        settled is handed out again.
        """
        # Committed before the next row is looked for: `DestinationWaker` relies on it.
        if input.settled:
            await self._settle(input.destination_id, input.settled)
        if input.hand_back or await self._is_out_of_date(input.destination_id):
            await self.store.deliveries.hand_back(input.destination_id)
        async with self.store.database.write() as connection:
            record = await find_destination(connection, input.destination_id, for_update=True)
            if record is None:
                return NextResult(is_gone=True)
            first = await in_flight(connection, record.destination_id)
            if first is not None:
                return NextResult(delivery_id=first)
            return await self._pick(connection, record) if record.enabled else NextResult()

    async def notification_order(self, destination_id: str, delivery_id: int) -> NotificationOrder:
        """Return what to tell, and the secrets of the destination; raises DestinationNotFound."""
        record = await self.store.destinations.find(destination_id)
        rows = await self.store.deliveries.told_with(destination_id, delivery_id)
        if record is None or not rows:
            raise DestinationNotFound(destination_id)
        notification, event = await self.writer.write(record, rows)
        return NotificationOrder(
            type=record.type,
            secrets=self.box.open(record),
            retry=record.retry,
            notification=notification,
            event=event,
            attempts=rows[0].attempts,
        )

    async def note_attempt(
        self, destination_id: str, delivery_id: int, attempt: NotificationAttempt
    ) -> None:
        await self.store.deliveries.note_attempt(
            destination_id,
            delivery_id,
            attempts=attempt.attempts,
            error=attempt.error[:MAX_ERROR_CHARS],
        )

    async def _settle(self, destination_id: str, settled: NotificationOutcome) -> None:
        now, error = self.now(), settled.error
        values: dict[str, Any] = {
            "status": NotificationStatus.FAILED if error else NotificationStatus.SENT,
            "attempts": settled.attempts,
            "last_error": error and error[:MAX_ERROR_CHARS],
            "sent_at": None if error else now,
        }
        changed = await self.store.deliveries.settle(
            destination_id, settled.delivery_id, values, now=now
        )
        record = await self.store.destinations.find(destination_id) if changed else None
        if record:
            self.metrics.notifications.labels(record.type, settled.outcome).inc()
            _log.info(
                "notification settled",
                destination_id=destination_id,
                delivery_id=settled.delivery_id,
                outcome=settled.outcome,
                attempts=settled.attempts,
            )

    async def _is_out_of_date(self, destination_id: str) -> bool:
        """Return whether what was handed out is not to be told any more.

        The destination is disabled, or it is a reminder of what has ended meanwhile, or is
        acknowledged or silenced.
        """
        async with self.store.database.read() as connection:
            record = await find_destination(connection, destination_id)
            first = await in_flight(connection, destination_id) if record else None
            if record is None or first is None:
                return False
            reminded = await reminded_incident(connection, first)
            return not record.enabled or (
                reminded is not None
                and not await to_remind(connection, destination_id, reminded, self.now())
            )

    async def _pick(self, connection: AsyncConnection, record: DestinationRecord) -> NextResult:
        now = self.now()
        has_reminders = record.remind_every_sec is not None
        scope = Scope(FEW_ROWS, has_reminders=has_reminders, most_silenced=FEW_ROWS)
        verdict, board = await self._judge_and_silence(connection, record, scope, now)
        # A small board is cheap and usually enough. Read the large one if the small one was cut off
        # and nothing new is due, or a group may go on beyond it.
        nothing_is_new = not verdict.telling or verdict.telling.state is NotificationState.REMINDER
        is_cut = not board.is_all_waiting and (nothing_is_new or record.group_window_sec)
        if is_cut or not (verdict.telling or board.is_all_told):
            scope = Scope(MANY_ROWS, has_reminders=has_reminders, leaves_out_held=True)
            verdict, _ = await self._judge_and_silence(connection, record, scope, now)
        if verdict.telling is None:
            wake_at = verdict.wake_at
            wait_sec = max(0.0, (wake_at - now).total_seconds()) if wake_at else None
            return NextResult(wait_sec=wait_sec)
        ids = await _rows_to_tell(connection, record, verdict.telling, now)
        return NextResult(delivery_id=await hand_out(connection, ids))

    async def _judge_and_silence(
        self, connection: AsyncConnection, record: DestinationRecord, scope: Scope, now: datetime
    ) -> tuple[Verdict, Board]:
        board = await load_board(connection, record.destination_id, scope, now=now)
        verdict = judge(board, _rules(record), now)
        await silence_rows(connection, verdict.silenced)
        return verdict, board


async def _rows_to_tell(
    connection: AsyncConnection, record: DestinationRecord, telling: Telling, now: datetime
) -> list[int]:
    """Return the rows of a notification; a reminder gets one of its own."""
    if telling.state is not NotificationState.REMINDER:
        return [row.delivery_id for row in telling.rows]
    first = telling.rows[0]
    return [
        await add_row(
            connection,
            destination_id=record.destination_id,
            state=telling.state,
            monitor_id=first.monitor_id,
            incident_id=first.incident_id,
            origin_host=first.origin_host,
            happened_at=now,
            created_at=now,
        )
    ]


def _rules(record: DestinationRecord) -> Rules:
    window, reminder = record.group_window_sec, record.remind_every_sec
    return Rules(
        group_window=timedelta(seconds=window) if window else None,
        remind_every=timedelta(seconds=reminder) if reminder else None,
    )
