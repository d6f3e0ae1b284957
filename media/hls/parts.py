"""The parts of a segment while their playlist is being read (EXT-X-PART, 8216bis 4.4.4.9)."""

from collections.abc import Mapping

from media.hls.errors import MalformedPlaylist, PlaylistTooLarge
from media.hls.playlist import ByteRange, Part
from media.hls.segment_drafts import is_sane_duration
from media.hls.tags import byte_range, decimal
from media.hls.uris import UriResolver

MAX_PARTS = 1_000
"""Of one segment."""


class PartReader:
    """Gathers parts until their segment is complete.

    Nothing depends on them: one that cannot be read leaves its segment without parts.
    """

    def __init__(self, base_url: str, uris: UriResolver) -> None:
        self._base_url = base_url
        self._uris = uris
        self._parts: list[Part | None] = []

    def read(self, attributes: Mapping[str, str]) -> None:
        """Take in one EXT-X-PART.

        Raises:
            PlaylistTooLarge: more than `MAX_PARTS` for one segment.
        """
        if len(self._parts) >= MAX_PARTS:
            raise PlaylistTooLarge(f"a segment has more than {MAX_PARTS} parts")
        self._parts.append(self._part(attributes))

    def take(self) -> tuple[Part, ...]:
        """Return the parts that were read since the last segment."""
        parts, self._parts = self._parts, []
        known = tuple(part for part in parts if part)
        return known if len(known) == len(parts) else ()

    def _part(self, attributes: Mapping[str, str]) -> Part | None:
        uri, range_text = attributes.get("URI"), attributes.get("BYTERANGE")
        duration_sec = decimal(attributes.get("DURATION", ""))
        if not uri or duration_sec is None or not is_sane_duration(duration_sec):
            return None
        try:
            part_range = self._range(range_text) if range_text else None
        except MalformedPlaylist:
            return None
        return Part(
            uri=self._uris.resolve(self._base_url, uri),
            duration_sec=duration_sec,
            byte_range=part_range,
            independent=attributes.get("INDEPENDENT") == "YES",
            gap=attributes.get("GAP") == "YES",
        )

    def _range(self, text: str) -> ByteRange:
        """Read a range; one without a beginning goes on where the part before ended."""
        before = self._parts[-1].byte_range if self._parts and self._parts[-1] else None
        return byte_range(
            "BYTERANGE of EXT-X-PART", text, implicit_offset=before.end if before else 0
        )
