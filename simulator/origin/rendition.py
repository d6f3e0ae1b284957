"""One rendition of a channel: its files and the playlist of a window of them."""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from simulator.origin.encoding import Container
from simulator.origin.playlist import InitSegment, PlaylistSegment, Variant, media_playlist
from simulator.origin.publication import Published
from simulator.origin.render import RenderedProgramme
from simulator.origin.reply import SEGMENT_TYPES, Reply, error_reply

KEY = bytes(range(16))
KEY_NAME = "key.bin"
KEY_TYPE = "application/octet-stream"


class Rendition:
    """Serves a rendered programme as files of a live channel, from memory."""

    def __init__(self, label: str, rendered: RenderedProgramme, *, byte_range: bool) -> None:
        self.label = label  # its folder in the channel: `v0`, `v1`, ..., `audio`
        self.rendered = rendered
        fragmented = rendered.programme.encoding.container is Container.FMP4
        self._suffix = "m4s" if fragmented else "ts"
        # Of the one file of byte-range mode.
        self.file_name = "programme.mp4" if fragmented else "programme.ts"
        self._byte_range = byte_range
        init = rendered.init or b""
        sizes = [len(segment.data) for segment in rendered.segments]
        self._offsets = list(accumulate(sizes, initial=len(init)))
        self._file = init + b"".join(each.data for each in rendered.segments) if byte_range else b""

    def index_at(self, offset: int) -> int | None:
        """Return which segment begins at or before this byte of the one file."""
        index = bisect_right(self._offsets, offset) - 1
        return index if 0 <= index < len(self.rendered.segments) else None

    def file(self, name: str, entry: Published | None) -> Reply:
        """Return the file: a segment (its entry is on air), the init segment, or the one file."""
        if entry is not None:
            segment = self.rendered.segments[entry.index]
            return Reply(200, segment.data, SEGMENT_TYPES[self._suffix])
        if name == "init.mp4" and self.rendered.init:
            return Reply(200, self.rendered.init, SEGMENT_TYPES["mp4"])
        if name == self.file_name and self._byte_range:
            return Reply(200, self._file, SEGMENT_TYPES[name.rpartition(".")[2]])
        return error_reply(404)

    def playlist(
        self,
        window: Sequence[Published],
        *,
        prefix: str,
        program_date_time: bool,
        encrypted: bool,
        ended: bool,
    ) -> str:
        """Return the media playlist of these segments; `prefix` leads from it to the files."""
        return media_playlist(
            [self._listed(entry, prefix) for entry in window],
            longest_sec=max(self.rendered.durations_sec),
            init=self._init(prefix),
            key_uri=f"{prefix}{KEY_NAME}" if encrypted else None,
            program_date_time=program_date_time,
            ended=ended,
        )

    def _listed(self, entry: Published, prefix: str) -> PlaylistSegment:
        segment = self.rendered.segments[entry.index]
        if self._byte_range:
            place = (len(segment.data), self._offsets[entry.index])
            return PlaylistSegment(entry, prefix + self.file_name, segment.duration_sec, place)
        name = f"g{entry.generation}-{entry.sequence}.{self._suffix}"
        return PlaylistSegment(entry, prefix + name, segment.duration_sec)

    def _init(self, prefix: str) -> InitSegment | None:
        if not self.rendered.init:
            return None
        if self._byte_range:
            return InitSegment(prefix + self.file_name, (len(self.rendered.init), 0))
        return InitSegment(f"{prefix}init.mp4")


def master_variant(rendition: Rendition, audio: Rendition | None) -> Variant:
    encoding = rendition.rendered.programme.encoding
    sound = audio.rendered.peak_bandwidth if audio else 0
    return Variant(
        uri=f"{rendition.label}/index.m3u8",
        bandwidth=rendition.rendered.peak_bandwidth + sound,
        width=encoding.width if encoding.has_video else 0,
        height=encoding.height if encoding.has_video else 0,
        fps=encoding.fps,
        has_audio=encoding.has_audio or audio is not None,
    )


def encrypted(data: bytes, sequence: int) -> bytes:
    """Return a whole segment encrypted by AES-128 (RFC 8216 4.3.2.4).

    Its number is the IV, so the playlist names none.
    """
    padder = PKCS7(algorithms.AES.block_size).padder()
    encryptor = Cipher(algorithms.AES(KEY), modes.CBC(sequence.to_bytes(16, "big"))).encryptor()
    padded = padder.update(data) + padder.finalize()
    return encryptor.update(padded) + encryptor.finalize()
