"""What forms and bars are made of, without a browser."""

import pytest

from api.page.config_fields import changeable_fields, creation_fields, evidence_field
from api.page.meters import channel_meters, loudness_meters
from api.page.texts import TEXTS
from monitors.config import ChangeableConfig, MonitorConfig
from monitors.reports import SoundLevels


def test_every_field_of_the_config_is_in_a_form() -> None:
    shown = [field.name for group in creation_fields() for field in group.fields]
    shown.append(evidence_field().name)
    assert sorted(shown) == sorted(MonitorConfig.model_fields)
    changeable = [f.name for group in changeable_fields(MonitorConfig()) for f in group.fields]
    assert sorted(changeable) == sorted(ChangeableConfig.model_fields)


def test_fields_have_the_limits_of_the_config() -> None:
    config = MonitorConfig(silence_db_threshold=-55)
    fields = {f.name: f for group in changeable_fields(config) for f in group.fields}
    silence = fields["silence_db_threshold"]
    assert (silence.value, silence.least, silence.most, silence.unit) == (-55, -120, 0, "dBFS")
    assert fields["suspend_threshold_sec"].is_optional
    assert fields["expect"].choices == ("auto", "av", "audio", "video")
    assert fields["request_headers"].kind == "headers"


@pytest.mark.parametrize("name", MonitorConfig.model_fields)
def test_every_field_has_words_in_each_language(name: str) -> None:
    for texts in TEXTS.values():
        assert {f"config.{name}", f"config.{name}.hint"} <= texts.keys()


def test_bars_lie_between_floor_and_ceiling() -> None:
    levels = SoundLevels(
        channels_dbfs=[-60.0, -200.0, 0.0], short_term_lufs=-23.0, true_peak_dbtp=0.5
    )
    assert [each.label for each in channel_meters(levels)] == ["L", "R", "C"]
    assert [each.share for each in channel_meters(levels)] == [0.0, 0.0, 0.952]
    config = MonitorConfig(loudness_target_lufs=-23, true_peak_max_dbtp=-1)
    short_term, peak = loudness_meters(levels, config)
    assert short_term.wanted is not None
    assert short_term.wanted[0] < short_term.share < short_term.wanted[1]
    assert (short_term.is_bad, peak.is_bad) == (False, True)
