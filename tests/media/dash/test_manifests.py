"""What manifests say, as playlists: the ways of naming segments, periods, choices, and clocks."""

from datetime import timedelta

import pytest

from media.dash.presentation import Content, Track
from media.dash.variants import master_playlist
from media.hls.cursor import PlaylistCursor
from media.hls.errors import MalformedPlaylist, NoVariant, UnsupportedPlaylist
from media.hls.selection import Tracks, rank_renditions
from tests.media.dash.build import (
    PICTURE,
    SOUND,
    START,
    URL,
    adaptation_set,
    after,
    manifest,
    names,
    parsed,
    template,
    timeline,
)

LISTED = manifest(
    adaptation_set(
        template(
            timeline('t="9000" d="2000" r="1"', 'd="1500"', 't="15000" d="2000"'),
            'timescale="1000" startNumber="7"',
        )
        + PICTURE
    )
)
BY_CLOCK = manifest(adaptation_set(template("", 'duration="4" timescale="2"') + PICTURE))


def test_a_timeline_tells_numbers_times_and_lengths() -> None:
    playlist, told, *_ = after(LISTED, 3)
    assert names(playlist) == ["7.m4s", "8.m4s", "9.m4s", "10.m4s"]
    assert told == 4
    starts = [9.0, 11.0, 13.0, 15.0]
    assert [it.program_date_time for it in playlist.segments] == [
        START + timedelta(seconds=start) for start in starts
    ]
    assert [it.duration_sec for it in playlist.segments] == [2.0, 2.0, 1.5, 2.0]
    assert playlist.segments[0].init is not None
    assert playlist.segments[0].init.uri == "https://media.example/live/v/i.mp4"
    assert playlist.target_duration_sec == 2.0
    assert not playlist.ended


def test_segments_of_equal_length_are_there_when_the_clock_says_so() -> None:
    assert names(after(BY_CLOCK, 1.9).playlist) == []
    playlist, told, *_ = after(BY_CLOCK, 6.1)
    assert names(playlist) == ["1.m4s", "2.m4s", "3.m4s"]
    assert told == 0
    assert playlist.segments[2].program_date_time == START + timedelta(seconds=4)


def test_only_the_newest_segments_of_a_long_presentation_are_made() -> None:
    windowed = BY_CLOCK.replace("<Period>", "<Period>", 1).replace(
        'type="dynamic"', 'type="dynamic" timeShiftBufferDepth="PT10S"'
    )
    assert names(after(windowed, 1e6).playlist) == [f"{n}.m4s" for n in range(499_995, 500_001)]
    assert len(after(BY_CLOCK, 1e8).playlist.segments) == 1_000
    endless = manifest(
        adaptation_set(template(timeline('t="0" d="1" r="4611686018427387904"')) + PICTURE)
    )
    assert len(after(endless, 5).playlist.segments) == 1_000


def test_a_run_without_end_goes_on_to_the_next_one_or_to_the_present() -> None:
    runs = timeline('t="0" d="2" r="-1"', 't="10" d="3" r="-1"')
    playlist, told, *_ = after(manifest(adaptation_set(template(runs) + PICTURE)), 17)
    assert [it.duration_sec for it in playlist.segments] == [2.0] * 5 + [3.0] * 2
    assert told == 5


def test_what_an_outer_level_says_holds_further_in_unless_replaced() -> None:
    text = manifest(
        '<BaseURL>media/</BaseURL><SegmentTemplate timescale="10" startNumber="5"/>'
        + adaptation_set(
            "<BaseURL>deep/</BaseURL>"
            + template(timeline('t="0" d="20"'))
            + '<Representation id="v" codecs="avc1"><BaseURL>er/</BaseURL></Representation>'
        )
    )
    (segment,) = after(text, 0).playlist.segments
    assert segment.uri == "https://media.example/live/media/deep/er/v/5.m4s"
    assert segment.duration_sec == 2.0


@pytest.mark.parametrize(
    ("media", "expected"),
    [
        pytest.param("$Number%05d$.m4s", "00007.m4s", id="padded"),
        pytest.param("$Time$-$Bandwidth$.m4s", "9000-300000.m4s", id="time"),
        pytest.param("a$$b$Number$", "a$b7", id="dollar"),
        pytest.param("$Other$$Number$", "$Other$7", id="unknown"),
        pytest.param("$Number%099d$", "0" * 19 + "7", id="absurd padding"),
    ],
)
def test_templates(media: str, expected: str) -> None:
    text = LISTED.replace("$RepresentationID$/$Number$.m4s", media)
    assert names(after(text, 0).playlist)[0] == expected


def test_a_list_names_its_segments_one_by_one() -> None:
    listed = (
        '<SegmentList timescale="1" duration="2"><Initialization sourceURL="all.mp4" range="0-99"/>'
        '<SegmentURL media="all.mp4" mediaRange="100-299"/>'
        '<SegmentURL media="all.mp4" mediaRange="300-399"/>'
        "</SegmentList>"
    )
    text = manifest(
        adaptation_set(listed + PICTURE), type="static", mediaPresentationDuration="PT4S"
    )
    playlist = after(text, 0).playlist
    assert [it.byte_range for it in playlist.segments] == [(100, 200), (300, 100)]
    assert playlist.segments[0].init is not None
    assert playlist.segments[0].init.byte_range == (0, 100)
    assert playlist.ended


def test_periods_follow_each_other_and_begin_with_a_discontinuity() -> None:
    def period(name: str, attributes: str, start: int) -> str:
        inner = adaptation_set(
            template(timeline(f't="{start}" d="2" r="1"'), f'presentationTimeOffset="{start}"')
            + PICTURE
        )
        return (
            f"<Period id='{name}' {attributes}>{inner.replace('$RepresentationID$', name)}</Period>"
        )

    text = manifest(period("one", 'start="PT0S" duration="PT4S"', 0), period("ad", "", 500))
    playlist = after(text, 100).playlist
    assert [it.uri.split("/")[-2] for it in playlist.segments] == ["one", "one", "ad", "ad"]
    assert [it.discontinuity for it in playlist.segments] == [False, False, True, False]
    assert playlist.segments[2].program_date_time == START + timedelta(seconds=4)
    assert [it.sequence for it in PlaylistCursor().numbered(playlist).segments] == [0, 1, 2, 3]


def test_remote_periods_and_trick_play_are_left_out() -> None:
    remote = '<Period xmlns:xlink="http://www.w3.org/1999/xlink" xlink:href="http://10.0.0.1/"/>'
    trick = '<SupplementalProperty schemeIdUri="http://dashif.org/guidelines/trickmode" value="1"/>'
    tricks = adaptation_set(trick + template(timeline('t="0" d="2"')) + PICTURE)
    text = manifest(remote, f"<Period>{tricks}</Period>")
    with pytest.raises(NoVariant):
        master_playlist(parsed(text), URL)


@pytest.mark.parametrize(
    ("changes", "ended"),
    [
        pytest.param({}, False, id="live"),
        pytest.param({"type": "static"}, True, id="static"),
        pytest.param({"mediaPresentationDuration": "PT60S"}, True, id="over"),
        pytest.param({"mediaPresentationDuration": "PT1H"}, False, id="not yet over"),
    ],
)
def test_when_a_presentation_has_ended(changes: dict[str, str], ended: bool) -> None:
    inner = adaptation_set(template(timeline('t="0" d="2"')) + PICTURE)
    assert after(manifest(inner, **changes), 61).playlist.ended is ended


def test_the_manifests_own_clock_counts_where_it_tells_one() -> None:
    clock = (START + timedelta(seconds=10)).isoformat()
    timing = f'<UTCTiming schemeIdUri="urn:mpeg:dash:utc:direct:2014" value="{clock}"/></MPD>'
    text = BY_CLOCK.replace("</MPD>", timing)
    assert len(after(text, 2).playlist.segments) == 5


def test_the_cheapest_picture_and_sound_are_chosen() -> None:
    large = '<Representation id="hd" bandwidth="5000000" width="1920" height="1080" codecs="avc1"/>'
    names_ = template(timeline('t="0" d="2"'))
    text = manifest(
        adaptation_set(names_ + large + PICTURE)
        + adaptation_set(names_ + SOUND, "audio")
        + adaptation_set(names_ + '<Representation id="t" codecs="wvtt"/>', "text")
    )
    choice = rank_renditions(master_playlist(parsed(text), URL))[0]
    assert choice.tracks is Tracks.PICTURE_AND_SOUND
    assert choice.url == f"{URL}#video=v"
    assert choice.audio_url == f"{URL}#audio=a"
    assert Track.named_by(choice.url) == Track(Content.VIDEO, "v")


def test_sound_alone_and_both_in_one_are_told_apart() -> None:
    sound = manifest(adaptation_set(template(timeline('t="0" d="2"')) + SOUND, "audio"))
    assert rank_renditions(master_playlist(parsed(sound), URL))[0].tracks is Tracks.SOUND_ONLY
    both = LISTED.replace('codecs="avc1.4d401e"', 'codecs="avc1.4d401e,mp4a.40.2"')
    choice = rank_renditions(master_playlist(parsed(both), URL))[0]
    assert (choice.tracks, choice.url) == (Tracks.PICTURE_AND_SOUND, f"{URL}#both=v")


def test_a_token_of_the_manifest_and_strange_ids_survive_in_a_tracks_url() -> None:
    track = Track(Content.AUDIO, "a/ö #=1")
    assert Track.named_by(track.url(URL)) == track
    assert track.url(URL).startswith(f"{URL}#")
    assert Track.named_by(URL) is None
    assert Track.named_by("https://media.example/x#t=10") is None


def test_a_single_file_is_refused() -> None:
    text = manifest(adaptation_set('<SegmentBase indexRange="0-99"/>' + PICTURE))
    with pytest.raises(UnsupportedPlaylist):
        master_playlist(parsed(text), URL)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(LISTED.replace('timescale="1000"', 'timescale="0"'), id="timescale 0"),
        pytest.param(LISTED.replace('d="1500"', 'd="x"'), id="length"),
        pytest.param(LISTED.replace('d="1500"', 'd="0"'), id="length 0"),
        pytest.param(LISTED.replace('t="9000"', 't="-9"'), id="time below 0"),
        pytest.param(LISTED.replace('startNumber="7"', f'startNumber="{2**64}"'), id="number"),
        pytest.param(LISTED[:-20], id="cut off"),
        pytest.param(LISTED.replace("<MPD", "<!DOCTYPE x [<!ENTITY a 'b'>]><MPD"), id="entities"),
    ],
)
def test_what_says_which_bytes_to_fetch_is_never_guessed(text: str) -> None:
    with pytest.raises(MalformedPlaylist):
        after(text, 0)


def test_each_base_url_of_each_level_is_an_alternative() -> None:
    text = manifest(
        "<BaseURL>https://a.example/x/</BaseURL><BaseURL>https://b.example/</BaseURL>"
        + adaptation_set("<BaseURL>deep/</BaseURL>" + template(timeline('t="0" d="2"')) + PICTURE)
    )
    (segment,) = after(text, 0).playlist.segments
    assert segment.uri == "https://a.example/x/deep/v/1.m4s"
    assert segment.mirrors == ("https://b.example/deep/v/1.m4s",)
    assert segment.init is not None
    assert segment.init.mirrors == ("https://b.example/deep/v/i.mp4",)


def test_base_urls_with_priorities_are_tried_in_their_order() -> None:
    text = manifest(
        '<BaseURL dvb:priority="2">https://a.example/</BaseURL><BaseURL>https://b.example/</BaseURL>'
        + "<BaseURL> </BaseURL>" * 9
        + adaptation_set(template(timeline('t="0" d="2"')) + PICTURE)
    )
    (segment,) = after(text, 0).playlist.segments
    places = [segment.uri, *segment.mirrors]
    assert places == ["https://b.example/v/1.m4s", "https://a.example/v/1.m4s"]
