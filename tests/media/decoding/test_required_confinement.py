"""Where decoders cannot be locked in, nothing is decoded unless that is allowed."""

import sys

import pytest
from structlog.testing import capture_logs

from media.decoding.decoder.confinement import has_filter
from media.decoding.decoder_probe import DECODER, Confinement, DecoderProbe
from media.decoding.errors import NotConfined, UndecodableSegment
from simulator.origin import Programme, render
from tests.media.decoding.measuring import measure

pytestmark = pytest.mark.skipif(not has_filter(), reason="there is no filter to be without")

UNCONFINABLE = (sys.executable, "-m", "tests.media.unconfinable", *DECODER)
SEGMENT = render(Programme.of([("normal", 4.0)])).segments[0].data


def test_it_is_required_where_there_is_a_filter() -> None:
    assert Confinement().is_required
    assert Confinement.from_setting(None).is_required
    assert not Confinement.from_setting(False).is_required


async def test_decoders_are_locked_in() -> None:
    confinement = Confinement()
    probe = DecoderProbe(parallel=1, confinement=confinement)
    await probe.start()
    assert confinement.is_there
    (first,) = probe.process_ids()
    await measure(probe, SEGMENT)
    assert probe.process_ids() == [first]
    await probe.close()


async def test_without_the_filter_nothing_is_decoded() -> None:
    confinement = Confinement()
    probe = DecoderProbe(parallel=1, confinement=confinement, command=UNCONFINABLE)
    with pytest.raises(NotConfined, match=r"^REQUIRE_CONFINEMENT: "):
        await probe.start()
    with pytest.raises(UndecodableSegment, match=r"^REQUIRE_CONFINEMENT: "):
        await measure(probe, SEGMENT)
    assert confinement.is_there is False
    assert probe.process_ids() == []
    await probe.close()


async def test_where_it_is_allowed_it_is_decoded_with_a_warning() -> None:
    confinement = Confinement.from_setting(False)
    probe = DecoderProbe(parallel=1, confinement=confinement, command=UNCONFINABLE)
    with capture_logs() as logs:
        assert (await measure(probe, SEGMENT)).has_video
    assert confinement.is_there is False
    (warning,) = logs
    assert warning["log_level"] == "warning"
    assert "without a system call filter" in warning["event"]
    await probe.close()
