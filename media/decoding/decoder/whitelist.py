"""What a segment may be: the containers and codecs of HLS and DASH, and nothing else.

ffmpeg knows hundreds of both, among them some that open other files or that are barely tested.
"""

MPEGTS = "mpegts"
CONTAINERS = (
    *(MPEGTS, "mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm"),
    *("aac", "mp3", "ac3", "eac3"),  # packed audio, RFC 8216 section 3.4
)
"""Names of demuxers."""

CODECS = (
    *("h264", "hevc", "av1", "libdav1d", "vp8", "vp9", "mpeg2video", "mpeg4"),
    *("aac", "aac_latm", "mp2float", "mp2", "mp3float", "mp3", "ac3", "eac3", "opus", "vorbis"),
    *("flac", "alac"),
)
"""Names of decoders."""

MAX_PIXELS = 36_000_000  # larger pictures (8K has 33 million pixels) are not decoded
TS_PACKET_BYTES = 188
TS_SYNC_BYTE = 0x47
TS_LOOKED_AT_PACKETS = 5


def named_container(segment: bytes) -> str | None:
    """Return ffmpeg's name for the container of `segment` where ffmpeg needs to be told.

    It does not recognise MPEG-TS in less than about two kilobytes, and digital silence is no more
    than that. A packet begins with the sync byte every 188 bytes (ISO/IEC 13818-1 2.4.3.2).
    """
    packets = segment[: TS_PACKET_BYTES * TS_LOOKED_AT_PACKETS : TS_PACKET_BYTES]
    is_transport_stream = len(packets) > 1 and set(packets) == {TS_SYNC_BYTE}
    return MPEGTS if is_transport_stream else None
