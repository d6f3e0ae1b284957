"""What watches do for evidence: they keep footage, show pictures, and open cases."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial

from activities.declarations import WatchInput
from evidence.case import LOST, Case
from evidence.collector import EvidenceCollector
from evidence.latest_picture_uploads import PictureUploads
from media.watching import Excerpt, Footage, Journal, SegmentCache, SegmentProber
from monitors.events import EventDraft, is_opening
from monitors.evidence import EvidenceKind, EvidenceLevel
from monitors.incidents import IncidentOpened, IncidentRef

PICTURES = frozenset({EvidenceKind.PICTURE})
ALL_BUT_PICTURES = frozenset(EvidenceKind) - PICTURES


@dataclass(frozen=True)
class WatchEvidence:
    collector: EvidenceCollector
    pictures: PictureUploads
    cache: SegmentCache

    def footage_of(self, input: WatchInput) -> Footage:
        return Footage(
            self.cache,
            partial(self.pictures.put, input.monitor_id),
            partial(self._collect_again, input),
            partial(self._collect_early, input),
        )

    def journal_at(self, level: EvidenceLevel) -> Journal | None:
        return Journal(self.cache) if level is EvidenceLevel.CAPSULE else None

    def open_cases(
        self,
        drafts: Iterable[EventDraft],
        input: WatchInput,
        prober: SegmentProber,
        inherited: Collection[EventDraft],
        still_open: Collection[IncidentRef],
    ) -> None:
        """Start to collect the evidence of the incidents that a watch has opened.

        What is `inherited` is of a worker that was lost, and its footage with it; of what is
        `still_open`, the next watch collects the pictures.
        """
        for draft in drafts:
            if draft.incident is None or not is_opening(draft.event_type):
                continue
            case = _case(input, draft.incident, prober.footage.excerpt(draft.incident.started_at))
            journal = prober.journal.excerpt(draft) if prober.journal else None
            case = replace(case, alert_at=draft.timestamp, journal=journal)
            if draft in inherited:
                gone = ALL_BUT_PICTURES if draft.incident in still_open else case.kinds
                case = replace(case, failure=LOST, kinds=gone)
            elif draft.incident in prober.footage.handed_out_early:
                self.collector.collect_again(replace(case, kinds=PICTURES))
                case = replace(case, kinds=ALL_BUT_PICTURES)
            self.collector.collect(case)

    def _collect_again(self, input: WatchInput, opened: IncidentOpened, excerpt: Excerpt) -> None:
        alert_at = opened.started_at + timedelta(seconds=opened.duration_sec)
        case = _case(input, opened.ref, excerpt)
        self.collector.collect_again(replace(case, alert_at=alert_at, kinds=PICTURES))

    def _collect_early(self, input: WatchInput, fault: IncidentRef, excerpt: Excerpt) -> None:
        case = _case(input, fault, excerpt)
        self.collector.collect(replace(case, is_early=True, kinds=PICTURES))


def _case(input: WatchInput, incident: IncidentRef, excerpt: Excerpt) -> Case:
    """Return a case whose alert is now."""
    return Case(
        monitor_id=input.monitor_id,
        incident=incident,
        level=input.config.evidence,
        alert_at=datetime.now(UTC),
        excerpt=excerpt,
        stream_url=input.stream_url,
    )
