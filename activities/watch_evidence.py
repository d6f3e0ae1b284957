"""What watches do for evidence: they keep footage, show pictures, and open cases."""

from collections.abc import Collection, Iterable
from functools import partial

from activities.declarations import WatchInput
from evidence.case import LOST, Case
from evidence.collector import EvidenceCollector
from evidence.picture_uploads import PictureUploads
from media.watching import Footage, Journal, SegmentCache, SegmentProber
from monitors.events import EventDraft, is_opening
from monitors.evidence import EvidenceLevel


class WatchEvidence:
    """The evidence of all streams of a worker.

    Args:
        collector: of incidents.
        pictures: takes the latest of each stream.
        cache: of the segments that incidents may need.
    """

    def __init__(
        self, collector: EvidenceCollector, pictures: PictureUploads, cache: SegmentCache
    ) -> None:
        self._collector = collector
        self._pictures = pictures
        self._cache = cache

    def footage_of(self, monitor_id: str) -> Footage:
        """Return an empty footage of a stream."""
        return Footage(self._cache, partial(self._pictures.put, monitor_id))

    def journal_at(self, level: EvidenceLevel) -> Journal | None:
        """Return an empty journal of a stream, where capsules are wanted."""
        return Journal(self._cache) if level is EvidenceLevel.CAPSULE else None

    def open_cases(
        self,
        drafts: Iterable[EventDraft],
        input: WatchInput,
        prober: SegmentProber,
        inherited: Collection[EventDraft],
    ) -> None:
        """Start to collect the evidence of the incidents that a watch has opened.

        Args:
            drafts: events of the watch.
            input: of the watch.
            prober: of its stream.
            inherited: events of a worker that was lost.
        """
        for draft in drafts:
            if draft.incident is None or not is_opening(draft.event_type):
                continue
            case = Case(
                monitor_id=input.monitor_id,
                incident=draft.incident,
                level=input.config.evidence,
                alert_at=draft.timestamp,
                excerpt=prober.footage.excerpt(draft.incident.started_at),
                journal=prober.journal.excerpt(draft) if prober.journal else None,
                stream_url=input.stream_url,
                failure=LOST if draft in inherited else None,
            )
            self._collector.collect(case)
