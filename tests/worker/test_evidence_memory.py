"""How the memory for segments is split between measuring and evidence."""

import pytest

from runtime.settings import WorkerSettings
from worker.prober import memory_split

MEBI = 1024 * 1024


@pytest.mark.parametrize(
    ("total_mebi", "largest_mebi", "measuring_mebi", "evidence_mebi"),
    [
        pytest.param(512, 64, 384, 128, id="by default"),
        pytest.param(160, 64, 128, 32, id="the largest segment is measurable"),
        pytest.param(128, 64, 128, 16, id="a Pod of one stream"),
    ],
)
def test_a_quarter_is_for_evidence(
    total_mebi: int, largest_mebi: int, measuring_mebi: int, evidence_mebi: int
) -> None:
    settings = WorkerSettings.model_validate(
        {
            "callback_url": "http://127.0.0.1:8080",
            "internal_api_key": "k" * 32,
            "webhook_signing_key": "k" * 32,
            "segment_max_bytes": largest_mebi * MEBI,
            "segments_memory_bytes": total_mebi * MEBI,
        }
    )
    assert memory_split(settings) == (measuring_mebi * MEBI, evidence_mebi * MEBI)
