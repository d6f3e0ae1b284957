"""Whatever a segment is made into, it is measured within limits or refused, and nothing breaks."""

import contextlib
from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from media.decoding.errors import UndecodableSegment
from media.decoding.probe import Probe
from monitors.frames import DecodeDepth
from monitors.measurement import ProbeContext
from simulator.origin import TINY, Container, Programme, render
from tests.media.decoding.measuring import SILENCE_DB
from tests.media.transport_stream import DATA_STREAMS, with_stream
from tests.testkit.engines import opened

pytestmark = pytest.mark.asyncio(loop_scope="module")

EXAMPLES = 150
DURATION_SEC = 1.0
Change = Callable[[bytes], bytes]


def _whole(container: Container) -> bytes:
    rendered = render(
        Programme.of([("normal", 2.0)], TINY.model_copy(update={"container": container}))
    )
    return (rendered.init or b"") + rendered.segments[0].data


SEEDS = {
    "ts": _whole(Container.MPEGTS),
    "fmp4": _whole(Container.FMP4),
    **{name: with_stream(_whole(Container.MPEGTS), it) for name, it in DATA_STREAMS.items()},
}


@st.composite
def changes(draw: st.DrawFn) -> Change:
    place, length = draw(st.floats(0, 1)), draw(st.integers(0, 400))
    new = draw(st.binary(max_size=8))
    kind = draw(st.sampled_from(["overwrite", "insert", "cut", "cut off", "repeat"]))

    def change(segment: bytes) -> bytes:
        at = int(place * len(segment))
        before, after = segment[:at], segment[at:]
        return {
            "overwrite": before + new + after[len(new) :],
            "insert": before + new + after,
            "cut": before + after[length:],
            "cut off": before,
            "repeat": before + after[:length] + after,
        }[kind]

    return change


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def decoder() -> AsyncIterator[Probe]:
    async with opened(parallel=1, with_loudness=False) as opened_probe:
        yield opened_probe


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(
    seed=st.sampled_from(sorted(SEEDS)),
    made=st.lists(changes(), min_size=1, max_size=12),
    depth=st.sampled_from(DecodeDepth),
)
async def test_a_mutated_segment_is_measured_or_refused_and_breaks_no_decoder(
    decoder: Probe, seed: str, made: list[Change], depth: DecodeDepth
) -> None:
    segment = SEEDS[seed]
    for change in made:
        segment = change(segment)
    with capture_logs() as logs, contextlib.suppress(UndecodableSegment):
        await decoder.measure(
            segment,
            duration_sec=DURATION_SEC,
            silence_db=SILENCE_DB,
            context=ProbeContext(depth=depth),
        )
    assert logs == []
