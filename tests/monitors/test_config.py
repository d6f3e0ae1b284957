from typing import Any

import pytest
from pydantic import ValidationError

from monitors.config import MonitorConfig, OnDeliveryFailure, Thresholds

NOON = "2025-06-01T12:00:00+00:00"


def test_defaults_are_those_of_the_contract() -> None:
    assert MonitorConfig().model_dump(mode="json") == {
        "blackout_threshold_sec": 30,
        "silence_threshold_sec": 30,
        "freeze_threshold_sec": 60,
        "silence_db_threshold": -50,
        "recovery_sec": 5,
        "flapping_recovery_factor": 4,
        "suspend_threshold_sec": None,
        "segment_error_threshold_sec": 60,
        "test_signal_threshold_sec": 30,
        "slate_threshold_sec": 30,
        "loop_threshold_sec": 0,
        "channel_loss_threshold_sec": 60,
        "loudness_target_lufs": None,
        "loudness_tolerance_lu": 3,
        "loudness_window_sec": 600,
        "true_peak_max_dbtp": None,
        "clipping_threshold_sec": 10,
        "phase_threshold_sec": 0,
        "expect": "auto",
        "audio_tracks": "first",
        "check_interval_sec": None,
        "scheduled_start_time": None,
        "scheduled_end_time": None,
        "start_delay_tolerance_sec": 300,
        "on_delivery_failure": "stop",
        "evidence": "picture",
        "request_headers": {},
    }


@pytest.mark.parametrize(
    "config",
    [
        pytest.param({"blackout_threshold_sec": 0}, id="a detector that is off"),
        pytest.param({"silence_db_threshold": 0}, id="full scale"),
        pytest.param({"recovery_sec": 0.25}, id="a fraction of a second"),
        pytest.param({"suspend_threshold_sec": None}, id="by the playlist's pace"),
        pytest.param({"on_delivery_failure": OnDeliveryFailure.CONTINUE}, id="go on"),
        pytest.param({"scheduled_start_time": "2025-06-01T12:00:00Z"}, id="a start in UTC"),
        pytest.param({"scheduled_end_time": "2025-06-01T21:00:00+09:00"}, id="an offset"),
        pytest.param(
            {"scheduled_start_time": NOON, "scheduled_end_time": "2025-06-01T14:01:00+02:00"},
            id="an end a minute later, in another zone",
        ),
    ],
)
def test_sensible_settings_are_taken(config: dict[str, Any]) -> None:
    assert MonitorConfig.model_validate(config)


@pytest.mark.parametrize(
    ("config", "field"),
    [
        pytest.param({"blackout_threshold_sec": -1}, "blackout_threshold_sec", id="negative"),
        pytest.param({"freeze_threshold_sec": 86_401}, "freeze_threshold_sec", id="over a day"),
        pytest.param({"recovery_sec": float("nan")}, "recovery_sec", id="not a number"),
        pytest.param({"recovery_sec": float("inf")}, "recovery_sec", id="infinite"),
        pytest.param({"silence_db_threshold": 0.1}, "silence_db_threshold", id="over 0 dBFS"),
        pytest.param({"suspend_threshold_sec": 0}, "suspend_threshold_sec", id="no time at all"),
        pytest.param({"check_interval_sec": 0.5}, "check_interval_sec", id="too often"),
        pytest.param({"on_delivery_failure": "shrug"}, "on_delivery_failure", id="no such choice"),
        pytest.param({"blackout_treshold_sec": 5}, "blackout_treshold_sec", id="misspelt"),
        pytest.param(
            {"scheduled_start_time": "2025-06-01T12:00:00"}, "scheduled_start_time", id="no offset"
        ),
    ],
)
def test_bad_settings_are_refused_by_name(config: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        MonitorConfig.model_validate(config)
    assert [error["loc"] for error in refused.value.errors()] == [(field,)]


@pytest.mark.parametrize("end", [NOON, "2025-06-01T13:59:00+02:00"])
def test_an_end_must_lie_after_the_start(end: str) -> None:
    with pytest.raises(ValidationError, match="must be after scheduled_start_time"):
        MonitorConfig.model_validate({"scheduled_start_time": NOON, "scheduled_end_time": end})


def test_thresholds_survive_json() -> None:
    thresholds = Thresholds(recovery_sec=0.1, suspend_threshold_sec=12.5)
    assert Thresholds.model_validate_json(thresholds.model_dump_json()) == thresholds
