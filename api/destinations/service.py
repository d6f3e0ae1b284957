"""Making, changing, testing and removing destinations."""

import base64
import secrets
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Final

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from activities.destination_declarations import DestinationSecrets
from api.destinations.schemas import (
    AuditedDelivery,
    ChangeDestination,
    CreatedDestination,
    CreateDestination,
    DeliveryList,
    Destination,
    DestinationList,
    QueuedTest,
)
from api.destinations.waker import DestinationWaker
from api.errors import DestinationNotFound, InvalidUrl, ValidationFailed
from api.injection import injected
from api.parameters import Pagination
from api.secrets import DestinationSecretBox
from api.store import Store
from api.store.delivery_records import NotificationStatus
from api.store.destinations import DestinationRecord
from api.url_checks import AddressCheck, AppriseCheck, check_address
from monitors.random_ids import new_destination_id
from notifications.destination_urls import (
    BadDestinationUrl,
    check_destination_url,
    masked_url,
    requested_url,
)
from notifications.notification import DestinationType

MAX_DESTINATIONS: Final = 1000
SIGNING_KEY_BYTES: Final = 32

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class SigningKeys:
    """The keys of a webhook, as Standard Webhooks 1.0 writes them."""

    secret: str | None = field(default=None, repr=False)
    private_key: str | None = field(default=None, repr=False)
    public_key: str | None = None


@dataclass(frozen=True)
class DestinationService:
    store: Store
    waker: DestinationWaker
    address_check: AddressCheck
    apprise_check: AppriseCheck | None
    box: DestinationSecretBox
    now: Callable[[], datetime]

    async def create(self, wanted: CreateDestination) -> CreatedDestination:
        """Make a destination; raises ValidationFailed or InvalidUrl."""
        is_webhook = wanted.type is DestinationType.WEBHOOK
        if wanted.ed25519 and not is_webhook:
            raise ValidationFailed("ed25519: only a webhook is signed")
        await self._check_url(wanted.type, wanted.url)
        _, total = await self.store.destinations.page(limit=1, offset=0)
        if total >= MAX_DESTINATIONS:
            raise ValidationFailed(f"name: there are {MAX_DESTINATIONS} destinations, the maximum")
        destination_id = new_destination_id()
        keys = new_signing_keys(with_ed25519=wanted.ed25519) if is_webhook else SigningKeys()
        opened = DestinationSecrets(
            url=wanted.url, secret=keys.secret, private_key=keys.private_key
        )
        record = DestinationRecord(
            **wanted.model_dump(exclude={"url", "ed25519"}),
            destination_id=destination_id,
            shown_url=masked_url(wanted.url),
            secrets=self.box.seal(opened, destination_id),
            public_key=keys.public_key,
            created_at=self.now(),
        )
        await self.store.destinations.add(record)
        _log.info("destination created", destination_id=destination_id, type=record.type)
        return CreatedDestination(**_shown(record), secret=keys.secret)

    async def list_all(self, *, limit: int, offset: int) -> DestinationList:
        found, total = await self.store.destinations.page(limit=limit, offset=offset)
        return DestinationList(
            destinations=[Destination(**_shown(one)) for one in found],
            pagination=Pagination(total=total, limit=limit, offset=offset),
        )

    async def show(self, destination_id: str) -> Destination:
        return Destination(**_shown(await self.find(destination_id)))

    async def change(self, destination_id: str, wanted: ChangeDestination) -> Destination:
        """Change a destination; what waits is tried again at once, the new way."""
        record = await self.find(destination_id)
        values = wanted.model_dump(mode="json", exclude_unset=True)
        if (url := values.pop("url", None)) is not None:
            await self._check_url(record.type, url)
            opened = self.box.open(record).model_copy(update={"url": url})
            values["secrets"] = self.box.seal(opened, destination_id)
            values["shown_url"] = masked_url(url)
        if values and not await self.store.destinations.change(destination_id, values):
            raise DestinationNotFound(destination_id)
        if values:
            _log.info("destination changed", destination_id=destination_id, fields=sorted(values))
            self.waker.interrupt(destination_id)
        return await self.show(destination_id)

    async def remove(self, destination_id: str) -> None:
        await self.find(destination_id)
        await self.store.destinations.remove(destination_id)
        _log.info("destination removed", destination_id=destination_id)
        self.waker.interrupt(destination_id)

    async def test(self, destination_id: str) -> QueuedTest:
        """Queue a test notification, before all else that waits."""
        record = await self.find(destination_id)
        if not record.enabled:
            raise ValidationFailed("enabled: is false, so nothing is sent")
        delivery_id = await self.store.deliveries.add_test(destination_id, self.now())
        self.waker.interrupt(destination_id)
        return QueuedTest(delivery_id=delivery_id, status=NotificationStatus.PENDING)

    async def deliveries(self, destination_id: str, *, limit: int, offset: int) -> DeliveryList:
        await self.find(destination_id)
        found, total = await self.store.deliveries.page(destination_id, limit=limit, offset=offset)
        return DeliveryList(
            deliveries=[AuditedDelivery.model_validate(vars(one)) for one in found],
            pagination=Pagination(total=total, limit=limit, offset=offset),
        )

    async def newest_deliveries(
        self, destination_ids: Collection[str]
    ) -> dict[str, AuditedDelivery]:
        return {
            one.destination_id: AuditedDelivery.model_validate(vars(one))
            for one in await self.store.deliveries.newest_of(destination_ids)
        }

    async def find(self, destination_id: str) -> DestinationRecord:
        record = None
        if "\0" not in destination_id:  # PostgreSQL refuses the question
            record = await self.store.destinations.find(destination_id)
        if record is None:
            raise DestinationNotFound(destination_id)
        return record

    async def _check_url(self, type: DestinationType, url: str) -> None:
        try:
            check_destination_url(type, url)
            requested = requested_url(type, url)
            if requested is None and self.apprise_check is not None:
                await self.apprise_check(url)
        except BadDestinationUrl as error:
            raise InvalidUrl(f"url: {error}") from None
        if requested is not None:
            await check_address(self.address_check, "url", requested, for_webhooks=True)


Destinations = Annotated[DestinationService, injected(DestinationService)]


def _shown(record: DestinationRecord) -> dict[str, Any]:
    return {**vars(record), "url": record.shown_url}


async def check_destinations(store: Store, destination_ids: list[str]) -> None:
    """Refuse a list of destinations that names one twice, or one that does not exist."""
    if len(set(destination_ids)) < len(destination_ids):
        raise ValidationFailed("destinations: names one twice")
    if destination_ids and (missing := await store.destinations.missing(destination_ids)):
        raise ValidationFailed(f"destinations: there is no destination {missing[0]!r}")


def new_signing_keys(*, with_ed25519: bool) -> SigningKeys:
    secret = f"whsec_{_text(secrets.token_bytes(SIGNING_KEY_BYTES))}"
    if not with_ed25519:
        return SigningKeys(secret=secret)
    key = Ed25519PrivateKey.generate()
    return SigningKeys(
        secret=secret,
        private_key=f"whsk_{_text(key.private_bytes_raw())}",
        public_key=f"whpk_{_text(key.public_key().public_bytes_raw())}",
    )


def _text(key: bytes) -> str:
    return base64.b64encode(key).decode()
