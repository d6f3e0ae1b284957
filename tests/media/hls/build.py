"""Playlists for tests, made from numbers."""

from itertools import count

from media.hls.playlist import MediaPlaylist, Segment

TARGET_SEC = 5.0

_tokens = count()


def segment(
    sequence: int, *, duration_sec: float = TARGET_SEC, programme: str = "a", gap: bool = False
) -> Segment:
    """A segment whose URI carries another token each time, as signed URLs do."""
    uri = f"https://cdn.example/{programme}/{sequence}.ts?token={next(_tokens)}"
    return Segment(uri=uri, sequence=sequence, duration_sec=duration_sec, gap=gap)


def window(
    first: int,
    last: int,
    *,
    programme: str = "a",
    duration_sec: float = TARGET_SEC,
    target_sec: float = TARGET_SEC,
    ended: bool = False,
) -> MediaPlaylist:
    return MediaPlaylist(
        target_duration_sec=target_sec,
        media_sequence=first,
        segments=tuple(
            segment(sequence, programme=programme, duration_sec=duration_sec)
            for sequence in range(first, last + 1)
        ),
        ended=ended,
    )
