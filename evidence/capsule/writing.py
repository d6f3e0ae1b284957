"""Writing the capsule of an incident, as the worker that saw it does; the gateway signs it."""

import asyncio
import hashlib
import io
import platform
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import BinaryIO, ClassVar, Final

from pydantic_core import to_json

from evidence.capsule.archive import ArchiveWriter, CapsuleTooLarge
from evidence.capsule.contents import (
    CONFIG,
    ELSEWHERE,
    EVENT,
    JOURNAL,
    STATE,
    VERSIONS,
    CapsuleEvent,
    CapsuleSubject,
    PlaylistLine,
    ProbedFile,
    config_text,
    event_data,
)
from evidence.capsule.manifest import MANIFEST, ListedFile, Manifest
from evidence.capsule.masking import playlist_text
from evidence.case import LOST, Case
from evidence.collector import Collected
from media.watching.replay_journal import JournalExcerpt, PlaylistRead, Probed, StepTaken
from monitors.evidence import EvidenceItem, EvidenceKind
from monitors.stream_url import parse_stream_url

LIBRARIES: Final = ("av", "numpy", "pydantic")
"""What measurements depend on; ffmpeg's libraries come with the first."""

MOST_MEDIA_BYTES: Final = 32 * 1024 * 1024
"""Of later segments only the measurements are in a capsule: a worker holds all of it in memory."""

TOO_LARGE: Final = "too_large"


@dataclass(frozen=True)
class IncidentCapsule:
    """Makes the capsules of a worker of this release."""

    kind: ClassVar = EvidenceKind.CAPSULE
    release: str

    async def collect(self, case: Case) -> AsyncIterator[Collected]:
        capsule, reason = b"", LOST
        if case.journal:
            try:
                capsule = await asyncio.to_thread(self._written, case, case.journal)
            except CapsuleTooLarge:
                reason = TOO_LARGE
        item = EvidenceItem(self.kind)
        yield Collected(item, case.alert_at, capsule, None if capsule else reason)

    def _written(self, case: Case, journal: JournalExcerpt) -> bytes:
        file = io.BytesIO()
        subject = CapsuleSubject(case.monitor_id, case.stream_url, self.release)
        write_capsule(file, journal, subject)
        return file.getvalue()


def write_capsule(file: BinaryIO, excerpt: JournalExcerpt, subject: CapsuleSubject) -> Manifest:
    """Write the capsule of an incident into an empty file, without a signature.

    It takes processor time; run it beside an event loop. It raises `CapsuleTooLarge` where there is
    more than a capsule takes.
    """
    files = _Files(excerpt)
    contents = dict(_contents(excerpt, subject, files)) | files.contents
    listed = [
        ListedFile(path=path, size_bytes=len(text), sha256=hashlib.sha256(text).hexdigest())
        for path, text in contents.items()
    ]
    manifest = _manifest(excerpt, subject, listed)
    writer = ArchiveWriter(file)
    writer.add(MANIFEST, manifest.text())
    for path, text in contents.items():
        writer.add(path, text)
    writer.close()
    return manifest


def _manifest(
    excerpt: JournalExcerpt, subject: CapsuleSubject, listed: list[ListedFile]
) -> Manifest:
    draft = excerpt.draft
    if draft.incident is None:
        raise ValueError("only incidents have capsules")
    incident_id = draft.incident.id_in(subject.monitor_id)
    started_at = draft.incident.started_at
    return Manifest(
        release=subject.release,
        evidence_id=EvidenceItem(EvidenceKind.CAPSULE).id_of(incident_id, started_at),
        incident_id=incident_id,
        monitor_id=subject.monitor_id,
        stream=parse_stream_url(subject.stream_url).key,
        event_type=draft.event_type.value,
        created_at=datetime.now(UTC),
        files=listed,
    )


def _contents(
    excerpt: JournalExcerpt, subject: CapsuleSubject, files: "_Files"
) -> Iterator[tuple[str, bytes]]:
    draft, monitor_id = excerpt.draft, subject.monitor_id
    event = CapsuleEvent(
        monitor_id=monitor_id,
        draft=draft,
        data=event_data(draft, monitor_id, excerpt.config),
    )
    yield EVENT, event.model_dump_json(indent=1).encode()
    yield CONFIG, config_text(excerpt.config)
    yield VERSIONS, _versions(subject.release)
    yield STATE, to_json(excerpt.before.content(), indent=1)
    yield JOURNAL, b"".join(_line(entry, files) + b"\n" for entry in excerpt.entries)


def _versions(release: str) -> bytes:
    own = {"stream-tracker": release, "python": platform.python_version()}
    libraries = {name: version(name) for name in LIBRARIES}
    return to_json({**own, **libraries, "machine": platform.machine()}, indent=1)


def _line(entry: StepTaken | PlaylistRead, files: "_Files") -> bytes:
    if isinstance(entry, PlaylistRead):
        path = files.playlist(entry)
        line = PlaylistLine(at=entry.at, track=entry.track, playlist=path)
        return line.model_dump_json().encode()
    probed = b",".join(files.probed(each, entry) for each in entry.probed)
    drafts = b",".join(draft.model_dump_json().encode() for draft in entry.drafts)
    return b'{"changes":%b,"step":%b,"probed":[%b],"drafts":[%b]}' % (
        entry.changes,
        entry.step,
        probed,
        drafts,
    )


class _Files:
    """The media and playlists of a capsule, by path; equal ones are there once."""

    def __init__(self, excerpt: JournalExcerpt) -> None:
        self.contents: dict[str, bytes] = {}
        self._size_bytes = 0
        self._init_bytes = _init_sizes(excerpt.entries)

    def playlist(self, read: PlaylistRead) -> str:
        text = playlist_text(read.playlist, read.at)
        return self._put("playlists", read.track.replace(" ", "-"), text, "m3u8")

    def probed(self, probed: Probed | None, entry: StepTaken) -> bytes:
        if probed is None:
            return b"null"
        init, segment = self._media(probed)
        context, slates = probed.context, probed.context and probed.context.slates
        sets = context.parameter_sets if context else b""
        described = ProbedFile(
            init=init,
            segment=segment,
            lead=self._lead(probed),
            slates=self._put("slates", "slates", slates.pictures, "rgb") if slates else None,
            slate_names=slates.names if slates else None,
            parameter_sets=self._put("segments", "sets", sets, "bin") if sets else None,
            duration_sec=probed.duration_sec,
            silence_db=probed.silence_db,
            context=context and context.model_copy(update=ELSEWHERE),
            undecodable=probed.undecodable,
        )
        return described.model_dump_json().encode()

    def _media(self, probed: Probed) -> tuple[str | None, str | None]:
        """Return the paths of the initialization section and of the segment behind it."""
        media = probed.held.media
        if media is None or self._size_bytes > MOST_MEDIA_BYTES:
            return None, None
        size = self._init_bytes.get(id(probed.held), 0)
        init = self._put("segments", "init", media[:size], "mp4") if size else None
        return init, self._put("segments", "segment", media[size:], _suffix(media))

    def _lead(self, probed: Probed) -> str | None:
        lead = probed.lead and probed.lead.media
        return self._put("segments", "lead", lead, "bin") if lead else None

    def _put(self, folder: str, name: str, content: bytes, suffix: str) -> str:
        digest = hashlib.sha256(content).hexdigest()[:16]
        path = f"{folder}/{name}-{digest}.{suffix}"
        if path not in self.contents:
            self.contents[path] = content
            self._size_bytes += len(content)
        return path


def _init_sizes(entries: Sequence[StepTaken | PlaylistRead]) -> dict[int, int]:
    """Return the size of the initialization section of each segment; measured twice, told once."""
    steps = (entry for entry in entries if isinstance(entry, StepTaken))
    probed = (each for step in steps for each in step.probed if each and each.init_bytes)
    return {id(each.held): each.init_bytes for each in probed}


def _suffix(media: bytes) -> str:
    return "ts" if media[:1] == b"\x47" else "m4s" if media[4:8].isalpha() else "bin"
