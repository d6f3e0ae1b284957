"""A master playlist names more sound tracks than are measured, and in endless words."""

from starlette.requests import Request
from starlette.responses import Response

from media.codecs import MOST_CODECS, codecs_in
from monitors.config import AudioTracks, MonitorConfig
from monitors.measurement import MOST_ADDITIONAL_AUDIO
from simulator.origin import WallClock
from tests.media.watching.packager import Packager, normal_media
from tests.testkit.viewing import Viewer, studio

LAST = 3
SOUNDS = 300
NAME, LANGUAGE, CODECS = (
    "\x07" + "n" * 2000,
    "de-" + "x" * 2000,
    "avc1.42c00c,mp4a.40.2" + ",x" * 2000,
)
MOST_STATE_BYTES = 128 * 1024
"""A heartbeat takes 2 MB, and comes often."""

ALL = MonitorConfig(audio_tracks=AudioTracks.ALL)


def master() -> Response:
    sounds = "\n".join(
        f'#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="{number}{NAME}",LANGUAGE="{LANGUAGE}",'
        f'URI="{number}.m3u8"'
        for number in range(SOUNDS)
    )
    variant = f'#EXT-X-STREAM-INF:BANDWIDTH=9,RESOLUTION=9x9,CODECS="{CODECS}",AUDIO="a"'
    return Response(f"#EXTM3U\n{sounds}\n{variant}\nlive.m3u8")


async def answer(packager: Packager, request: Request) -> Response:
    return master() if request.path_params["name"] == "master" else packager.playlist()


async def test_what_a_master_playlist_names_leaves_the_state_small() -> None:
    packager = Packager(normal_media(), answer, LAST)
    async with packager.serving(), studio(WallClock()) as one:
        url = packager.url.replace("live", "master")
        viewer = await Viewer.of(one, url, ALL).to_the_end()
    state = viewer.state
    assert len(state.tracks) == 2 + MOST_ADDITIONAL_AUDIO
    labels = [track.detectors.label for track in state.tracks.values() if track.detectors.label]
    assert [each["track"] for each in labels] == [f"audio {n}" for n in range(1, len(labels) + 1)]
    assert {len(each["language"]) for each in labels} == {35}
    assert {len(each["name"]) for each in labels} == {100}
    assert all(each["name"].isprintable() for each in labels)
    assert len(state.model_dump_json()) < MOST_STATE_BYTES


def test_what_cannot_be_the_name_of_a_codec_is_none() -> None:
    assert codecs_in(" avc1.4d401e, ,mp4a.40.2,a b," + "x" * 65) == ("avc1.4d401e", "mp4a.40.2")
    assert len(codecs_in(",".join(["avc1"] * 100))) == MOST_CODECS
