"""Evidence as workers hand it in."""

import hashlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any, Final

import httpx

from monitors.evidence import (
    CONTENT_TYPES,
    EvidenceHeader,
    EvidenceItem,
    EvidenceKind,
    EvidenceMoment,
)
from monitors.incidents import IncidentRef
from monitors.status import IncidentKind
from tests.testkit.events import begin_of, put_event
from tests.testkit.gateway import Running

JPEG: Final = b"\xff\xd8\xff\xe0 a picture"
MP4: Final = b"\0\0\0\x18ftypisom" + bytes(range(256)) * 20
FIRST_FAULTY: Final = EvidenceItem(EvidenceKind.PICTURE, EvidenceMoment.FIRST_FAULTY)
LAST_GOOD: Final = EvidenceItem(EvidenceKind.PICTURE, EvidenceMoment.LAST_GOOD)
CLIP: Final = EvidenceItem(EvidenceKind.CLIP)
CAPSULE: Final = EvidenceItem(EvidenceKind.CAPSULE)
FREEZE: Final = IncidentKind.FREEZE


def _digest(content: object) -> str:
    return hashlib.sha256(content if isinstance(content, bytes) else b"").hexdigest()


class Incident:
    """An incident of a monitor, with its evidence."""

    def __init__(self, gateway: Running, monitor_id: str, started_at: datetime) -> None:
        self.monitor_id = monitor_id
        self.incident_id = IncidentRef(kind=FREEZE, started_at=started_at).id_in(monitor_id)
        self._gateway = gateway
        self._started_at = started_at

    async def open(self, **details: str) -> None:
        """Report the event that opens it; `details` are further fields of its data."""
        report = begin_of(self.monitor_id, FREEZE, self._started_at, details=details)
        await put_event(self._gateway, self.monitor_id, report)

    def id_of(self, item: EvidenceItem) -> str:
        return item.id_of(self.incident_id, self._started_at)

    def headers_of(self, item: EvidenceItem, content: object) -> dict[str, str]:
        moment = {EvidenceHeader.MOMENT.value: str(item.moment)} if item.moment else {}
        return moment | {
            "Content-Type": CONTENT_TYPES[item.kind],
            EvidenceHeader.INCIDENT_ID.value: self.incident_id,
            EvidenceHeader.KIND.value: item.kind,
            EvidenceHeader.TAKEN_AT.value: datetime.now(UTC).isoformat(),
            EvidenceHeader.SHA256.value: _digest(content),
        }

    async def put(
        self, item: EvidenceItem, content: bytes | AsyncIterator[bytes], **headers: str
    ) -> httpx.Response:
        """Hand in a file; `headers` are others than those that fit, `_` for `-`."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        path = f"/internal/v1/monitors/{self.monitor_id}/evidence/{self.id_of(item)}"
        known = {k: v for k, v in self.headers_of(item, content).items() if k not in given}
        return await self._gateway.worker.put(path, content=content, headers=known | given)

    async def is_taken(self, item: EvidenceItem) -> bool:
        """Return what a worker is told that asks whether a file is there or unwanted."""
        path = f"/internal/v1/monitors/{self.monitor_id}/evidence/{self.id_of(item)}"
        answer = await self._gateway.worker.get(path)
        assert answer.status_code in (204, 404), answer.text
        return answer.status_code == 204

    async def fail(self, item: EvidenceItem, reason: str) -> httpx.Response:
        path = f"/internal/v1/monitors/{self.monitor_id}/evidence/{self.id_of(item)}/failure"
        headers = self.headers_of(item, b"")
        return await self._gateway.worker.put(path, json={"reason": reason}, headers=headers)

    async def shown(self) -> dict[str, Any]:
        """Return what the API says of its evidence, by kind and moment."""
        answer = await self._gateway.client.get(f"/api/v1/incidents/{self.incident_id}")
        assert answer.status_code == 200, answer.text
        return {one["moment"] or one["kind"]: one for one in answer.json()["evidence"]}

    async def get(self, item: EvidenceItem, **headers: str) -> httpx.Response:
        path = f"/api/v1/evidence/{self.id_of(item)}"
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self._gateway.client.get(path, headers=given)


async def new_incident(gateway: Running, started_at: datetime, **monitor: Any) -> Incident:
    """Return an incident of a new monitor, whose event is not reported yet."""
    return Incident(gateway, await gateway.created_id(**monitor), started_at)
