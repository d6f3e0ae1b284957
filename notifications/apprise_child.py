"""The process that sends by Apprise, `python -m notifications.apprise_child`.

Apprise speaks to 130 services with `requests`, `smtplib` and sockets of its own. So each
notification has a process of its own, in which Python itself judges: an audit hook (PEP 578) sees
every look-up, every connection, every file and every program at the moment it is asked for, and
refuses by raising. The address that is judged is the one that is connected to; a name that changes
its answer gains nothing.

To load Apprise takes a second. This process does so once, and forks for each request: it reads
requests as `media.processes.framing` says, and its forks write the answers. Nothing that Apprise
logs or raises leaves a fork: its texts have parts of URLs, and those are secrets.
"""

import gc
import logging
import os
import resource
import signal
import smtplib
import socket
import sys
from typing import Any, Final, NoReturn

import apprise
import requests

from media.processes.framing import pack_json, read_json
from notifications.apprise_guard import ProcessGuard

MEMORY_BYTES: Final = 320 * 1024 * 1024
"""Address space: twice what Apprise takes, so that an answer without end finds one here."""

MAX_HEADER_CHARS: Final = 64

_ERRORS: Final = (
    (requests.exceptions.SSLError, "connection", "the certificate was refused"),
    (requests.exceptions.Timeout, "timeout", "the answer did not come in time"),
    (requests.exceptions.ConnectionError, "connection", "the connection failed"),
    (Exception, "connection", "the request failed"),
)


class Record:
    """How the requests of a notification ended: the first that failed, else the last."""

    def __init__(self) -> None:
        self.end: dict[str, Any] = {}

    def note(self, **end: Any) -> None:
        if "code" not in self.end and 200 <= self.end.get("status", 200) <= 299:
            self.end = end


_RECORD: Final = Record()


class RecordingSession(requests.Session):
    """What Apprise's HTTP requests go through. It follows no redirect."""

    def __init__(self) -> None:
        super().__init__()
        self.trust_env = False

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        options["allow_redirects"] = False
        try:
            response = super().send(request, **options)
        except Exception as error:
            _, code, reason = next(each for each in _ERRORS if isinstance(error, each[0]))
            _RECORD.note(code=code, reason=reason)
            raise
        retry_after = response.headers.get("retry-after", "")[:MAX_HEADER_CHARS]
        _RECORD.note(status=response.status_code, retry_after=retry_after)
        if response.is_redirect:
            # Some of Apprise's services take every answer below 400 for a success.
            raise requests.exceptions.TooManyRedirects("redirects are refused")
        return response


class _RecordingReplies(smtplib.SMTP):
    def getreply(self) -> tuple[int, bytes]:
        code, text = super().getreply()
        if code >= 400:
            reason = f"the mail server answered with code {code}"
            _RECORD.note(code=f"smtp_{code // 100}xx", reason=reason)
        return code, text


class RecordingSmtp(_RecordingReplies):
    """What Apprise's mail goes through."""


class RecordingSmtpSsl(_RecordingReplies, smtplib.SMTP_SSL):
    """The same, encrypted from the first byte."""


def main() -> None:
    """Fork for each request until the parent closes the pipe."""
    source, answers = sys.stdin.buffer, os.dup(1)
    _silence()
    setup = read_json(source)
    if setup is None:
        return
    _record_all()
    apprise.Apprise.instantiate("json://127.0.0.1")  # loads all services
    gc.freeze()  # forks share its memory, and a collection would have each copy it
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # forks leave no zombies
    for name, value in ((resource.RLIMIT_CORE, 0), (resource.RLIMIT_AS, MEMORY_BYTES)):
        resource.setrlimit(name, (value, value))
    os.write(answers, pack_json({"ready": True}))
    while (request := read_json(source)) is not None:
        if os.fork() == 0:
            _work(setup, request, answers)


def _work(setup: dict[str, Any], request: dict[str, Any], answers: int) -> NoReturn:
    """Do what `request` asks for, answer and exit; the kernel ends what takes too long."""
    try:
        signal.setitimer(signal.ITIMER_REAL, setup["max_job_sec"])
        guard = ProcessGuard(
            allow_private_networks=setup["allow_private_networks"],
            exempt=[(host, port) for host, port in setup["exempt"]],
        )
        sys.addaudithook(guard.judge)
        answer = _answer(request) | {"refused": guard.refused} | _RECORD.end
        # At once and below PIPE_BUF: answers of several forks never mix.
        os.write(answers, pack_json({"id": request["id"], **answer}))
    finally:
        os._exit(0)


def _record_all() -> None:
    """Put the recording classes where Apprise looks for their originals."""
    for module, name, kind in (
        (requests, "Session", RecordingSession),
        (requests.sessions, "Session", RecordingSession),
        (smtplib, "SMTP", RecordingSmtp),
        (smtplib, "SMTP_SSL", RecordingSmtpSsl),
    ):
        setattr(module, name, kind)


def _silence() -> None:
    logging.disable(logging.CRITICAL)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for descriptor in (1, 2):
        os.dup2(nowhere, descriptor)


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    try:
        service = _service(request["url"])
        if service is None:
            return {"is_understood": False}
        if request.get("is_check"):
            _look_up_host(service)
            return {"is_understood": True}
        sender = apprise.Apprise(asset=service.asset)
        sender.add(service)
        is_delivered = sender.notify(
            title=request["title"],
            body=request["body"],
            notify_type=request["severity"],
            body_format=apprise.NotifyFormat.TEXT,
        )
    except Exception as error:
        return {"is_understood": True, "is_delivered": False, "error": type(error).__name__}
    return {"is_understood": True, "is_delivered": bool(is_delivered)}


def _look_up_host(service: apprise.NotifyBase) -> None:
    """Have the guard judge the host that a URL names, where it names one at all."""
    if any("{host}" in template for template in map(str, service.templates)):
        socket.getaddrinfo(service.host, service.port)


def _service(url: str) -> apprise.NotifyBase | None:
    """Return the service that a URL names, without what would hide or repeat a failure."""
    asset = apprise.AppriseAsset(
        app_id="Stream Tracker",
        app_desc="Stream Tracker",
        app_url="",
        image_url_mask="",  # no icons: the services would fetch them from elsewhere
        image_url_logo="",
        async_mode=False,
        secure_logging=True,
        http_redirects=False,
        allow_templates=False,
        pgp_autogen=False,
        pem_autogen=False,
        storage_mode=apprise.PersistentStoreMode.MEMORY,
    )
    service = apprise.Apprise.instantiate(url, asset=asset)
    if service is not None:
        service.optional = False
        service.retry = 0
        service.redirects = False
        if service.overflow_mode == apprise.OverflowMode.UPSTREAM:
            service.overflow_mode = apprise.OverflowMode.TRUNCATE
    return service


if __name__ == "__main__":
    main()
