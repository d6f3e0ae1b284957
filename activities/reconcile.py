"""Having the gateway compare its store with Temporal."""

import httpx
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.declarations import GATEWAY_UNAVAILABLE, RECONCILE, ReconciliationReport
from activities.gateway_client import Gateway


class Reconciliation:
    """Asks the gateway for a round of reconciliation."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    @activity.defn(name=RECONCILE)
    async def reconcile(self) -> ReconciliationReport:
        """Ask once and return what was mended.

        Raises:
            ApplicationError: the gateway did not do it; the next attempt may.
        """
        try:
            return await self._gateway.reconcile()
        except httpx.HTTPError as error:
            raise ApplicationError(
                f"The gateway did not reconcile: {error}", type=GATEWAY_UNAVAILABLE
            ) from None
