"""What packagers write that the standard's examples do not show."""

from datetime import timedelta
from fractions import Fraction

import pytest

from media.dash.xml_document import duration_sec
from media.hls.cursor import PlaylistCursor
from media.hls.identity import segment_identity
from media.hls.playlist import MediaPlaylist
from tests.media.dash.build import (
    PICTURE,
    START,
    adaptation_set,
    after,
    manifest,
    names,
    template,
    timeline,
)

DAY = 86_400


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        pytest.param("P0Y0M0DT0H0M22.4S", Fraction("22.4"), id="GStreamer"),
        pytest.param("P0Y3M25DT17H46M40.0S", 115 * DAY + 64_000, id="months"),
        pytest.param("P1Y", 365 * DAY, id="a year"),
        pytest.param("PT6.00600000000000000001S", Fraction("6.00600000000000000001"), id="float"),
        pytest.param("P1DT1M", DAY + 60, id="no seconds"),
        pytest.param("PT1M1H", None, id="order"),
        pytest.param("PT12345678901234S", None, id="absurd"),
        pytest.param("P", None, id="nothing"),
        pytest.param("-PT1S", None, id="below 0"),
    ],
)
def test_durations(text: str, seconds: Fraction | None) -> None:
    assert duration_sec(text) == seconds


def test_the_last_number_ends_a_template() -> None:
    inner = template("", 'duration="2" startNumber="5" endNumber="7"') + PICTURE
    assert names(after(manifest(adaptation_set(inner)), 100).playlist) == [
        "5.m4s",
        "6.m4s",
        "7.m4s",
    ]
    runs = template(timeline('t="0" d="2" r="-1"'), 'endNumber="2"') + PICTURE
    assert names(after(manifest(adaptation_set(runs)), 100).playlist) == ["1.m4s", "2.m4s"]


def test_a_template_without_times_is_one_segment_as_long_as_its_period() -> None:
    def period(attributes: str, inner: str) -> str:
        return f"<Period {attributes}>{adaptation_set(inner + PICTURE)}</Period>"

    text = manifest(
        period('id="ad" duration="PT9.5S"', template("", 'timescale="1000"')),
        period('id="live"', template("", 'duration="2"')),
    )
    assert names(after(text, 9).playlist) == []
    playlist, told, *_ = after(text, 9.6)
    assert [it.duration_sec for it in playlist.segments] == [9.5]
    assert told == 0
    assert len(after(text, 14).playlist.segments) == 3


def test_the_last_segment_of_a_period_lasts_until_its_end() -> None:
    inner = adaptation_set(template("", 'duration="4"') + PICTURE)
    text = manifest(f'<Period duration="PT9S">{inner}</Period>', f"<Period>{inner}</Period>")
    assert [it.duration_sec for it in after(text, 9).playlist.segments] == [4, 4, 1]
    assert len(after(text, 8.9).playlist.segments) == 2


def listed(first: int, count: int, *, period: str = "", ranges: bool = False) -> MediaPlaylist:
    """Return a live list of segments as it is `count` after `first`."""

    def address(number: int) -> str:
        where = (
            f'media="all.mp4" mediaRange="{number}00-{number}99"' if ranges else f'media="{number}"'
        )
        return f"<SegmentURL {where}/>"

    urls = "".join(address(number) for number in range(first, first + count))
    inner = adaptation_set(f'<SegmentList duration="2">{urls}</SegmentList>' + PICTURE)
    return after(manifest(f"<Period {period}>{inner}</Period>"), 1_000).playlist


@pytest.mark.parametrize("ranges", [False, True])
@pytest.mark.parametrize("moving", [False, True])
def test_a_list_that_moves_on_names_its_segments_by_address(ranges: bool, moving: bool) -> None:
    """Neither their place in it nor the start of a period that moves along tells them apart."""
    cursor, measured = PlaylistCursor(), []
    for first in (10, 12, 15):
        period = f'start="PT{2 * first}S"' if moving else ""
        advance = cursor.advance(cursor.numbered(listed(first, 6, period=period, ranges=ranges)))
        for segment in advance.segments:
            measured.append(segment.byte_range.offset // 100 if segment.byte_range else segment.uri)
            cursor.done(segment)
    expected = range(10, 21)
    assert measured == (
        [*expected] if ranges else [f"https://media.example/live/{n}" for n in expected]
    )


def test_what_is_listed_is_there_though_less_is_due() -> None:
    inner = adaptation_set(
        '<SegmentList duration="2">' + "<SegmentURL/>" * 5 + "</SegmentList>" + PICTURE
    )
    playlist, told, *_ = after(manifest(inner), 4)
    assert (len(playlist.segments), told) == (5, 2)  # the others are asked for


def test_a_segment_keeps_its_name_when_its_period_moves_along() -> None:
    def load(start: int) -> MediaPlaylist:
        runs = timeline(f't="{start}" d="2" r="4"')
        inner = adaptation_set(template(runs, f'presentationTimeOffset="{start}"') + PICTURE)
        return after(
            manifest(f'<Period id="0" start="PT{start}S">{inner}</Period>'), 1_000
        ).playlist

    older, newer = ({*map(segment_identity, load(start).segments)} for start in (100, 104))
    assert len(older & newer) == 3


def test_a_live_manifest_that_should_not_change_grows_all_the_same() -> None:
    """GStreamer's dashsink says how long it has been, and later that it is longer."""
    inner = adaptation_set(template("", 'duration="2"') + PICTURE)
    changes = {"minimumUpdatePeriod": "", "mediaPresentationDuration": "P0Y0M0DT0H0M22.4S"}
    text = manifest(inner, **changes)
    assert not after(text, 30).playlist.ended
    assert len(after(text, 30).playlist.segments) == 15
    assert after(text, 22.4 + 90).playlist.ended


def test_an_encoder_that_starts_anew_counts_from_zero_again() -> None:
    def load(start_sec: float, count: int) -> MediaPlaylist:
        began = START + timedelta(seconds=start_sec)
        inner = adaptation_set(template(timeline(f't="0" d="2" r="{count - 1}"')) + PICTURE)
        text = manifest(inner, availabilityStartTime=began.isoformat())
        return after(text, 1_000).playlist

    cursor, measured, missed = PlaylistCursor(), 0, 0
    for playlist in (load(0, 8), load(0, 10), load(40, 3), load(40.9, 4), load(40, 12)):
        advance = cursor.advance(cursor.numbered(playlist))
        missed += advance.missed
        for segment in advance.segments:
            measured += 1
            cursor.done(segment)
        cursor = PlaylistCursor.model_validate_json(cursor.model_dump_json())
    assert (measured, missed) == (10 + 12, 0)
    assert cursor.next_sequence == 22
