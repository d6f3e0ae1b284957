"""Pictures and clips, made by the real process of media as ffmpeg packages it."""

import io
from collections.abc import AsyncIterator
from dataclasses import dataclass

import av
import pytest
from PIL import Image

from evidence.excerpt_maker import ExcerptMaker
from evidence.excerpts.budget import Budget
from evidence.excerpts.clips import clip as clip_of
from evidence.excerpts.protocol import NO_PICTURE, UNDECODABLE, NothingMade, Piece
from tests.media.decoding.packaging import EVERY_TWO_SEC, H264, packaged, tone

RED_THEN_BLUE = (
    *("-f", "lavfi", "-i", "color=red:s=160x90:r=25:d=3"),
    *("-f", "lavfi", "-i", "color=blue:s=160x90:r=25:d=3"),
)
JOINED = ("-filter_complex", "[0][1]concat=n=2[v]", "-map", "[v]", "-map", "2:a")
AAC = ("-c:a", "aac")
RED, BLUE = (250, 0, 0), (0, 0, 250)


@pytest.fixture
async def maker() -> AsyncIterator[ExcerptMaker]:
    made = ExcerptMaker()
    yield made
    await made.close()


def pieces_of(
    *arguments: str, at_sec: float = 0.0, init: str | None = None, audio: bool = False
) -> list[Piece]:
    made = packaged(*arguments, init=init)
    pieces = []
    for media, duration_sec in zip(made.segments, made.durations_sec, strict=True):
        pieces.append(Piece(made.init + media, at_sec, duration_sec, audio))
        at_sec += duration_sec
    return pieces


def colour(jpeg: bytes | None) -> tuple[int, ...]:
    assert jpeg is not None
    with Image.open(io.BytesIO(jpeg)) as image:
        corner = image.convert("RGB").crop((80, 45, 81, 46)).tobytes()
    return tuple(round(each, -1) for each in corner)


@dataclass(frozen=True)
class Clip:
    """What a player sees of a clip: codecs, when each track begins and ends, its frames."""

    codecs: list[str]
    starts_sec: list[float]
    ends_sec: list[float]
    frames: list[int]


def played(mp4: bytes) -> Clip:
    """Decode a clip; times of each track must grow, and nothing may be broken."""
    assert mp4.index(b"moov") < mp4.index(b"mdat")  # players need not load all of it first
    with av.open(io.BytesIO(mp4), "r") as container:
        codecs = [each.codec_context.name for each in container.streams]
    starts, ends, frames = [], [], []
    for index, _ in enumerate(codecs):
        times = times_of(mp4, index)
        assert times == sorted(set(times))
        starts.append(times[0])
        ends.append(times[-1])
        frames.append(len(times))
    return Clip(codecs, starts, ends, frames)


def times_of(mp4: bytes, track: int) -> list[float]:
    with av.open(io.BytesIO(mp4), "r") as container:
        found = container.decode(container.streams[track])
        return [it.time or 0.0 for it in found if isinstance(it, av.VideoFrame | av.AudioFrame)]


def is_whole(clip: Clip, duration_sec: float) -> bool:
    """Return whether all tracks begin at 0 and end together, without a gap."""
    return all(each < 0.1 for each in clip.starts_sec) and all(
        abs(each - duration_sec) < 0.2 for each in clip.ends_sec
    )


async def test_of_pictures_on_both_sides_of_a_moment(maker: ExcerptMaker) -> None:
    pieces = pieces_of(*RED_THEN_BLUE, *tone(6), *JOINED, *EVERY_TWO_SEC, *AAC)
    within = await maker.pictures(pieces[:2], 3.0)
    assert (colour(within.last_good), colour(within.first_faulty)) == (RED, BLUE)
    at_a_border = await maker.pictures(pieces[:2], 2.0)
    assert (colour(at_a_border.last_good), colour(at_a_border.first_faulty)) == (RED, RED)
    behind = await maker.pictures(pieces, 1e9)
    assert (colour(behind.last_good), behind.first_faulty) == (BLUE, None)


async def test_a_copied_clip_is_continuous(maker: ExcerptMaker) -> None:
    pieces = pieces_of(*RED_THEN_BLUE, *tone(6), *JOINED, *EVERY_TWO_SEC, *AAC)
    clip = played((await maker.clip(pieces)).mp4)
    assert clip.codecs == ["h264", "aac"]
    assert clip.frames[0] == 150
    assert is_whole(clip, 6.0)


async def test_a_clip_goes_on_where_timestamps_start_over(maker: ExcerptMaker) -> None:
    pieces = pieces_of(*RED_THEN_BLUE, *tone(6), *JOINED, *EVERY_TWO_SEC, *AAC, init="i.mp4")
    again = [each._replace(starts_sec=each.starts_sec + 6.0) for each in pieces]
    clip = played((await maker.clip([*pieces, *again])).mp4)
    assert clip.frames[0] == 300
    assert is_whole(clip, 12.0)


async def test_sound_of_a_playlist_of_its_own_is_in_the_clip(maker: ExcerptMaker) -> None:
    silent = ("-filter_complex", "[0][1]concat=n=2[v]", "-map", "[v]")
    pictures = pieces_of(*RED_THEN_BLUE, *silent, *EVERY_TWO_SEC)
    sound = pieces_of(*tone(6), *AAC, audio=True)
    clip = played((await maker.clip([*pictures, *sound])).mp4)
    assert clip.codecs == ["h264", "aac"]
    assert is_whole(clip, 6.0)


async def test_what_browsers_do_not_play_is_encoded_again(maker: ExcerptMaker) -> None:
    coded = ("-c:v", "mpeg2video", "-g", "50", "-c:a", "mp2")
    pieces = pieces_of(*RED_THEN_BLUE, *tone(6), *JOINED, *coded)
    clip = played((await maker.clip(pieces)).mp4)
    assert clip.codecs == ["h264", "aac"]
    assert is_whole(clip, 6.0)


def test_a_clip_that_costs_too_much_to_encode_ends_early() -> None:
    coded = ("-c:v", "mpeg2video", "-g", "50", "-c:a", "mp2")
    pieces = pieces_of(*RED_THEN_BLUE, *tone(6), *JOINED, *coded)
    frames = iter(range(1000))
    budget = Budget(100.0, 100.0, cpu=lambda: float(next(frames)), clock=lambda: 0.0)
    shown = played(clip_of(pieces, budget))
    assert budget.is_spent
    assert shown.codecs == ["h264", "aac"]
    assert 1.5 < shown.ends_sec[0] < 4.0


async def test_a_change_of_format_within_a_clip_is_encoded_again(maker: ExcerptMaker) -> None:
    small = pieces_of("-f", "lavfi", "-i", "testsrc2=s=160x90:r=25:d=2", *H264)
    large = pieces_of("-f", "lavfi", "-i", "testsrc2=s=320x180:r=25:d=2", *H264, at_sec=2.0)
    clip = played((await maker.clip([*small, *large])).mp4)
    assert clip.codecs == ["h264"]
    assert is_whole(clip, 4.0)


async def test_of_sound_alone_there_is_a_clip_and_no_picture(maker: ExcerptMaker) -> None:
    pieces = pieces_of(*tone(6), *AAC)
    assert is_whole(played((await maker.clip(pieces)).mp4), 6.0)
    with pytest.raises(NothingMade) as nothing:
        await maker.pictures(pieces, 3.0)
    assert nothing.value.reason == NO_PICTURE


@pytest.mark.parametrize("media", [b"", b"no media at all", bytes(10_000)])
async def test_of_what_is_no_media_nothing_is_made(maker: ExcerptMaker, media: bytes) -> None:
    with pytest.raises(NothingMade) as nothing:
        await maker.clip([Piece(media, 0.0, 2.0)])
    assert nothing.value.reason == UNDECODABLE
    with pytest.raises(NothingMade) as no_picture:
        await maker.pictures([Piece(media, 0.0, 2.0)], 0.0)
    assert no_picture.value.reason == NO_PICTURE
