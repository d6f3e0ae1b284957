"""Apprise: mail, Slack, Discord, Telegram, LINE, Teams, ntfy and whatever else it speaks to.

Each attempt has a process of its own (`notifications.apprise_child`), which is guarded, bounded in
time and memory, and killed where it hangs.
"""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from media.processes.run_once import ProcessFailed, ProcessTimedOut
from monitors.delivery import Failure, is_delivered, read_retry_after
from monitors.status import Severity
from notifications.destination_urls import BadDestinationUrl, apprise_schema
from notifications.forking_process import ForkingProcess
from notifications.notification import Notification, NotificationState
from notifications.sending import SEND_TIMEOUT_SEC, Outcome, Sent, outcome_of_status
from notifications.wording import NAMES_CHARS, message

MAX_JOBS: Final = 32
"""Notifications that are sent at once. A service that hangs occupies one of these, for 15 s."""

MAX_JOB_SEC: Final = 15.0

_MAIL_NAMES_CHARS: Final = 30_000

_MUST_NOT: Final = {
    "address": "must not lead to a private or special address",
    "file": "must not ask for a local file",
    "program": "must not ask for a local program",
}
_NOT_UNDERSTOOD: Final = "is no {schema}:// URL that Apprise understands"


class AppriseSender:
    """Sends by Apprise, guarded as `OutboundGuard` guards. Close it after use."""

    def __init__(
        self,
        *,
        allow_private_networks: bool,
        exempt: Collection[tuple[str, int]] = (),
        max_job_sec: float = MAX_JOB_SEC,
    ) -> None:
        self._process = ForkingProcess(
            "notifications.apprise_child",
            {
                "allow_private_networks": allow_private_networks,
                "exempt": [*exempt],
                "max_job_sec": max_job_sec,
            },
            max_job_sec=max_job_sec,
        )
        self._slots = asyncio.Semaphore(MAX_JOBS)
        self._paces = Paces()

    async def aclose(self) -> None:
        await self._process.close()

    def process_id(self) -> int | None:
        return self._process.process_id()

    async def check(self, url: str) -> None:
        """Have Apprise read `url`, without sending anything.

        A host that it names is judged by its text; its addresses are when a connection is opened.

        Raises:
            BadDestinationUrl: Apprise does not understand it, or it cannot be guarded.
            ProcessFailed: no process could be asked.
        """
        schema = apprise_schema(url)
        answer = await self._ask({"url": url, "is_check": True})
        if answer["refused"] is not None:
            raise BadDestinationUrl(_MUST_NOT[answer["refused"]])
        if not answer["is_understood"]:
            raise BadDestinationUrl(_NOT_UNDERSTOOD.format(schema=schema))

    async def send(self, url: str, notification: Notification) -> Outcome:
        try:
            schema = apprise_schema(url)
        except BadDestinationUrl as error:
            return Failure("bad_url", f"the URL {error}", is_final=True)
        try:
            async with asyncio.timeout(SEND_TIMEOUT_SEC):
                return await self._send(schema, url, notification)
        except (TimeoutError, ProcessTimedOut):
            return Failure("timeout", "the service did not take it in time")
        except ProcessFailed as error:
            return Failure("sender_failed", f"the process that sends {error}")

    async def _send(self, schema: str, url: str, notification: Notification) -> Outcome:
        rate = RATES.get(schema)
        if rate is not None:
            away_sec = await self._paces.wait(hashlib.sha256(url.encode()).hexdigest(), rate)
            if away_sec is not None:
                return Failure("rate_limited", "too many for the service", asked_sec=away_sec)
        is_mail = schema in ("mailto", "mailtos")
        said = message(notification, names_chars=_MAIL_NAMES_CHARS if is_mail else NAMES_CHARS)
        request = {"url": url, "title": said.title, "body": said.body}
        answer = await self._ask({**request, "severity": _apprise_type(notification)})
        return _outcome(schema, answer)

    async def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        async with self._slots:
            return await self._process.ask(request)


def _outcome(schema: str, answer: dict[str, Any]) -> Outcome:
    if answer.get("is_delivered"):
        return Sent.DELIVERED
    if answer["refused"] is not None:
        what = answer["refused"]
        return Failure(f"{what}_refused", f"the URL {_MUST_NOT[what]}", is_final=True)
    if not answer["is_understood"]:
        reason = "the URL " + _NOT_UNDERSTOOD.format(schema=schema)
        return Failure("bad_url", reason, is_final=True)
    status = answer.get("status")
    if status is not None and not is_delivered(status):
        asked_sec = read_retry_after(answer["retry_after"], datetime.now(UTC))
        return outcome_of_status(status, asked_sec)
    if "code" in answer:
        return Failure(answer["code"], answer["reason"])
    return Failure("not_taken", "the service did not take it, and Apprise does not say why")


def _apprise_type(notification: Notification) -> str:
    """Return what colours the message: `info`, `success`, `warning`, `failure`."""
    if notification.state is NotificationState.CLOSED:
        return "success"
    if notification.severity is None:
        return "info"
    return "failure" if notification.severity is Severity.CRITICAL else "warning"


# The pace that chat services ask for, kept before they have to say so.

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
        """Wait for the turn of `key`; return how far it is away if that is over `MAX_WAIT_SEC`."""
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
