"""A real gateway process before strangers: it answers the next one, and it does not grow."""

import contextlib
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from api.body import MAX_BODY_BYTES
from tests.hostile.test_bodies import changed_bodies, deep, many_faults, many_objects, wide
from tests.testkit.children import STREAM_TRACKER, Child
from tests.testkit.ports import free_port

KEY = "a-key-of-a-client-of-32-characters"
INTERNAL_KEY = "a-key-of-a-worker-of-32-characters"
DESCRIPTORS = 256
ANSWER_SEC = 20
GROWTH_BYTES = 48 * 1024 * 1024
FLOOD_BYTES = 64 * 1024 * 1024

BOUNDED = ["/bin/sh", "-c", f'ulimit -n {DESCRIPTORS} && ulimit -v 4194304 && exec "$0" "$@"']
"""With few descriptors, and 4 GiB of memory at most."""

CHUNKED = b"POST /api/v1/monitors HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
ANSWER = re.compile(rb"HTTP/1\.1 (\d{3}) ")

pytestmark = pytest.mark.timeout(240)


@dataclass(frozen=True)
class Gateway:
    """A gateway process of its own, without a Temporal server behind it."""

    child: Child
    port: int
    http: httpx.Client

    def status(self, method: str = "GET", path: str = "/healthz", body: bytes = b"") -> int:
        return self.http.request(method, path, content=body).status_code

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), ANSWER_SEC)

    def most_memory(self) -> int:
        """Return the most memory that it ever had, in bytes."""
        status = Path(f"/proc/{self.child.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) * 1024

    def answers_to(self, sent: bytes) -> bytes:
        """Send something and return what comes back until the gateway closes, or waits for more."""
        with self.connect() as connection, contextlib.suppress(ConnectionError):
            connection.sendall(sent)
            connection.settimeout(0.2)
            return b"".join(_pieces(connection))
        return b""


def _pieces(connection: socket.socket) -> Iterator[bytes]:
    with contextlib.suppress(TimeoutError, ConnectionError):
        while piece := connection.recv(65536):
            yield piece


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder, port = tmp_path_factory.mktemp("gateway"), free_port()
    child = Child(
        "gateway",
        [*BOUNDED, STREAM_TRACKER, "gateway"],
        folder,
        API_KEY=KEY,
        INTERNAL_API_KEY=INTERNAL_KEY,
        WEBHOOK_SIGNING_KEY="k" * 32,
        DATA_DIR=str(folder),
        PORT=str(port),
        TEMPORAL_ADDRESS="127.0.0.1:1",
        RATE_LIMIT_CREATE="1000000",
        RATE_LIMIT_READ="1000000",
    )
    keys = {"X-API-Key": KEY, "X-Internal-API-Key": INTERNAL_KEY}
    base = f"http://127.0.0.1:{port}"
    with httpx.Client(base_url=base, headers=keys, trust_env=False, timeout=ANSWER_SEC) as http:
        running = Gateway(child, port, http)
        try:
            _wait_for(running)
            yield running
        finally:
            child.discard()


def _wait_for(gateway: Gateway) -> None:
    while gateway.child.code is None:
        with contextlib.suppress(httpx.TransportError):
            gateway.status()
            return
    raise AssertionError(gateway.child.said)


def test_silent_connections_stop_nobody(gateway: Gateway) -> None:
    with ExitStack() as stack:
        for _ in range(300):
            stack.enter_context(gateway.connect())
        assert gateway.status() == 200
        assert psutil.Process(gateway.child.pid).num_fds() < DESCRIPTORS


@pytest.mark.parametrize(
    "beginning",
    [
        pytest.param(b"GET / HTTP/1.1\r\nA: ", id="header"),
        pytest.param(CHUNKED + b"0\r\nA: ", id="trailer"),
        pytest.param(CHUNKED + b"1;", id="chunk extension"),
    ],
)
def test_a_head_or_a_trailer_without_end_is_not_kept(gateway: Gateway, beginning: bytes) -> None:
    before, piece = gateway.most_memory(), b"x" * 65536
    with gateway.connect() as connection, contextlib.suppress(ConnectionError):
        connection.sendall(beginning)
        for _ in range(FLOOD_BYTES // len(piece)):
            connection.sendall(piece)
    assert gateway.most_memory() - before < GROWTH_BYTES
    assert gateway.status() == 200


@pytest.mark.parametrize("shape", [wide, deep, many_objects, many_faults])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/v1/monitors"),
        ("PATCH", "/api/v1/monitors/mon-1"),
        ("PUT", "/internal/v1/monitors/mon-1/status"),
        ("PUT", "/internal/v1/monitors/mon-1/events/evt-1"),
    ],
)
def test_a_crafted_body_costs_little_memory(
    gateway: Gateway, method: str, path: str, shape: Callable[[int], str]
) -> None:
    before = gateway.most_memory()
    assert gateway.status(method, path, shape(MAX_BODY_BYTES - 100).encode()) in (400, 404)
    assert gateway.most_memory() - before < GROWTH_BYTES


heads = st.sampled_from(
    [
        b"GET /healthz HTTP/1.1",
        b"GET /api/v1/monitors?limit=1 HTTP/1.1",
        b"POST /api/v1/monitors HTTP/1.1",
        b"PUT /internal/v1/monitors/mon-1/status HTTP/1.1",
        b"OPTIONS * HTTP/1.1",
        b"CONNECT a:1 HTTP/1.1",
        b"GET http://a/healthz HTTP/1.1",
        b"GET /%00%ff%0d%0a?limit=%00&x[]=\xff HTTP/1.1",
        b"PRI * HTTP/2.0",
        b"GET /healthz HTTP/1.0",
        b"HEAD /docs HTTP/9.9",
    ]
)
fields = st.sampled_from(
    [
        b"Host: a",
        b"Host: a\r\nHost: b",
        b"X-API-Key: " + KEY.encode(),
        b"X-API-Key: \xff\xfe",
        b"Authorization: Bearer \xff",
        b"Authorization: Bearer",
        b"Idempotency-Key: \xc3\xa9",
        b"Content-Type: application/json; charset=\xff",
        b"Content-Length: 5",
        b"Content-Length: -1",
        b"Content-Length: 99999999999999999999999",
        b"Transfer-Encoding: chunked",
        b"Transfer-Encoding: gzip, chunked",
        b"Expect: 100-continue",
        b"Connection: Upgrade\r\nUpgrade: websocket",
        b"Sec-WebSocket-Key: a\r\nSec-WebSocket-Version: 13",
        b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAA",
        b"X-Forwarded-For: \xff, 1.2.3.4",
        b"X-Request-ID: \x80\xff",
        b" folded: line",
        b"no colon",
        b": no name",
    ]
)
bodies = (
    st.binary(max_size=40)
    | changed_bodies()
    | st.sampled_from(
        [
            b"5\r\nhello\r\n0\r\n\r\n",
            b"ffffffffffffffff\r\n",
            b"-1\r\n",
            b"0\r\nA: b\r\n\r\n",
            b"\r\n" * 9,
        ]
    )
)


@st.composite
def messages(draw: st.DrawFn) -> bytes:
    """Something that looks like a request."""
    head = [draw(heads), *draw(st.lists(fields, max_size=5))]
    written = bytearray(b"\r\n".join(head) + b"\r\n\r\n" + draw(bodies))
    for _ in range(draw(st.integers(0, 1))):
        written[draw(st.integers(0, len(written) - 1))] = draw(st.integers(0, 255))
    return bytes(written)


@settings(max_examples=80, deadline=None)
@given(st.lists(messages(), min_size=1, max_size=3).map(b"".join) | st.binary(max_size=200))
@example(b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n")
@example(b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n")
@example(b"GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nxx")
def test_whatever_is_sent_is_answered_in_the_one_form(gateway: Gateway, sent: bytes) -> None:
    heard = gateway.answers_to(sent)
    assert heard == b"" or heard.startswith(b"HTTP/1.1 ")
    for status in map(int, ANSWER.findall(heard)):
        assert status < 500
    for part in re.split(rb"(?=HTTP/1\.1 \d{3} )", heard)[1:]:
        if part[9:10] == b"4" and not sent.startswith(b"HEAD"):
            assert b'{"error":' in part
    assert gateway.child.code is None
    assert "Traceback" not in gateway.child.said


def test_it_still_answers_and_did_not_grow(gateway: Gateway) -> None:
    """All that the tests before sent was this."""
    assert gateway.status() == 200
    assert gateway.status("GET", "/api/v1/monitors") == 200
    assert gateway.most_memory() < 300 * 1024 * 1024
