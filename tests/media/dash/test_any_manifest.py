"""Whatever is served, playlists or a typed refusal come of it, soon, and nothing is loaded."""

from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.dash.mpd_parser import parse_manifest
from media.dash.presentation import Content, Track
from media.dash.to_hls import track_playlist
from media.dash.variants import master_playlist
from media.hls.cursor import PlaylistCursor
from media.hls.errors import MalformedPlaylist, PlaylistError, PlaylistTooLarge
from media.hls.selection import rank_renditions
from tests.media.dash.build import (
    PICTURE,
    SOUND,
    START,
    URL,
    adaptation_set,
    manifest,
    template,
    timeline,
)
from tests.media.hls.test_any_text import use

NUMBERS = st.one_of(
    st.integers(-5, 5).map(str),
    st.integers(0, 2**70).map(str),
    st.sampled_from(["", "1e308", "NaN", "-1", "0x10", "٣", "9" * 400]),
)
DURATIONS = st.one_of(
    NUMBERS, st.builds("PT{}S".format, NUMBERS), st.sampled_from(["P1Y", "PT", "P9D", "PT0S"])
)
TIMES = st.one_of(st.datetimes().map(str), st.sampled_from(["", "9999-12-31T23:59:59Z", "x"]))
ADDRESSES = st.sampled_from(["a", "//[::1/a", "file:///etc/passwd", "$Time%", "$Number%09d$", ""])


def attributes(**values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    chosen = st.fixed_dictionaries({}, optional=values)
    return chosen.map(lambda it: " ".join(f'{name}="{value}"' for name, value in it.items()))


RUNS = st.lists(attributes(t=NUMBERS, d=NUMBERS, r=NUMBERS), max_size=5).map(
    lambda runs: timeline(*runs)
)
TEMPLATES = st.builds(
    "<SegmentTemplate {}>{}</SegmentTemplate>".format,
    attributes(
        timescale=NUMBERS,
        duration=NUMBERS,
        startNumber=NUMBERS,
        presentationTimeOffset=NUMBERS,
        media=ADDRESSES,
        initialization=ADDRESSES,
    ),
    st.one_of(st.just(""), RUNS),
)
LISTS = st.builds(
    "<SegmentList {}>{}{}</SegmentList>".format,
    attributes(timescale=NUMBERS, duration=NUMBERS, startNumber=NUMBERS),
    st.one_of(st.just(""), RUNS),
    st.lists(attributes(media=ADDRESSES, mediaRange=NUMBERS), max_size=4).map(
        lambda urls: "".join(f"<SegmentURL {url}/>" for url in urls)
    ),
)
PERIODS = st.builds(
    "<Period {}>{}{}</Period>".format,
    attributes(start=DURATIONS, duration=DURATIONS),
    st.builds(lambda inner: adaptation_set(inner + PICTURE), st.one_of(TEMPLATES, LISTS)),
    st.builds(lambda inner: adaptation_set(inner + SOUND, "audio"), TEMPLATES),
)
MANIFESTS = st.builds(
    '<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" {}>{}</MPD>'.format,
    attributes(
        type=st.sampled_from(["dynamic", "static", ""]),
        availabilityStartTime=TIMES,
        mediaPresentationDuration=DURATIONS,
        timeShiftBufferDepth=DURATIONS,
    ),
    st.lists(PERIODS, max_size=3).map("".join),
)


@given(text=st.one_of(st.text().map("<MPD>{}".format), MANIFESTS))
def test_any_text_is_a_playlist_or_a_playlist_error(text: str) -> None:
    with suppress(PlaylistError):
        presentation = parse_manifest(text, URL)
        with suppress(PlaylistError):
            rank_renditions(master_playlist(presentation, URL))
        for content in Content:
            track = track_playlist(presentation, Track(content, "v"), START + timedelta(days=9))
            assert len(track.playlist.segments) <= 1_000
            use(PlaylistCursor().numbered(track.playlist))


def test_entities_and_document_types_are_refused_before_they_cost_anything() -> None:
    tenfold = [f"&l{number};" * 10 for number in range(29)]
    lines = "".join(f'<!ENTITY l{n} "{text}">' for n, text in enumerate(tenfold, start=1))
    bomb = f'<?xml version="1.0"?><!DOCTYPE MPD [<!ENTITY l0 "lol">{lines}]><MPD>&l29;</MPD>'
    outside = '<!DOCTYPE MPD SYSTEM "http://127.0.0.1:9/x.dtd"><MPD/>'
    file = '<!DOCTYPE MPD [<!ENTITY f SYSTEM "file:///etc/passwd">]><MPD>&f;</MPD>'
    for text in (bomb, outside, file):
        with pytest.raises(MalformedPlaylist, match="document type"):
            parse_manifest(text, URL)


def test_absurd_numbers_of_representations_are_refused() -> None:
    text = manifest(adaptation_set(template() + PICTURE * 300))
    with pytest.raises(PlaylistTooLarge):
        master_playlist(parse_manifest(text, URL), URL)


def test_of_many_periods_only_the_newest_segments_are_made() -> None:
    runs = template(timeline('t="0" d="1" r="4611686018427387904"'))
    period = f"<Period>{adaptation_set(runs + PICTURE)}</Period>"
    presentation = parse_manifest(manifest(*[period] * 100), URL)
    track = track_playlist(presentation, Track(Content.VIDEO, "v"), START)
    assert len(track.playlist.segments) == 1_000


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(template().replace("$Number$", "$Number$" * 1_000), id="template"),
        pytest.param(f"<BaseURL>{'a' * 3_000}</BaseURL>" + template(), id="address"),
        pytest.param(f'{template()}<Representation id="{"i" * 300}"/>', id="id"),
    ],
)
def test_what_is_repeated_in_each_segment_must_be_short(text: str) -> None:
    with pytest.raises(PlaylistTooLarge):
        track_playlist(
            parse_manifest(manifest(adaptation_set(text + PICTURE)), URL),
            Track(Content.VIDEO, "v"),
            START,
        )
