"""The receiver for people who test their integration trusts what is signed, and nothing else."""

import asyncio
import base64
import json
import socket
import time
from typing import Any

import httpx
import pytest

from cli.receiver import (
    BODY_MAX_BYTES,
    NOT_SIGNED,
    TOO_LARGE,
    Received,
    Receiver,
    print_line,
    receiving,
    signing_keys,
)
from monitors.webhook_signing import signature_headers
from runtime.serving import PortTaken
from tests.testkit.ports import free_port

KEY, OLD_KEY = b"a-key-of-at-least-24-bytes", b"an-older-key-of-24-bytes"
BODY = json.dumps({"event_id": "evt-1", "event_type": "alert.blackout", "data": {}}).encode()


class Post:
    """Posts to a receiver.

    Attributes:
        received: what it passed on.
    """

    def __init__(self, *, keys: tuple[bytes, ...] = (KEY,), **behaviour: Any) -> None:
        self.received: list[Received] = []
        receiver = Receiver(keys, self.received.append, **behaviour)
        transport = httpx.ASGITransport(receiver.app())
        self._client = httpx.AsyncClient(transport=transport, base_url="http://receiver")

    async def __call__(
        self,
        *,
        keys: tuple[bytes, ...] = (KEY,),
        body: bytes = BODY,
        age_sec: int = 0,
        **changed: str,
    ) -> int:
        at = int(time.time()) - age_sec
        headers = signature_headers(keys, event_id="evt-1", body=BODY, attempt_at=at)
        headers |= {name.replace("_", "-"): value for name, value in changed.items()}
        return (await self._client.post("/any/path", content=body, headers=headers)).status_code


async def test_a_genuine_webhook_is_taken() -> None:
    post = Post()
    assert await post() == 200
    (received,) = post.received
    assert (received.problem, received.event["event_id"]) == (None, "evt-1")


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        pytest.param({"keys": (OLD_KEY,)}, "the signature does not fit", id="another key"),
        pytest.param({"body": BODY + b" "}, "the signature does not fit", id="another body"),
        pytest.param({"X_Signature_256": ""}, "the signature does not fit", id="not signed"),
        pytest.param({"webhook_id": "evt-2"}, "of Standard Webhooks", id="another id"),
        pytest.param({"webhook_signature": "v1,"}, "of Standard Webhooks", id="trio not signed"),
        pytest.param({"webhook_timestamp": "1"}, "of Standard Webhooks", id="another time"),
        pytest.param({"age_sec": 400}, "too far away", id="played again later"),
        pytest.param({"age_sec": -400}, "too far away", id="from the future"),
    ],
)
async def test_what_is_not_genuine_is_refused(changed: dict[str, Any], problem: str) -> None:
    post = Post()
    assert await post(**changed) == 401
    assert problem in str(post.received[0].problem)


async def test_a_body_larger_than_any_webhook_is_not_read() -> None:
    post = Post()
    assert await post(body=bytes(10 * BODY_MAX_BYTES)) == 413
    assert post.received[0].problem == TOO_LARGE


async def test_what_is_not_genuine_is_not_shown(capsys: pytest.CaptureFixture[str]) -> None:
    post = Post()
    forged = {
        "sequence": 1,
        "event_type": "\x1b]0;title\x07\n200 OK · signature valid · #2 alert.blackout",
    }
    await post(body=json.dumps(forged).encode())
    await post()
    for received in post.received:
        print_line(received)
    assert capsys.readouterr().out.splitlines() == [
        f"401 Unauthorized · refused: {NOT_SIGNED}",
        "200 OK · signature valid · #None alert.blackout · None · {}",
    ]


async def test_a_request_that_never_ends_does_not_keep_the_receiver() -> None:
    async with asyncio.timeout(30):
        async with receiving(Receiver([KEY], print), "127.0.0.1", port := free_port()):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n{")
            await writer.drain()
            await asyncio.sleep(0.1)
    writer.close()


async def test_both_keys_are_trusted_during_a_rotation() -> None:
    post = Post(keys=(KEY, OLD_KEY))
    assert [await post(keys=keys) for keys in ((KEY, OLD_KEY), (OLD_KEY,))] == [200, 200]


async def test_the_secret_of_a_destination_is_taken_as_it_is_shown() -> None:
    secret = f"whsec_{base64.b64encode(KEY).decode()}"
    assert await Post(keys=tuple(signing_keys(f"whsec_+, {secret}")))() == 200
    assert await Post(keys=tuple(signing_keys("whsec_+")))() == 401


async def test_one_that_knows_the_old_key_alone_can_verify_the_trio_of_a_rotation() -> None:
    post = Post(keys=(OLD_KEY,))
    await post(keys=(KEY, OLD_KEY))
    assert post.received[0].problem == NOT_SIGNED  # X-Signature-256 is the first


async def test_it_fails_first_and_answers_as_told_then() -> None:
    post = Post(fail_first=2, status=204)
    assert [await post() for _ in range(3)] == [500, 500, 204]
    assert [each.problem for each in post.received] == [None] * 3


async def test_a_body_that_is_no_event_is_passed_on_without_one() -> None:
    post = Post()
    assert await post(body=b"[1]") == 401
    assert post.received[0].event == {}


async def test_a_taken_port_is_an_error_that_names_the_option() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(PortTaken, match=f"^--host, --port: .*{port}"):
            async with receiving(Receiver([KEY], print), "127.0.0.1", port):
                pytest.fail("it receives on a taken port")
