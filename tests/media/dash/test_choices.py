"""Which representation is measured: the main programme, in a form that can be decoded."""

import pytest

from media.dash.variants import master_playlist
from media.hls.playlist import MasterPlaylist
from media.hls.selection import Choice, Tracks, rank_renditions
from tests.media.dash.build import (
    PICTURE,
    SOUND,
    URL,
    adaptation_set,
    after,
    manifest,
    parsed,
    template,
    timeline,
)

NAMES = template(timeline('t="0" d="2"'))
COMMON = '<ContentProtection schemeIdUri="urn:mpeg:dash:mp4protection:2011" value="cbcs"/>'
SYSTEM = '<ContentProtection schemeIdUri="urn:uuid:edef8ba9-79d6-4ace-a3c8-27dcd51d21ed"/>'
ROLE = '<Role schemeIdUri="urn:mpeg:dash:role:2011" value="{}"/>'


def picture(name: str, bandwidth: int, inner: str = "", codecs: str = "avc1.4d401e") -> str:
    words = f'id="{name}" bandwidth="{bandwidth}" codecs="{codecs}" width="256" height="144"'
    return adaptation_set(f"{inner}{NAMES}<Representation {words}/>")


def sound(name: str, bandwidth: int, inner: str = "", codecs: str = "mp4a.40.2") -> str:
    words = f'id="{name}" bandwidth="{bandwidth}" codecs="{codecs}"'
    return adaptation_set(f"{inner}{NAMES}<Representation {words}/>", "audio")


def master(*sets: str) -> MasterPlaylist:
    return master_playlist(parsed(manifest("".join(sets))), URL)


def chosen(*sets: str) -> Choice:
    return rank_renditions(master(*sets))[0]


@pytest.mark.parametrize("codecs", ["vvc1.1.L51.CQA", "evc1.vprf0", "lvc1.vprf0"])
def test_pictures_that_can_be_decoded_come_first(codecs: str) -> None:
    assert chosen(picture("new", 1, codecs=codecs), picture("v", 9)).url.endswith("=v")
    assert chosen(picture("new", 1, codecs=codecs)).url.endswith("=new")


@pytest.mark.parametrize("codecs", ["ac-4.02.01.00", "mhm1.0x0D", "mha1.0x0D", "dtsc", "dtsx"])
def test_sound_that_can_be_decoded_comes_first(codecs: str) -> None:
    both = chosen(picture("v", 9), sound("new", 1, codecs=codecs), sound("a", 9))
    assert both.audio_url == f"{URL}#audio=a"
    alone = master(picture("v", 9), sound("new", 1, codecs=codecs))
    assert alone.renditions[0].codecs == (codecs.lower(),)
    assert rank_renditions(alone)[0].audio_url == f"{URL}#audio=new"


def test_what_is_encrypted_comes_last_and_says_how() -> None:
    both = master(picture("drm", 1, COMMON + SYSTEM), picture("v", 9))
    assert [it.protection for it in both.variants] == ["cbcs", None]
    assert rank_renditions(both)[0].url == f"{URL}#video=v"
    assert master(picture("drm", 1, SYSTEM)).variants[0].protection == "DRM"


def test_sound_in_the_clear_does_not_hide_a_picture_that_is_encrypted() -> None:
    choice = chosen(picture("drm", 1, SYSTEM + COMMON), sound("a", 1))
    assert choice.tracks is Tracks.PICTURE_AND_SOUND
    assert (choice.url, choice.audio_url) == (f"{URL}#video=drm", f"{URL}#audio=a")
    assert choice.variant.protection == "cbcs"
    text = manifest(picture("drm", 1, SYSTEM + COMMON))
    (segment,) = after(text, 0).playlist.segments
    assert segment.encryption is not None
    assert segment.encryption.method == "cbcs"


def test_descriptions_and_commentaries_are_not_the_programme() -> None:
    """An audio description is cheap, and silent most of the time."""
    described = sound("described", 1, ROLE.format("description"))
    assert chosen(picture("v", 1), described, sound("a", 9)).audio_url == f"{URL}#audio=a"
    signed = picture("signed", 1, ROLE.format("sign"))
    assert chosen(signed, picture("v", 9, ROLE.format("main"))).url == f"{URL}#video=v"


def test_of_several_languages_the_first_is_measured_and_all_are_named() -> None:
    def spoken(language: str, bandwidth: int) -> str:
        return sound(language, bandwidth).replace(
            "<AdaptationSet", f'<AdaptationSet lang="{language}"'
        )

    playlist = master(picture("v", 1), spoken("fr", 9), spoken("en", 1))
    assert rank_renditions(playlist)[0].audio_url == f"{URL}#audio=fr"
    assert [(it.language, it.default) for it in playlist.renditions] == [
        ("fr", True),
        ("en", False),
    ]


def test_a_radio_that_tells_no_codecs_is_none_without_picture() -> None:
    bare = adaptation_set(NAMES + '<Representation id="a"/>' + SOUND, "audio")
    choices = rank_renditions(master(bare))
    assert {it.tracks for it in choices} == {Tracks.SOUND_ONLY}
    assert len(choices) == 2
    assert PICTURE not in bare
