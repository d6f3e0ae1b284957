"""One thing on air is told once: colour bars explain why the picture stands and nobody speaks."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import BaseModel

from monitors.incidents import IncidentChange, IncidentClosed, IncidentOpened
from monitors.status import IncidentKind

EXPLAINING = frozenset({IncidentKind.TEST_SIGNAL, IncidentKind.SLATE})
EXPLAINED = frozenset(
    {
        *(IncidentKind.FREEZE, IncidentKind.SILENCE, IncidentKind.LOOP),
        *(IncidentKind.CHANNEL_LOSS, IncidentKind.LOUDNESS),
        *(IncidentKind.CLIPPING, IncidentKind.PHASE),
    }
)

EXPLAINED_BEFORE = timedelta(seconds=5)
"""A fault that began longer before the card than this has another cause."""

BARS, TONE = "bars", "tone"
BARS_AND_TONE = "bars_and_tone"


@dataclass(frozen=True)
class Cause:
    """A card or a tone that is on air, whether or not it is an incident yet."""

    kind: IncidentKind
    since: datetime
    reason: str | None = None


class Explanations(BaseModel):
    """Holds back incidents while a card or a tone explains them.

    What is still open when the cause is gone is told then. Bars and tone are one test signal: it
    opens with the first of them and closes with the last.
    """

    held: list[IncidentOpened] = []  # incidents that are open and were not told
    signals: list[IncidentOpened] = []  # the test signals that are open; the first of them was told
    explained: set[IncidentKind] = set()  # kinds that were held back since the cause came

    def told(
        self, changes: Iterable[IncidentChange], causes: Sequence[Cause]
    ) -> list[IncidentChange]:
        """Return what is told of `changes`, and of what was held, while `causes` are on air."""
        kept = [each for change in changes if (each := self._kept(change, causes))]
        told = [self._with_explained(each, causes) for each in kept]
        if causes:
            return told
        released, self.held, self.explained = self.held, [], set()
        return told + released

    def _kept(self, change: IncidentChange, causes: Sequence[Cause]) -> IncidentChange | None:
        """Return a change as it is told; None where it is not."""
        if isinstance(change, IncidentOpened):
            if change.kind in EXPLAINED and _explains(causes, change):
                self.held.append(change)
                self.explained.add(change.kind)
                return None
            return self._signal_opened(change)
        held = [each for each in self.held if _is_same(each, change)]
        if held:
            self.held.remove(held[0])
            return None
        return self._signal_closed(change)

    def _signal_opened(self, change: IncidentOpened) -> IncidentOpened | None:
        if change.kind is not IncidentKind.TEST_SIGNAL:
            return change
        self.signals.append(change)
        return change if len(self.signals) == 1 else None

    def _signal_closed(self, change: IncidentClosed) -> IncidentClosed | None:
        if change.kind is not IncidentKind.TEST_SIGNAL or not self.signals:
            return change
        if len(self.signals) > 1:
            self.signals.pop()
            return None
        first = self.signals.pop()
        lasted_sec = (change.recovered_at - first.started_at).total_seconds()
        is_other = first.started_at != change.started_at
        total_sec = lasted_sec if is_other else change.total_duration_sec
        return change.model_copy(
            update={"started_at": first.started_at, "total_duration_sec": total_sec}
        )

    def _with_explained(self, change: IncidentChange, causes: Sequence[Cause]) -> IncidentChange:
        if change.kind not in EXPLAINING:
            return change
        own = change.details.get("explains", [])
        self.explained |= {IncidentKind(each) for each in own} if isinstance(own, list) else set()
        kinds = sorted(self.explained)
        details = change.details | ({"explains": list[str](kinds)} if kinds else {})
        is_signal = isinstance(change, IncidentOpened) and change.kind is IncidentKind.TEST_SIGNAL
        reasons = {each.reason for each in causes if each.kind is IncidentKind.TEST_SIGNAL}
        update = {"reason": BARS_AND_TONE} if is_signal and len(reasons) > 1 else {}
        return change.model_copy(update={**update, "details": details})


def _explains(causes: Iterable[Cause], opened: IncidentOpened) -> bool:
    return any(each.since - EXPLAINED_BEFORE <= opened.started_at for each in causes)


def _is_same(opened: IncidentOpened, closed: IncidentClosed) -> bool:
    def key(change: IncidentChange) -> tuple[object, ...]:
        return (change.kind, change.started_at, change.details.get("track"))

    return key(opened) == key(closed)
