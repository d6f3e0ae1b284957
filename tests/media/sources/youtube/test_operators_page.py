"""The operators' page says what the code does."""

import re
from pathlib import Path

import pytest

from media.sources.source import SourceState
from media.sources.youtube import site_messages
from media.sources.youtube.confirmation import DEFAULT_POLICY
from media.sources.youtube.media_cache import LOST_AGAIN_SEC
from media.sources.youtube.resolution import ResolverFailed, ResolverTimedOut
from media.sources.youtube.site_messages import Meaning
from media.watching.stream import LONG_LOOK
from runtime.settings import StreamSettings

ROOT = Path(__file__).parents[4]
PAGE = (ROOT / "docs" / "guides" / "youtube.md").read_text()
ALL = [each for each in vars(site_messages).values() if isinstance(each, Meaning)]
UNSEEN = [each for each in ALL if each.state is SourceState.NOT_OBSERVED]
CLOSED = [each for each in ALL if each.is_permanent] + [site_messages.NOT_LIVE]


def rows(heading: str) -> dict[str, list[str]]:
    """Return the rows of the table below a heading, by reason."""
    chapter = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    found = re.findall(r"^\| `(\w+)` \| (.*) \|$", chapter, re.MULTILINE)
    return {reason: rest.split(" | ") for reason, rest in found}


def test_the_reasons_of_unknown_health_are_explained() -> None:
    other = {ResolverFailed.reason, ResolverTimedOut.reason, "no_playlist", LONG_LOOK}
    assert rows("When it is not observed").keys() == {each.reason for each in UNSEEN} | other


@pytest.mark.parametrize("meaning", CLOSED, ids=lambda meaning: meaning.reason)
def test_every_reason_of_an_error_is_explained(meaning: Meaning) -> None:
    looks, _ = rows("When a monitor ends in error")[meaning.reason]
    assert int(looks) == DEFAULT_POLICY.looks_for(meaning.reason)


def test_no_other_reason_of_an_error_is_explained() -> None:
    assert rows("When a monitor ends in error").keys() == {each.reason for each in CLOSED}


@pytest.mark.parametrize(
    "variable",
    [name.upper() for name in StreamSettings.model_fields if name.startswith(("youtube", "ytdlp"))],
)
def test_every_setting_of_youtube_is_explained(variable: str) -> None:
    assert f"`{variable}`" in PAGE


def test_the_waits_are_those_of_the_code() -> None:
    text = " ".join(PAGE.split())
    assert f"at least {DEFAULT_POLICY.apart_sec:.0f} s apart" in text
    waits = [f"{sec:.0f}" for sec in LOST_AGAIN_SEC[1:]]
    assert f"{', '.join(waits[:-1])}, then {waits[-1]} s" in text
