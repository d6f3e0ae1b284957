"""A packager that starts lists its pictures first, and its sound a moment later."""

from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import Response

from monitors.config import MonitorConfig
from monitors.events import EndReason
from tests.media.watch.packager import Packager
from tests.media.watch.viewing import Viewer, studio
from tests.origin import TINY, Programme, Tracks, WallClock, render

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
