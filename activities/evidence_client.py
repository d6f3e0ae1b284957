"""Pictures and evidence on their way to the gateway."""

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx

from activities.gateway_client import GatewayClient, ReportRefused, monitor_path, raise_for
from evidence.uploads import EvidenceRefused, GatewayAway, Upload
from media.watching import Picture
from monitors.evidence import CONTENT_TYPES, EvidenceHeader, EvidenceKind

UPLOAD_TIMEOUT_SEC = 60.0
CHUNK_BYTES = 256 * 1024


class EvidenceClient:
    def __init__(self, gateway: GatewayClient) -> None:
        self._http = gateway.http

    async def put_picture(self, monitor_id: str, picture: Picture) -> None:
        headers: dict[str, str] = {
            "Content-Type": CONTENT_TYPES[EvidenceKind.PICTURE],
            EvidenceHeader.TAKEN_AT: picture.taken_at.isoformat(),
        }
        await self._put(f"{monitor_path(monitor_id)}/picture", picture.jpeg, headers)

    async def has_evidence(self, monitor_id: str, evidence_id: str) -> bool:
        """Return whether the gateway has a file, or wants none; False where it does not answer."""
        with contextlib.suppress(httpx.HTTPError):
            answer = await self._http.get(f"{monitor_path(monitor_id)}/evidence/{evidence_id}")
            return answer.status_code == httpx.codes.NO_CONTENT
        return False

    async def put_evidence(self, upload: Upload) -> None:
        path = f"{monitor_path(upload.monitor_id)}/evidence/{upload.evidence_id}"
        headers: dict[str, str] = {
            EvidenceHeader.INCIDENT_ID: upload.incident_id,
            EvidenceHeader.KIND: upload.item.kind,
        }
        if upload.item.moment:
            headers[EvidenceHeader.MOMENT] = upload.item.moment
        if not upload.data:
            await self._send(f"{path}/failure", headers, json={"reason": upload.reason or ""})
            return
        headers |= {
            "Content-Type": CONTENT_TYPES[upload.item.kind],
            EvidenceHeader.TAKEN_AT: upload.taken_at.isoformat(),
            EvidenceHeader.SHA256: await _digest(upload.data),
        }
        if upload.reason:
            headers[EvidenceHeader.REASON] = upload.reason
        await self._put(path, upload.data, headers)

    async def _put(self, path: str, data: bytes, headers: Mapping[str, str]) -> None:
        sized = {**headers, "Content-Length": str(len(data))}
        await self._send(path, sized, content=_chunks(data), timeout=UPLOAD_TIMEOUT_SEC)

    async def _send(self, path: str, headers: Mapping[str, str], **body: Any) -> None:
        try:
            raise_for(await self._http.put(path, headers=headers, **body))
        except (ReportRefused, httpx.HTTPError) as error:
            raise _translated(error) from error


async def _digest(data: bytes) -> str:
    """Return the SHA-256 of a file; that of a large one takes a tenth of a second."""
    if len(data) <= CHUNK_BYTES:
        return hashlib.sha256(data).hexdigest()
    return (await asyncio.to_thread(hashlib.sha256, data)).hexdigest()


async def _chunks(data: bytes) -> AsyncIterator[bytes]:
    """Yield a large file in parts: the event loop goes on in between."""
    view = memoryview(data)
    for start in range(0, len(view), CHUNK_BYTES):
        yield bytes(view[start : start + CHUNK_BYTES])


def _translated(error: ReportRefused | httpx.HTTPError) -> GatewayAway | EvidenceRefused:
    if isinstance(error, ReportRefused):
        return EvidenceRefused(str(error))
    if isinstance(error, httpx.HTTPStatusError) and error.response.is_client_error:
        # The gateway may not know of the incident yet: its event comes another way.
        is_early = error.response.status_code == httpx.codes.NOT_FOUND
        return GatewayAway(str(error)) if is_early else EvidenceRefused(str(error))
    return GatewayAway(str(error) or type(error).__name__)
