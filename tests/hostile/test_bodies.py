"""Whatever a body holds, it is taken or refused by name, in time and memory that grow with it."""

import json
import time
import tracemalloc
from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from api.body import MAX_BODY_BYTES, parse_model, parse_report
from api.errors import ApiError
from api.internal.routes import Termination
from api.internal.worker_reports import StatusReceived
from api.monitors.creation import parse_creation
from api.monitors.updates import parse_change
from monitors.reports import EventReport
from tests.testkit.events import event
from tests.testkit.gateway import order

READERS: dict[str, Callable[[bytes], object]] = {
    "creation": parse_creation,
    "change": parse_change,
    "status report": lambda body: parse_report(StatusReceived, body),
    "event report": lambda body: parse_report(EventReport, body),
    "termination": lambda body: parse_model(Termination, body),
}
MONITOR_ID = "mon-019a0b1c-2d3e-7f40-8a5b-6c7d8e9f0a1b"
STATUS = {"status": "monitoring", "as_of": "2026-01-01T00:00:00Z", "statistics": {}}
VALID = [order(metadata={"a": [1]}), {"config": {}}, event(MONITOR_ID, 1), STATUS, {"reason": "x"}]
NAMES = sorted({name for each in VALID for name in each} | {"video", "recovery_sec", "data"})

texts = st.text(max_size=8) | st.sampled_from(["\0", "\ud800", "monitoring", "https://a.example"])
scalars = (
    st.none()
    | st.booleans()
    | st.floats()
    | texts
    | st.integers()
    | st.just(10**400)
    | st.just(-0.0)
)
names = st.sampled_from(NAMES) | texts
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4)
)


@st.composite
def changed_bodies(draw: st.DrawFn) -> bytes:
    """A valid body in which a field is another, and then maybe a byte."""
    body = dict(draw(st.sampled_from(VALID)))
    body.update(draw(st.dictionaries(names, values, max_size=3)))
    written = bytearray(json.dumps(body, ensure_ascii=draw(st.booleans())).encode(errors="ignore"))
    for _ in range(draw(st.integers(0, 2))):
        written[draw(st.integers(0, len(written) - 1))] = draw(st.integers(0, 255))
    return bytes(written)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(READERS)), changed_bodies() | st.binary(max_size=64))
@example("status report", b'{"status": "monitoring", "statistics": {"analyzed_sec": NaN}}')
@example("status report", b'{"status": "monitoring", "error_reason": "\\u0000"}')
@example("event report", b'{"event": {"data": {"x": 1e999}}}')
def test_a_body_is_taken_or_refused_by_name(reader: str, body: bytes) -> None:
    refusal = _read(READERS[reader], body)
    if refusal:
        assert 400 <= refusal.status < 500
        assert ": " in refusal.message
        assert refusal.message.isprintable()
        assert len(refusal.message) < 1000


def _read(reader: Callable[[bytes], object], body: bytes) -> ApiError | None:
    try:
        reader(body)
    except ApiError as error:
        return error
    return None


def wide(size: int) -> str:
    """A list whose elements lie under a name of half the body."""
    return f'{{"{"n" * (size // 2)}": {_list("0", size // 2)}}}'


def deep(size: int) -> str:
    """Long names inside of each other, and then a list."""
    name = "n" * (size // 40)
    return f'{{"{name}":' * 20 + _list("0", size // 3) + "}" * 20


def unknown(size: int) -> str:
    """As many unknown names as fit."""
    return "{" + ",".join(f'"{number:06d}":0' for number in range(size // 11)) + "}"


def many_objects(size: int) -> str:
    """As many empty objects as fit, in the metadata."""
    return f'{{"metadata": {{"a": {_list("{}", size - 50)}}}}}'


def many_faults(size: int) -> str:
    """As many faults as fit, each under a long name."""
    return f'{{"config": {{"{"n" * (size // 2)}": {_list("NaN", size // 2 - 50)}}}}}'


def digits(size: int) -> str:
    """Numbers as long as they may be."""
    return f'{{"metadata": {{"a": {_list("9" * 4300, size - 50)}}}}}'


def _list(element: str, size: int) -> str:
    return f"[{','.join([element] * (size // (len(element) + 1) - 1))}]"


@pytest.mark.parametrize("shape", [wide, deep, unknown, many_objects, many_faults, digits])
@pytest.mark.parametrize("reader", sorted(READERS))
def test_time_and_memory_grow_with_the_body_alone(reader: str, shape: Callable[[int], str]) -> None:
    body = shape(MAX_BODY_BYTES - 100).encode()
    assert MAX_BODY_BYTES // 2 < len(body) <= MAX_BODY_BYTES
    tracemalloc.start()
    began = time.process_time()
    try:
        _read(READERS[reader], body)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 400 * len(body)
    assert time.process_time() - began < 5
