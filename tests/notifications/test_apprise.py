"""Notifications by Apprise, and what its child process must not touch."""

import asyncio
import contextlib
import email
import email.policy
import os
import signal
from collections.abc import AsyncIterator
from email.message import EmailMessage
from functools import partial
from pathlib import Path

import psutil
import pytest
import pytest_asyncio
from aiosmtpd.smtp import SMTP, Envelope, Session
from starlette.responses import Response

from media.processes.run_once import ProcessFailed
from monitors.delivery import Failure
from notifications.apprise import AppriseSender
from notifications.apprise_child import MEMORY_BYTES
from notifications.destination_urls import BadDestinationUrl
from notifications.sending import Outcome, Sent
from tests.notifications.http_service import HttpService, http_service
from tests.notifications.samples import incident, notification
from tests.testkit.waiting import until, until_true

MAIL = "?from=tracker@example.com&to=desk@example.com&mode=insecure"

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_service() -> AsyncIterator[HttpService]:
    async with http_service() as started:
        yield started


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sender(shared_service: HttpService) -> AsyncIterator[AppriseSender]:
    """Return a sender that may reach the service and nothing else on this machine.

    To start a child takes a second of processor time, so all tests share it.
    """
    started = AppriseSender(
        allow_private_networks=False, exempt=[("127.0.0.1", shared_service.port)]
    )
    yield started
    await started.aclose()


@pytest.fixture
def service(shared_service: HttpService) -> HttpService:
    shared_service.reset()
    return shared_service


def _failure(outcome: Outcome) -> Failure:
    assert isinstance(outcome, Failure)
    return outcome


async def test_json_arrives(sender: AppriseSender, service: HttpService) -> None:
    url = f"json://127.0.0.1:{service.port}/hook"
    assert await sender.send(url, notification()) is Sent.DELIVERED
    assert await sender.send(url, notification(state="closed", language="ja")) is Sent.DELIVERED
    (path, opened), (_, closed) = service.posts
    assert path == "/hook"
    assert service.headers["user-agent"] == "Stream Tracker"
    assert (opened["title"], opened["type"]) == ("[Critical] News 24: picture is black", "failure")
    assert "https://tracker.example/incidents/inc-7" in opened["message"]
    assert (closed["title"], closed["type"]) == ("【復旧】News 24：映像が真っ黒です", "success")


@pytest.mark.parametrize(
    ("status", "is_final"), [(400, True), (404, False), (410, True), (429, False), (503, False)]
)
async def test_the_answer_of_a_service_decides_what_comes_next(
    sender: AppriseSender, service: HttpService, status: int, is_final: bool
) -> None:
    service.answer = lambda _: Response(status_code=status, headers={"Retry-After": "12"})
    url = f"json://127.0.0.1:{service.port}/secret-path"
    failure = _failure(await sender.send(url, notification()))
    assert failure.message == f"the service answered with HTTP status {status}"
    assert (failure.is_final, failure.asked_sec) == (is_final, 12)
    assert len(service.posts) == 1


@pytest.mark.parametrize("parameters", ["", "?redirect=yes", "?optional=yes&retry=3&wait=0"])
async def test_a_redirect_is_a_failure_and_followed_by_nobody(
    sender: AppriseSender, service: HttpService, parameters: str
) -> None:
    location = f"http://127.0.0.1:{service.port}/elsewhere"
    service.answer = lambda _: Response(status_code=302, headers={"Location": location})
    url = f"json://127.0.0.1:{service.port}/hook{parameters}"
    assert _failure(await sender.send(url, notification())).outcome == "http_3xx"
    assert [path for path, _ in service.posts] == ["/hook"]


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1:{other}", "localhost:{port}", "[::1]:{port}", "169.254.169.254", "2130706433"],
)
@pytest.mark.parametrize("schema", ["json", "ntfy", "mailto"])
async def test_private_addresses_are_refused(
    sender: AppriseSender, service: HttpService, schema: str, host: str
) -> None:
    """`service` itself may be reached, but only as 127.0.0.1 with its port."""
    host = host.format(port=service.port, other=service.port + 1)
    path = {"json": "x", "ntfy": "topic", "mailto": MAIL}[schema]
    failure = _failure(await sender.send(f"{schema}://{host}/{path}", notification()))
    assert (failure.outcome, failure.is_final) == ("address_refused", True)
    assert service.posts == []


async def test_a_mail_server_behind_a_public_name_is_judged_too(sender: AppriseSender) -> None:
    url = "mailto://user:pass@example.com?smtp=127.0.0.1&mode=insecure&port=25"
    failure = _failure(await sender.send(url, notification()))
    assert failure.outcome == "address_refused"


@pytest.mark.parametrize(
    "url",
    [
        "discord://1234567890/abcdefghijk?template={file}",
        "tgram://123456789:abcdefg_hijklmnop/12315544/?template={file}",
    ],
)
async def test_local_files_are_refused(sender: AppriseSender, tmp_path: Path, url: str) -> None:
    file = tmp_path / "secret"
    file.write_text("{}")
    failure = _failure(await sender.send(url.format(file=file), notification()))
    assert (failure.outcome, failure.is_final) == ("file_refused", True)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("dbus://", "dbus:// is not allowed"),
        ("nonsense://x", "is no nonsense:// URL that Apprise understands"),
        ("slack://too-short", "is no slack:// URL"),
        ("file:///etc/passwd", "is no file:// URL"),
    ],
)
async def test_what_cannot_be_used_is_refused_by_name(
    sender: AppriseSender, url: str, reason: str
) -> None:
    with pytest.raises(BadDestinationUrl, match=reason):
        await sender.check(url)
    failure = _failure(await sender.send(url, notification()))
    assert reason in failure.message
    assert failure.is_final


@pytest.mark.parametrize(
    "url",
    ["json://10.0.0.1/x", "ntfys://localhost/topic", "mailto://u:p@127.0.0.1/?to=a@b.example"],
)
async def test_a_host_of_the_inside_is_refused_at_once(sender: AppriseSender, url: str) -> None:
    with pytest.raises(BadDestinationUrl, match=r"private or special address|mailto://"):
        await sender.check(url)


async def test_a_chat_message_has_our_name_and_loads_no_picture_from_elsewhere(
    sender: AppriseSender, service: HttpService
) -> None:
    url = f"mmost://127.0.0.1:{service.port}/{'a' * 24}"
    assert await sender.send(url, notification(incident(name="@all"))) is Sent.DELIVERED
    [(_, post)] = service.posts
    assert post["username"] == "Stream Tracker"
    assert post["text"].startswith("[Critical] @\u200ball: picture is black\r\nSince 2026-11-26")
    assert "icon_url" not in post


async def test_what_can_be_used_is_checked_without_sending(
    sender: AppriseSender, service: HttpService
) -> None:
    await sender.check("tgram://123456789:abcdefg_hijklmnop/12315544/")
    await sender.check(f"json://127.0.0.1:{service.port}/x")
    assert service.posts == []


async def test_no_failure_tells_a_secret(
    sender: AppriseSender, service: HttpService, capfd: pytest.CaptureFixture[str]
) -> None:
    service.answer = lambda _: Response(status_code=500)
    for url in (
        f"json://hunter2:hunter2@127.0.0.1:{service.port}/hunter2",
        "mailto://hunter2:hunter2@127.0.0.1:1/hunter2",
        "slack://hunter2",
        "discord://hunter2/hunter2?template=/hunter2",
    ):
        assert "hunter2" not in str(await sender.send(url, notification()))
    written = capfd.readouterr()
    assert "hunter2" not in written.out + written.err


async def test_those_that_hang_hold_up_nobody_and_leave_no_process(service: HttpService) -> None:
    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()  # until the other side gives up
        writer.close()

    sender = AppriseSender(allow_private_networks=True)
    url = f"json://127.0.0.1:{service.port}/"
    assert await sender.send(url, notification()) is Sent.DELIVERED
    loop = asyncio.get_running_loop()
    async with await asyncio.start_server(hang, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        slow = f"json://127.0.0.1:{port}/?rto=60"
        hanging = [asyncio.create_task(sender.send(slow, notification())) for _ in range(20)]
        began = loop.time()
        outcomes = await asyncio.gather(*(sender.send(url, notification()) for _ in range(40)))
        took_sec = loop.time() - began
        assert outcomes == [Sent.DELIVERED] * 40
        assert not any(each.done() for each in hanging)
        await until(partial(_has_forks, sender, 20), "only those that hang are left")
        group = _pids_of_group(sender)
        await sender.aclose()
        failures = [_failure(await each) for each in hanging]
    assert {each.outcome for each in failures} == {"sender_failed"}
    await until(partial(_are_gone, group), "all processes are gone")
    assert took_sec < 10  # one after the other they would take minutes


async def test_a_sender_that_is_closed_while_its_process_starts_is_closed_at_once() -> None:
    sender = AppriseSender(allow_private_networks=True)
    checking = asyncio.create_task(sender.check("json://127.0.0.1/"))
    await asyncio.sleep(0)
    await sender.aclose()
    for asked in (checking, sender.check("json://127.0.0.1/")):
        with pytest.raises(ProcessFailed):
            await asked
    assert sender.process_id() is None


async def _has_forks(sender: AppriseSender, count: int) -> bool:
    return len(_pids_of_group(sender)) == 1 + count


def _pids_of_group(sender: AppriseSender) -> list[int]:
    leader = sender.process_id()
    assert leader is not None
    return [pid for pid in psutil.pids() if _group(pid) == leader and not _is_dead(pid)]


def _group(pid: int) -> int | None:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return None


def _is_dead(pid: int) -> bool:
    try:
        # What was killed with its parent is left to the machine's init to reap.
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


async def test_a_service_that_never_ends_its_answer_is_cut_off(service: HttpService) -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while not writer.is_closing():
            writer.write(b"x")
            await asyncio.sleep(0.1)

    sender = AppriseSender(allow_private_networks=True, max_job_sec=2)
    async with await asyncio.start_server(drip, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        failure = _failure(await sender.send(f"json://127.0.0.1:{port}/", notification()))
        assert (failure.outcome, failure.is_final) == ("timeout", False)
        await until(partial(_has_forks, sender, 0), "the attempt is killed")
    await sender.aclose()


async def test_an_answer_without_end_takes_little_memory(service: HttpService) -> None:
    sent = 0

    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        with contextlib.suppress(OSError):
            while True:
                writer.write(bytes(2**20))
                await writer.drain()
                sent += 2**20
        writer.close()

    sender = AppriseSender(allow_private_networks=True)
    async with await asyncio.start_server(flood, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        failure = _failure(await sender.send(f"json://127.0.0.1:{port}/", notification()))
        assert (failure.outcome, failure.is_final) == ("connection", False)
    assert sent < MEMORY_BYTES
    await sender.aclose()


async def test_a_process_that_is_killed_is_started_again(service: HttpService) -> None:
    sender = AppriseSender(allow_private_networks=True)
    url = f"json://127.0.0.1:{service.port}/"
    pids = set()
    for _ in range(2):
        assert await sender.send(url, notification()) is Sent.DELIVERED
        pid = sender.process_id()
        assert pid is not None
        pids.add(pid)
        os.kill(pid, signal.SIGKILL)
        await until_true(lambda: sender.process_id() is None, "the process is gone")
    assert len(pids) == 2
    await sender.aclose()


async def _are_gone(pids: list[int]) -> bool:
    return all(map(_is_dead, pids))


class Mailbox:
    """Takes mail; `answers` are given in turn to the end of a message, then 250."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.answers: list[str] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.answers:
            return self.answers.pop(0)
        assert isinstance(envelope.content, bytes)
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        return "250 OK"


@pytest_asyncio.fixture(loop_scope="module")
async def mailbox() -> AsyncIterator[tuple[Mailbox, int]]:
    box = Mailbox()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(box, loop=loop), "127.0.0.1", 0)
    yield box, server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()


async def test_mail_arrives_and_a_refusal_says_its_code(
    mailbox: tuple[Mailbox, int], service: HttpService
) -> None:
    box, port = mailbox
    sender = AppriseSender(allow_private_networks=False, exempt=[("127.0.0.1", port)])
    url = f"mailto://127.0.0.1:{port}/{MAIL}"
    names = [incident(name=f"第{number}チャンネル") for number in range(1000)]
    told = notification(*names, language="ja", origin_host="cdn.example")
    assert await sender.send(url, told) is Sent.DELIVERED
    [mail] = box.mails
    assert mail["subject"] == "【障害】cdn.example の1000件の配信：映像が真っ黒です"
    body = mail.get_body(("plain", "html"))
    assert body is not None
    assert "第999チャンネル" in body.get_content()
    box.answers = ["550 no such user"]
    failure = _failure(await sender.send(url, notification()))
    assert failure.message == "the mail server answered with code 550"
    assert await sender.send(url, notification()) is Sent.DELIVERED
    await sender.aclose()
