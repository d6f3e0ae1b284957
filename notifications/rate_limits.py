"""The pace that chat services ask for, kept before they have to say so."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

MAX_WAIT_SEC: Final = 10.0
MAX_KEYS: Final = 1000


@dataclass(frozen=True)
class Rate:
    """At most `messages` within `per_sec`."""

    messages: int
    per_sec: float


# By Apprise's schemas. Each is the service's rule for one webhook, bot or chat: a URL.
RATES: Final = {
    "slack": Rate(1, 1),  # https://docs.slack.dev/apis/web-api/rate-limits
    "discord": Rate(5, 2),  # per webhook; https://discord.com/developers/docs/topics/rate-limits
    "tgram": Rate(1, 1),  # per chat; https://core.telegram.org/bots/faq
    "workflows": Rate(4, 1),  # Microsoft Teams
    "gchat": Rate(1, 1),  # per space and webhook
}


class Paces:
    """Spaces the messages of each key by its rate; a burst may use it up at once (GCRA)."""

    def __init__(self) -> None:
        self._due: OrderedDict[str, float] = OrderedDict()

    async def wait(self, key: str, rate: Rate) -> float | None:
        """Wait for the turn of `key`.

        Returns:
            None, or how long the turn is away where that is longer than `MAX_WAIT_SEC`.
        """
        now = asyncio.get_running_loop().time()
        interval = rate.per_sec / rate.messages
        due = max(self._due.get(key, now), now)
        wait_sec = due - now - (rate.per_sec - interval)
        if wait_sec > MAX_WAIT_SEC:
            return wait_sec
        self._due[key] = due + interval
        self._due.move_to_end(key)
        if len(self._due) > MAX_KEYS:
            self._due.popitem(last=False)
        if wait_sec > 0:
            await asyncio.sleep(wait_sec)
        return None
