"""The gateway's internal API about destinations, as workers use it."""

from typing import TypeVar

import httpx
from pydantic import BaseModel

from activities.destination_declarations import (
    NextInput,
    NextResult,
    NotificationAttempt,
    NotificationOrder,
)
from activities.gateway_client import raise_for

ModelT = TypeVar("ModelT", bound=BaseModel)
_JSON = {"Content-Type": "application/json"}


class DestinationClient:
    """Calls the endpoints of destinations.

    Every call raises `ReportRefused` when the gateway will never take it, and `httpx.HTTPError`
    when it does not answer.

    Args:
        http: of `activities.gateway_client.GatewayClient`.
    """

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def next_notification(self, input: NextInput) -> NextResult:
        """Say what became of the last notification, and return what is due."""
        path = f"/internal/v1/destinations/{input.destination_id}/next"
        response = await self._http.post(path, content=input.model_dump_json(), headers=_JSON)
        return _answer(NextResult, response)

    async def notification_order(self, destination_id: str, delivery_id: int) -> NotificationOrder:
        """Return what to tell, with the secrets of the destination."""
        return _answer(
            NotificationOrder, await self._http.get(_delivery_path(destination_id, delivery_id))
        )

    async def note_attempt(
        self, destination_id: str, delivery_id: int, attempt: NotificationAttempt
    ) -> None:
        """Have the audit show an attempt that failed."""
        path = f"{_delivery_path(destination_id, delivery_id)}/attempt"
        raise_for(await self._http.put(path, content=attempt.model_dump_json(), headers=_JSON))


def _delivery_path(destination_id: str, delivery_id: int) -> str:
    return f"/internal/v1/destinations/{destination_id}/deliveries/{delivery_id}"


def _answer(kind: type[ModelT], response: httpx.Response) -> ModelT:
    raise_for(response)
    return kind.model_validate_json(response.content)
