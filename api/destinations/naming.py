"""The destinations that a monitor names."""

from api.errors import ValidationFailed
from api.store import Store


async def check_destinations(store: Store, destination_ids: list[str]) -> None:
    """Check that these destinations exist.

    Raises:
        ValidationFailed: one does not, or is named twice.
    """
    if len(set(destination_ids)) < len(destination_ids):
        raise ValidationFailed("destinations: names one twice")
    if destination_ids and (missing := await store.destinations.missing(destination_ids)):
        raise ValidationFailed(f"destinations: there is no destination {missing[0]!r}")
