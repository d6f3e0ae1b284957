"""The tables of a transport stream, whatever they hold."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.decoding.decoder.ts_programs import READ_BYTES, TsProgram, first_ts_program, ts_programs

PACKET_BYTES = 188
A_WHILE_SEC = 5.0
"""A tenth of it is enough on an idle machine."""


def packets(pid: int, section: bytes, *, pointer: int = 0) -> bytes:
    """Return a section in as many packets as it takes."""
    data, made = bytes([pointer]) + bytes(pointer) + section, []
    for number, start in enumerate(range(0, len(data), 184)):
        flags = (0x4000 if number == 0 else 0) | pid
        head = b"\x47" + flags.to_bytes(2, "big") + bytes([0x10 | number % 16])
        made.append(head + data[start : start + 184].ljust(184, b"\xff"))
    return b"".join(made)


def section(table: int, body: bytes) -> bytes:
    length = 5 + len(body) + 4
    return bytes([table]) + (0xB000 | length).to_bytes(2, "big") + b"\0\1\xc1\0\0" + body + b"CRC4"


def pat(*entries: tuple[int, int]) -> bytes:
    named = (n.to_bytes(2, "big") + (0xE000 | pid).to_bytes(2, "big") for n, pid in entries)
    return packets(0, section(0, b"".join(named)))


def pmt(pid: int, *streams: int, descriptors: bytes = b"", pointer: int = 0) -> bytes:
    body = b"\xe1\x00\xf0\x00" + b"".join(
        b"\x1b"
        + (0xE000 | stream).to_bytes(2, "big")
        + (0xF000 | len(descriptors)).to_bytes(2, "big")
        + descriptors
        for stream in streams
    )
    return packets(pid, section(2, body), pointer=pointer)


TWO = pat((0, 16), (7, 0x1000), (3, 0x1001))


def test_programmes_come_in_the_order_of_the_table_without_the_network() -> None:
    segment = TWO + pmt(0x1001, 0x200) + pmt(0x1000, 0x100, 0x101)
    assert ts_programs(segment) == [
        TsProgram(7, frozenset({0x100, 0x101})),
        TsProgram(3, frozenset({0x200})),
    ]


@pytest.mark.parametrize(
    "segment",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(pmt(0x1000, 0x100), id="no table"),
        pytest.param(pat((1, 0x1000)) + pmt(0x1000, 0x100), id="one program"),
        pytest.param(b"\0" * 1000, id="no transport stream"),
    ],
)
def test_where_there_are_not_several_nothing_is_told_apart(segment: bytes) -> None:
    assert ts_programs(segment) == []


def test_a_table_may_take_several_packets_and_begin_behind_a_pointer() -> None:
    large = pmt(0x1000, *range(0x100, 0x120), descriptors=bytes(30), pointer=9)
    assert len(large) > 5 * PACKET_BYTES
    (first, _) = ts_programs(TWO + large + pmt(0x1001, 0x200))
    assert first == TsProgram(7, frozenset(range(0x100, 0x120)))


def test_the_first_programme_with_media_is_chosen() -> None:
    known = [TsProgram(1, frozenset({1})), TsProgram(2, frozenset({2, 3}))]
    assert first_ts_program(known, {3}) == known[1]
    assert first_ts_program(known, {4}) is None
    assert first_ts_program([], {4}) is None


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.builds(
            lambda pid, head, rest: (b"\x47" + pid.to_bytes(2, "big") + head + rest)[:188].ljust(
                188
            ),
            st.sampled_from([0x4000, 0x0000, 0x5000, 0x1000, 0x5001]),
            st.binary(min_size=1, max_size=4),
            st.binary(max_size=184),
        ),
        max_size=20,
    ),
    st.integers(0, 3),
)
def test_any_packets_are_read_or_passed_over(made: list[bytes], tables: int) -> None:
    for program in ts_programs(TWO * tables + b"".join(made)):
        assert program.number in (3, 7) or tables == 0


@pytest.mark.parametrize("length", [0, 4, 0xFFF])
def test_tables_without_end_take_no_longer_than_they_are(length: int) -> None:
    head = bytes([2]) + (0xB000 | length).to_bytes(2, "big")
    begin = packets(0x1000, head)
    more = b"\x47\x10\x00\x10" + bytes(184)
    segment = TWO + begin + more * (READ_BYTES // PACKET_BYTES)
    began = time.process_time()
    ts_programs(segment)
    assert time.process_time() - began < A_WHILE_SEC
