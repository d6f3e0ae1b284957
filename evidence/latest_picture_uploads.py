"""The latest picture of each stream, on its way to the gateway."""

import asyncio
from collections import OrderedDict
from typing import Protocol, Self

import structlog

from evidence.uploads import EvidenceRefused, GatewayAway
from media.watching import Picture

logger = structlog.get_logger(__name__)

MOST_WAITING_BYTES = 32 * 1024 * 1024
UPLOADS_AT_ONCE = 2


class PictureGateway(Protocol):
    """Takes pictures; see `EvidenceGateway`."""

    async def put_picture(self, monitor_id: str, picture: Picture) -> None:
        """Take the latest picture of a stream."""


class PictureMeter(Protocol):
    def picture(self, outcome: str) -> None:
        """Count one that was `sent`, `replaced` by a newer one, or `lost`."""


class PictureUploads:
    """Uploads the latest picture of each stream while its context is open.

    A picture that cannot be handed over is lost: a newer one comes.
    """

    def __init__(self, gateway: PictureGateway, meter: PictureMeter) -> None:
        self._gateway = gateway
        self._meter = meter
        self._waiting: OrderedDict[str, Picture] = OrderedDict()
        self._size_bytes = 0
        self._more = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def put(self, monitor_id: str, picture: Picture) -> None:
        """Upload a picture soon, unless a newer one comes before."""
        if monitor_id in self._waiting:
            self._take(monitor_id)
            self._meter.picture("replaced")
        self._waiting[monitor_id] = picture
        self._size_bytes += len(picture.jpeg)
        while self._size_bytes > MOST_WAITING_BYTES:
            self._take(next(iter(self._waiting)))
            self._meter.picture("lost")
        self._more.set()

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(self._upload_all()) for _ in range(UPLOADS_AT_ONCE)]
        return self

    async def __aexit__(self, *exception: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _take(self, monitor_id: str) -> Picture:
        picture = self._waiting.pop(monitor_id)
        self._size_bytes -= len(picture.jpeg)
        return picture

    async def _upload_all(self) -> None:
        while True:
            await self._more.wait()
            self._more.clear()
            while self._waiting:
                monitor_id = next(iter(self._waiting))
                await self._upload(monitor_id, self._take(monitor_id))

    async def _upload(self, monitor_id: str, picture: Picture) -> None:
        try:
            await self._gateway.put_picture(monitor_id, picture)
        except (GatewayAway, EvidenceRefused) as error:
            logger.info("a picture was not taken", monitor_id=monitor_id, error=str(error))
            self._meter.picture("lost")
        except Exception:
            logger.exception("a picture cannot be handed over", monitor_id=monitor_id)
            self._meter.picture("lost")
        else:
            self._meter.picture("sent")
