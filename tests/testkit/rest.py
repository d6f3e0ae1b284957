"""A client of the REST API, as a user writes one."""

from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

import httpx

from tests.testkit.waiting import plain_client, until


class Rest:
    """Calls one gateway."""

    def __init__(self, base_url: str, key: str) -> None:
        self.base_url = base_url
        self.key = key
        self.http = plain_client(
            base_url=f"{base_url}/api/v1", headers={"Authorization": f"Bearer {key}"}, timeout=20
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        await self.http.aclose()

    async def create(
        self, stream_url: str, callback_url: str, config: dict[str, Any], **fields: Any
    ) -> str:
        """Register a monitor and return its id; it keeps evidence only where `config` says so."""
        config = {"evidence": "none", **config}
        body = {"stream_url": stream_url, "callback_url": callback_url, "config": config, **fields}
        headers = {"Idempotency-Key": str(uuid4())}
        answer = await self._answer("POST", "/monitors", json=body, headers=headers)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["monitor_id"])

    async def show(self, monitor_id: str) -> dict[str, Any]:
        """Return a monitor's condition."""
        return await self._get(f"/monitors/{monitor_id}")

    async def events(self, monitor_id: str) -> list[dict[str, Any]]:
        """Return the audit of a monitor's events."""
        events: list[dict[str, Any]] = (await self._get(f"/monitors/{monitor_id}/events"))["events"]
        return events

    async def incidents(self, monitor_id: str) -> list[dict[str, Any]]:
        """Return the incidents of a monitor, newest first."""
        answer = await self._get(f"/incidents?monitor_id={monitor_id}")
        found: list[dict[str, Any]] = answer["incidents"]
        return found

    async def timeline(self, monitor_id: str) -> list[dict[str, Any]]:
        """Return what is known of each moment of a stream."""
        found = await self._get(f"/monitors/{monitor_id}/timeline")
        intervals: list[dict[str, Any]] = found["intervals"]
        return intervals

    async def create_destination(self, url: str, **fields: Any) -> dict[str, Any]:
        """Make a webhook destination and return the answer, with its secret."""
        return await self._post(
            "/destinations", {"name": url, "type": "webhook", "url": url, **fields}
        )

    async def deliveries(self, destination_id: str) -> list[dict[str, Any]]:
        """Return the latest of what a destination is told, newest first."""
        answer = await self._get(f"/destinations/{destination_id}/deliveries?limit=200")
        found: list[dict[str, Any]] = answer["deliveries"]
        return found

    async def silence(self, **fields: Any) -> str:
        """Begin a silence of an hour and return its id."""
        ends_at = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
        made = await self._post("/silences", {"ends_at": ends_at, **fields})
        return str(made["silence_id"])

    async def end_silence(self, silence_id: str) -> None:
        """End a silence now."""
        answer = await self.http.delete(f"/silences/{silence_id}")
        assert answer.status_code == 204, answer.text

    async def stop(self, monitor_id: str) -> dict[str, Any]:
        """Stop a monitor."""
        answer = await self._answer("DELETE", f"/monitors/{monitor_id}")
        assert answer.status_code == 200, answer.text
        stopped: dict[str, Any] = answer.json()
        return stopped

    async def stop_all(self) -> None:
        """Stop every monitor that is active."""
        for status in ("scheduled", "initializing", "waiting", "monitoring"):
            while found := (await self._get(f"/monitors?status={status}&limit=200"))["monitors"]:
                for each in found:
                    await self.stop(each["monitor_id"])

    async def until_status(
        self, monitor_id: str, status: str, *, within_sec: float = 30.0
    ) -> dict[str, Any]:
        """Wait until a monitor is in `status`, and return its condition."""

        async def shown() -> dict[str, Any] | None:
            condition = await self.show(monitor_id)
            return condition if condition["status"] == status else None

        return await until(shown, f"{monitor_id} {status}", within_sec=within_sec)

    async def until_audited(
        self, monitor_id: str, count: int, *, within_sec: float = 30.0
    ) -> list[dict[str, Any]]:
        """Wait until `count` events are on record and none is pending; return them."""

        async def audited() -> list[dict[str, Any]] | None:
            events = await self.events(monitor_id)
            pending = [each for each in events if each["webhook_status"] == "pending"]
            return events if len(events) >= count and not pending else None

        return await until(audited, f"{count} events of {monitor_id}", within_sec=within_sec)

    async def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = await self.http.post(path, json=body)
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made

    async def _answer(self, method: str, path: str, **fields: Any) -> httpx.Response:
        """Ask until Temporal is not too busy; so far nothing was done."""

        async def answered() -> httpx.Response | None:
            answer = await self.http.request(method, path, **fields)
            is_busy = answer.status_code == httpx.codes.SERVICE_UNAVAILABLE
            return None if is_busy else answer

        return await until(answered, f"an answer to {method} {path}")

    async def _get(self, path: str) -> dict[str, Any]:
        answer = await self.http.get(path)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found
