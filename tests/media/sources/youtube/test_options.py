"""What the resolvers are told, in their own words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.sources.youtube.resolver_options import (
    PollDepth,
    ResolverSetup,
    YouTubeOptions,
    format_extractor_args,
    parse_extractor_args,
    with_depth,
)

NAMES = st.from_regex(r"[a-z_]{1,8}", fullmatch=True)
VALUES = st.lists(st.from_regex(r"[A-Za-z0-9,.+=-]{0,8}", fullmatch=True), min_size=1, max_size=3)


def test_extractor_arguments_as_on_the_command_line() -> None:
    given_args = ("youtube:player-client=tv,web;po_token=web.gvs+A\\,B", "youtubetab:skip=webpage")
    assert parse_extractor_args(given_args) == {
        "youtube": {"player_client": ["tv", "web"], "po_token": ["web.gvs+A,B"]},
        "youtubetab": {"skip": ["webpage"]},
    }


@pytest.mark.parametrize("text", ["player_client=web", ":x=y", "a b:x=y"])
def test_arguments_that_name_no_extractor_are_refused_unquoted(text: str) -> None:
    with pytest.raises(ValueError) as refused:
        YouTubeOptions(extractor_args=(text,))
    assert text not in str(refused.value)


@given(st.dictionaries(NAMES, st.dictionaries(NAMES, VALUES, min_size=1), max_size=3))
def test_arguments_survive_being_written_down(args: dict[str, dict[str, list[str]]]) -> None:
    assert parse_extractor_args(format_extractor_args(args)) == args


def test_a_status_check_asks_the_web_client_alone() -> None:
    asked = with_depth({"youtube": {"player_client": ["tv"], "lang": ["de"]}}, PollDepth.STATUS)
    assert asked["youtube"]["player_client"] == ["web"]
    assert asked["youtube"]["lang"] == ["de"]


def test_what_remains_is_asked_for_beside_what_the_user_wants() -> None:
    given_args = {"youtube": {"player_client": ["tv"], "formats": ["missing_pot"]}}
    assert with_depth(given_args, PollDepth.REMAINS)["youtube"] == {
        "player_client": ["tv"],
        "formats": ["missing_pot", "incomplete"],
        "skip": ["dash"],
    }
    assert with_depth(given_args, PollDepth.MEDIA) == given_args


def test_no_secret_shows_in_the_text_of_options() -> None:
    options = YouTubeOptions(proxy="http://me:SECRET@p", extractor_args=("youtube:x=SECRET",))
    setup = ResolverSetup(folder="/x", request_timeout_sec=1, cookies="SECRET", proxy="SECRET")
    assert "SECRET" not in repr(options) + repr(setup)
