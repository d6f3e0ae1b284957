"""A packager that starts lists its pictures first, and its sound a moment later."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from starlette.requests import Request
from starlette.responses import Response

from media.watching.state import AUDIO, MAIN, WatchState
from media.watching.track_state import TrackState
from monitors.config import MonitorConfig
from monitors.events import EndReason
from monitors.measurement import Track
from simulator.origin import TINY, Programme, Tracks, WallClock, render
from tests.media.hls.build import window
from tests.media.watching.packager import Packager
from tests.testkit.viewing import Viewer, studio

LAST = 15
LISTED_AT = 5
"""Number of the segment from which on the master playlist names the sound."""

PICTURES = '#EXT-X-STREAM-INF:BANDWIDTH=90000,CODECS="avc1.42c00c"\nlive.m3u8'
BOTH = (
    '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="snd",NAME="main",URI="{sound}"\n'
    '#EXT-X-STREAM-INF:BANDWIDTH=90000,CODECS="avc1.42c00c,mp4a.40.2",AUDIO="snd"\nlive.m3u8'
)
EAGER = MonitorConfig(silence_threshold_sec=3, recovery_sec=1)


@dataclass
class Starting:
    """A packager of pictures and one of sound, and the master playlist of both.

    Attributes:
        masters: how often that was asked for.
    """

    sound_url: str
    masters: list[int] = field(default_factory=list)

    async def answer(self, packager: Packager, request: Request) -> Response:
        if request.path_params["name"] != "master":
            return packager.playlist()
        self.masters.append(packager.newest)
        is_listed = packager.newest >= LISTED_AT
        return Response(f"#EXTM3U\n{BOTH.format(sound=self.sound_url) if is_listed else PICTURES}")


async def plain(packager: Packager, request: Request) -> Response:
    return packager.playlist()


def media(tracks: Tracks, *scenes: tuple[str, float]) -> list[bytes]:
    encoding = TINY.model_copy(update={"tracks": tracks})
    return [each.data for each in render(Programme.of(list(scenes), encoding)).segments]


async def test_sound_is_taken_up_when_it_is_listed_and_was_not_missing_before() -> None:
    pictures = Packager(media(Tracks.VIDEO, ("normal", 4)), plain, LAST)
    scenes = [("normal", 7), ("silent", 5), ("normal", 4)]
    sound = Packager(media(Tracks.AUDIO, *scenes), plain, LAST)
    async with sound.serving(), studio(WallClock()) as one:
        starting = Starting(sound.url)
        pictures.answer = starting.answer
        async with pictures.serving():
            url = pictures.url.replace("live", "master")
            viewer = await Viewer.of(one, url, EAGER).to_the_end()
    assert viewer.types == ["alert.silence", "alert.silence_recovered"]
    assert viewer.data("alert.silence")["reason"] == "below_threshold"
    assert viewer.ended is EndReason.ENDLIST_DETECTED
    assert viewer.sequences() == list(range(LAST + 1))
    heard = viewer.sequences("audio")
    assert heard == list(range(heard[0], LAST + 1))
    assert len(starting.masters) <= 5


AT = datetime(2026, 5, 1, tzinfo=UTC)
PICTURE, SOUND = frozenset[Track]({"video"}), frozenset[Track]({"audio"})
RAN_SEC = 3600.0


def joined(state: WatchState, name: str, first: int) -> tuple[list[int], int]:
    """Return what is measured of a track that begins now, and how much of it was missed."""
    track = state.tracks[name]
    track.read_from(f"https://cdn.example/{name}.m3u8")
    unseen_sec = state.unseen_sec(name, AT + timedelta(seconds=RAN_SEC))
    playlist = window(first, first + 5, programme=name)
    advance = track.cursor.advance(playlist, unseen_sec=unseen_sec)
    return [each.sequence - first for each in advance.segments], advance.missed


def running() -> WatchState:
    """Return the state of a stream that has been watched for an hour."""
    state = WatchState(began_at=AT)
    state.carry({MAIN: PICTURE | SOUND})
    main = state.tracks[MAIN]
    main.read_from("https://cdn.example/main.m3u8")
    for segment in main.cursor.advance(window(1000, 1005)).segments:
        main.cursor.done(segment)
    main.stream_sec, main.ends_at = RAN_SEC, AT + timedelta(seconds=RAN_SEC)
    main.absence.moved(main.ends_at)
    return state


@pytest.mark.parametrize("first", [5000, 1010, 990, 10], ids=str)
def test_an_additional_audio_track_that_comes_later_has_numbers_of_its_own(first: int) -> None:
    state = running()
    state.carry({MAIN: PICTURE | SOUND}, ["audio 2"])
    assert joined(state, "audio 2", first) == ([0, 1, 2, 3, 4, 5], 0)
    found = state.tracks["audio 2"]
    assert (found.ends_at, found.absence) == (None, TrackState().absence)


@pytest.mark.parametrize("first", [5000, 10], ids=str)
def test_sound_that_comes_apart_goes_on_at_the_live_edge_where_its_numbers_are_others(
    first: int,
) -> None:
    state = running()
    state.carry({MAIN: PICTURE, AUDIO: SOUND})
    assert joined(state, AUDIO, first) == ([], 0)
    assert joined(state, AUDIO, first + 2) == ([4, 5], 0)
