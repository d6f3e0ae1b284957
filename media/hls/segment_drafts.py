"""What a media playlist says of a segment, line by line: its parts, its key, its date."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from media.hls.errors import MalformedPlaylist, PlaylistTooLarge
from media.hls.playlist import IV_BYTES, ByteRange, Encryption, InitSegment, Part, Segment
from media.hls.tags import UriResolver, byte_range, decimal

MAX_DURATION_SEC = 3_600.0


@dataclass(slots=True)
class SegmentDraft:
    """A segment without its numbers; `duration_sec` is None where EXTINF is absurd."""

    uri: str = ""
    duration_sec: float | None = None
    byte_range: ByteRange | None = None
    init: InitSegment | None = None
    encryption: Encryption | None = None
    program_date_time: datetime | None = None
    discontinuity: bool = False
    discontinuities: int = 0
    gap: bool = False
    parts: tuple[Part, ...] = ()


def is_sane_duration(duration_sec: float) -> bool:
    return 0 < duration_sec <= MAX_DURATION_SEC


def date_drafts(drafts: Sequence[SegmentDraft], starts_at: datetime | None) -> None:
    """Give segments without EXT-X-PROGRAM-DATE-TIME the date that their neighbours imply.

    RFC 8216 4.3.2.6 and 6.3.3: forward from each tag, and backward from the first one. Never
    across a discontinuity, after which time may jump, nor over an unknown duration.

    Args:
        starts_at: where the segments before them end, if that is known.
    """
    if drafts and drafts[0].program_date_time is None and not drafts[0].discontinuity:
        drafts[0].program_date_time = starts_at
    for previous, draft in pairwise(drafts):
        if draft.program_date_time is None and not draft.discontinuity:
            draft.program_date_time = _shifted(previous.program_date_time, previous.duration_sec)
    _date_backward(drafts)


def _date_backward(drafts: Sequence[SegmentDraft]) -> None:
    dated = (index for index, draft in enumerate(drafts) if draft.program_date_time)
    for index in range(next(dated, 0), 0, -1):
        draft, following = drafts[index - 1], drafts[index]
        if following.discontinuity or draft.duration_sec is None:
            return
        draft.program_date_time = _shifted(following.program_date_time, -draft.duration_sec)


def _shifted(moment: datetime | None, by_sec: float | None) -> datetime | None:
    if moment is None or by_sec is None:
        return None
    return moment + timedelta(seconds=by_sec)


def finish_drafts(
    drafts: Iterable[SegmentDraft],
    *,
    first_sequence: int,
    first_discontinuity: int,
    target_sec: float,
) -> tuple[Segment, ...]:
    """Number the segments; one whose duration nobody knows gets `target_sec`."""
    return tuple(
        Segment(
            uri=draft.uri,
            sequence=sequence,
            duration_sec=target_sec if draft.duration_sec is None else draft.duration_sec,
            discontinuity_sequence=first_discontinuity + draft.discontinuities,
            duration_declared=draft.duration_sec is not None,
            byte_range=draft.byte_range,
            init=draft.init,
            program_date_time=draft.program_date_time,
            discontinuity=draft.discontinuity,
            gap=draft.gap,
            encryption=draft.encryption,
            parts=draft.parts,
        )
        for sequence, draft in enumerate(drafts, start=first_sequence)
    )


MAX_PARTS = 1_000  # one segment may have this many


class PartReader:
    """Gathers parts until their segment is complete.

    Nothing depends on them: one that cannot be read leaves its segment without parts.
    """

    def __init__(self, base_url: str, uris: UriResolver) -> None:
        self._base_url = base_url
        self._uris = uris
        self._parts: list[Part | None] = []

    def read(self, attributes: Mapping[str, str]) -> None:
        if len(self._parts) >= MAX_PARTS:
            raise PlaylistTooLarge(f"a segment has more than {MAX_PARTS} parts")
        self._parts.append(self._part(attributes))

    def take(self) -> tuple[Part, ...]:
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
        before = self._parts[-1].byte_range if self._parts and self._parts[-1] else None
        return byte_range(
            "BYTERANGE of EXT-X-PART", text, implicit_offset=before.end if before else 0
        )


class KeyReader:
    """Knows how what follows is encrypted. Keys of several formats may hold at once."""

    def __init__(self, base_url: str, uris: UriResolver) -> None:
        self._base_url = base_url
        self._uris = uris
        self._keys: dict[str, Encryption] = {}

    @property
    def current(self) -> Encryption | None:
        """The key that anybody may have, else the first; None where nothing is encrypted."""
        return self._keys.get("identity") or next(iter(self._keys.values()), None)

    def hold(self, key: Encryption | None) -> None:
        """Go on behind a segment that was encrypted like this."""
        self._keys = {key.key_format: key} if key else {}

    def read(self, attributes: Mapping[str, str]) -> None:
        method = attributes.get("METHOD")
        if not method:
            raise MalformedPlaylist("EXT-X-KEY names no METHOD")
        if method == "NONE":
            self._keys = {}
            return
        uri = attributes.get("URI")
        key = Encryption(
            method=method,
            uri=self._uris.resolve(self._base_url, uri) if uri else None,
            iv=_initialization_vector(attributes.get("IV")),
            key_format=attributes.get("KEYFORMAT", "identity"),
        )
        self._keys[key.key_format] = key


def _initialization_vector(text: str | None) -> bytes | None:
    if text is None:
        return None
    digits = text[2:] if text[:2] in ("0x", "0X") else ""
    try:
        return int(digits, 16).to_bytes(IV_BYTES, "big")
    except (ValueError, OverflowError):
        raise MalformedPlaylist(
            f"IV of EXT-X-KEY is no 128-bit hex number: {text[:40]!r}"
        ) from None
