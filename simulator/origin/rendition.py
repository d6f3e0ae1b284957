"""One rendition of a channel: its files, and the playlists that lead to them (RFC 8216)."""

import math
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from simulator.origin.clock import as_datetime
from simulator.origin.encoding import Container
from simulator.origin.publication import Published
from simulator.origin.render import RenderedProgramme
from simulator.origin.reply import SEGMENT_TYPES, Reply, error_reply

VIDEO_CODEC = "avc1.4d401e"
AUDIO_CODEC = "mp4a.40.2"

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
        """Return a media playlist of segments that are numbered without a gap (4.3.2, 4.3.3).

        `prefix` leads from it to the files.
        """
        first = window[0] if window else None
        # No EXTINF, rounded to an integer, may exceed it (4.3.3.1).
        target = max(1, math.floor(max(self.rendered.durations_sec) + 0.5))
        lines = ["#EXTM3U", "#EXT-X-VERSION:7", f"#EXT-X-TARGETDURATION:{target}"]
        lines.append(f"#EXT-X-MEDIA-SEQUENCE:{first.sequence if first else 0}")
        if first and first.discontinuities:
            # Counts the tags that have left the playlist; the first segment still shows its own.
            left = first.discontinuities - first.discontinuity
            lines.append(f"#EXT-X-DISCONTINUITY-SEQUENCE:{left}")
        if self.rendered.init:
            file = f'{self.file_name}",BYTERANGE="{len(self.rendered.init)}@0'
            lines.append(f'#EXT-X-MAP:URI="{prefix}{file if self._byte_range else "init.mp4"}"')
        if encrypted:  # after EXT-X-MAP, which stays plain
            lines.append(f'#EXT-X-KEY:METHOD=AES-128,URI="{prefix}{KEY_NAME}"')
        for entry in window:
            lines += self._segment_lines(entry, prefix, program_date_time=program_date_time)
        if ended:
            lines.append("#EXT-X-ENDLIST")
        return "\n".join(lines) + "\n"

    def _segment_lines(
        self, entry: Published, prefix: str, *, program_date_time: bool
    ) -> Iterator[str]:
        segment = self.rendered.segments[entry.index]
        if entry.discontinuity:
            yield "#EXT-X-DISCONTINUITY"
        if program_date_time:
            captured = as_datetime(entry.captured_at).isoformat(timespec="milliseconds")
            yield f"#EXT-X-PROGRAM-DATE-TIME:{captured.replace('+00:00', 'Z')}"
        # As it is in this rendition, which may differ a little from the channel's schedule.
        yield f"#EXTINF:{segment.duration_sec:.6f},"
        if self._byte_range:
            yield f"#EXT-X-BYTERANGE:{len(segment.data)}@{self._offsets[entry.index]}"
            yield prefix + self.file_name
        else:
            yield f"{prefix}g{entry.generation}-{entry.sequence}.{self._suffix}"


def master_playlist(variants: Sequence[Rendition], audio: Rendition | None) -> str:
    """Return a master playlist (4.3.4); `audio` is the sound of all variants, if it is apart."""
    lines = ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-INDEPENDENT-SEGMENTS"]
    if audio:
        lines.append(
            '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="sound",NAME="main",DEFAULT=YES,AUTOSELECT=YES,'
            f'URI="{audio.label}/index.m3u8"'
        )
    for variant in variants:
        encoding = variant.rendered.programme.encoding
        has_audio = encoding.has_audio or audio is not None
        bandwidth = sum(each.rendered.peak_bandwidth for each in (variant, audio) if each)
        codecs = [VIDEO_CODEC] * encoding.has_video + [AUDIO_CODEC] * has_audio
        attributes = [f"BANDWIDTH={bandwidth}", f'CODECS="{",".join(codecs)}"']
        if encoding.has_video:
            attributes.append(f"RESOLUTION={encoding.width}x{encoding.height}")
            attributes.append(f"FRAME-RATE={encoding.fps:.3f}")
        if audio:
            attributes.append('AUDIO="sound"')
        lines += [f"#EXT-X-STREAM-INF:{','.join(attributes)}", f"{variant.label}/index.m3u8"]
    return "\n".join(lines) + "\n"


def encrypted(data: bytes, sequence: int) -> bytes:
    """Return a whole segment encrypted by AES-128 (RFC 8216 4.3.2.4).

    Its number is the IV, so the playlist names none.
    """
    padder = PKCS7(algorithms.AES.block_size).padder()
    encryptor = Cipher(algorithms.AES(KEY), modes.CBC(sequence.to_bytes(16, "big"))).encryptor()
    padded = padder.update(data) + padder.finalize()
    return encryptor.update(padded) + encryptor.finalize()
