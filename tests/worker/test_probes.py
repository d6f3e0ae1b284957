"""A worker tells whether its decoders are locked in, and does not start where they must be."""

import asyncio
import os
import sys
from pathlib import Path

import httpx
import imageio_ffmpeg
import pytest
from prometheus_client import CollectorRegistry, generate_latest

from media.decoding.decoder.confinement import has_filter
from media.decoding.decoder_probe import Confinement, DecoderProbe
from media.decoding.ffmpeg_probe import FfmpegProbe
from runtime.settings import SettingsError, StreamSettings
from worker.health import health_app
from worker.metrics import confinement_metric
from worker.probe_setup import WorkerProbe, missing_confinement, open_worker_probe

pytestmark = pytest.mark.skipif(not has_filter(), reason="there is no filter to be without")

NO_PROBE = FfmpegProbe("none", parallel=1)
WORKER = {
    "CALLBACK_URL": "http://127.0.0.1:9",
    "INTERNAL_API_KEY": "i" * 40,
    "WORKER_ROLE": "probe",
    "TEMPORAL_ADDRESS": "127.0.0.1:9",
    "PATH": os.defpath,
    "LOG_FORMAT": "json",
}


async def test_decoders_are_locked_in_here_and_the_first_is_ready() -> None:
    async with open_worker_probe(StreamSettings()) as opened:
        assert opened.is_confined
        assert missing_confinement(opened) is None
        assert isinstance(opened.probe, DecoderProbe)
        assert len(opened.probe.process_ids()) == 1


async def test_an_ffmpeg_of_the_user_cannot_be() -> None:
    ffmpeg = Path(imageio_ffmpeg.get_ffmpeg_exe())
    async with open_worker_probe(StreamSettings(ffmpeg_path=ffmpeg)) as opened:
        assert not opened.is_confined
        assert missing_confinement(opened) is None
    required = StreamSettings(ffmpeg_path=ffmpeg, require_confinement=True)
    with pytest.raises(SettingsError, match=r"^REQUIRE_CONFINEMENT: "):
        await open_worker_probe(required).__aenter__()


async def test_a_worker_without_the_filter_stops_at_its_start_with_one_line() -> None:
    worker = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.media.unconfinable", sys.executable, "-m", "cli", "worker"),
        env=WORKER,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(60):
        out, err = await worker.communicate()
    assert worker.returncode
    (line,) = (out + err).decode().splitlines()
    assert "REQUIRE_CONFINEMENT: decoders cannot be locked in" in line


@pytest.mark.parametrize(
    ("confinement", "value"),
    [
        (Confinement(is_required=True, is_there=True), 1),
        (Confinement(is_required=False, is_there=False), 0),
        (None, 0),
    ],
)
def test_the_metric_says_whether_they_are(confinement: Confinement | None, value: int) -> None:
    registry = CollectorRegistry()
    with confinement_metric(lambda: WorkerProbe(NO_PROBE, confinement).is_confined, registry):
        shown = generate_latest(registry).decode()
    assert f"stream_tracker_decoders_confined {value:.1f}" in shown


@pytest.mark.parametrize(
    ("confinement", "status", "told"),
    [
        (Confinement(is_required=True, is_there=True), 200, "confined"),
        (Confinement(is_required=True, is_there=False), 503, "REQUIRE_CONFINEMENT"),
        (Confinement(is_required=False, is_there=False), 200, "not confined"),
    ],
)
async def test_readiness_says_whether_they_are(
    confinement: Confinement, status: int, told: str
) -> None:
    probe = WorkerProbe(NO_PROBE, confinement)
    app = health_app(
        lambda: missing_confinement(probe),
        lambda: {"decoders": "confined" if probe.is_confined else "not confined"},
    )
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://worker") as client:
        answer = await client.get("/readyz")
    assert answer.status_code == status
    assert told in answer.text
