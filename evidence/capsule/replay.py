"""Judging an incident again from its capsule: by the code that judges streams."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from typing import Any

from pydantic import ValidationError
from pydantic_core import to_json

from evidence.capsule.archive import InvalidCapsule
from evidence.capsule.contents import ELSEWHERE, Capsule, ProbedFile, StepLine, event_data
from media.decoding.errors import UndecodableSegment
from media.decoding.probe import Probe
from media.watching.snapshots import Snapshot, changed, differences, restored
from media.watching.state import WatchState
from media.watching.steps import STEPS, MediaStep, Step
from monitors.events import EventDraft
from monitors.measurement import ProbeContext, ReferenceSlates, SegmentMeasurement

MOST_DIFFERENCES = 50
MOST_PROBED = 10_000
MOST_SEC = 600.0
BROKEN = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What our own code may raise of a state, or a step, that it never made itself."""


@dataclass
class Replayed:
    """What became of a replay."""

    recorded: bytes  # JSON of the event's data in the capsule
    replayed: bytes | None = None  # the same as it came out; None where no event did
    # from the first one on, in the order of the journal
    differences: list[str] = field(default_factory=list)
    decoded: int = 0  # segments that were decoded again
    not_kept: int = 0  # segments whose recorded measurement was taken, since the capsule lacks them

    @property
    def is_identical(self) -> bool:
        return self.replayed == self.recorded

    def note(self, difference: str) -> None:
        if len(self.differences) < MOST_DIFFERENCES:
            self.differences.append(difference)


async def replay(capsule: Capsule, probe: Probe, *, most_sec: float = MOST_SEC) -> Replayed:
    """Judge an incident again.

    It raises `InvalidCapsule` where it cannot be judged by this release, or by any, or takes too
    long.
    """
    try:
        async with asyncio.timeout(most_sec):
            return await _Replay(capsule, probe).run()
    except TimeoutError:
        raise InvalidCapsule(f"to judge it takes more than {most_sec:g} s") from None


class _Replay:
    def __init__(self, capsule: Capsule, probe: Probe) -> None:
        self._capsule = capsule
        self._probe = probe
        self._result = Replayed(to_json(capsule.event.data))
        self._probed = 0

    async def run(self) -> Replayed:
        state = self._restored(self._capsule.state, "its state")
        for number, line in enumerate(self._capsule.steps(), 1):
            await asyncio.sleep(
                0
            )  # a step without segments waits for nothing: no limit would end it
            state, drafts = await self._take(state, line, number)
            self._compare(line.drafts, drafts, number)
        return self._result

    async def _take(
        self, state: WatchState, line: StepLine, number: int
    ) -> tuple[WatchState, list[EventDraft]]:
        """Take a step; return the state after it, and the events that it drafted."""
        name = f"step {number}"
        step = await self._measured_again(_step(line, name), line.probed)
        try:
            if line.changes:
                content = changed(Snapshot(state).content(), line.changes)
                state = self._restored(content, name)
            step.apply(state, self._capsule.config)
        except BROKEN as error:
            raise InvalidCapsule(f"{name} cannot be taken ({type(error).__name__})") from None
        drafts, state.pending_events = state.pending_events, []
        return state, drafts

    def _restored(self, content: dict[str, Any], name: str) -> WatchState:
        try:
            return restored(content)
        except ValidationError:
            made_by = self._capsule.manifest.release
            raise InvalidCapsule(f"{name} is not of this release; {made_by} made it") from None

    async def _measured_again(self, step: Step, probed: Sequence[ProbedFile | None]) -> Step:
        """Return a step with what its segments measure now."""
        if not isinstance(step, MediaStep):
            for each in filter(None, probed):
                await self._measure(each, None)
            return step
        if len(probed) != 1 + len(step.due):
            raise InvalidCapsule("a step does not name the segments that it judges")
        recorded = (step.measurement, *step.due)
        first, *due = [
            await self._measure(file, measured) if file else measured
            for file, measured in zip(probed, recorded, strict=True)
        ]
        if first is None:
            return step
        return replace(step, measurement=first, due=tuple(due))

    async def _measure(
        self, file: ProbedFile, recorded: SegmentMeasurement | None
    ) -> SegmentMeasurement | None:
        if file.segment is None:
            self._result.not_kept += 1
            return recorded
        self._probed += 1
        if self._probed > MOST_PROBED:
            raise InvalidCapsule("it has too many segments")
        self._result.decoded += 1
        measured, undecodable = await self._ask(file)
        for each in _told_apart(recorded, measured):
            self._result.note(f"{file.segment}: {each}")
        if undecodable != file.undecodable:
            self._result.note(f"{file.segment}: {file.undecodable} -> {undecodable}")
        return measured

    async def _ask(self, file: ProbedFile) -> tuple[SegmentMeasurement | None, str | None]:
        paths = (file.init, file.segment)
        media = b"".join(self._capsule.content(path) for path in paths if path)
        try:
            measured = await self._probe.measure(
                media,
                duration_sec=file.duration_sec,
                silence_db=file.silence_db,
                context=self._context(file),
            )
        except UndecodableSegment as error:
            return None, str(error)
        return measured, None

    def _context(self, file: ProbedFile) -> ProbeContext | None:
        if file.context is None:
            return None
        there = {"lead": file.lead, "parameter_sets": file.parameter_sets}
        update = ELSEWHERE | {
            name: self._capsule.content(path) for name, path in there.items() if path
        }
        if file.slate_names is not None:
            pictures = self._capsule.content(file.slates) if file.slates else b""
            update["slates"] = ReferenceSlates(names=file.slate_names, pictures=pictures)
        return file.context.model_copy(update=update)

    def _compare(
        self, recorded: Sequence[EventDraft], drafts: Sequence[EventDraft], number: int
    ) -> None:
        """Compare what a step told, and find the event of the capsule in it."""
        for one, other in zip_longest(recorded, drafts):
            if one != other:
                before, after = (to_json(self._data(each)).decode() for each in (one, other))
                self._result.note(f"step {number}: {before} -> {after}")
        wanted = self._capsule.event.draft
        for draft in drafts:
            if (draft.event_type, draft.incident) == (wanted.event_type, wanted.incident):
                self._result.replayed = to_json(self._data(draft))

    def _data(self, draft: EventDraft | None) -> dict[str, Any] | None:
        if draft is None:
            return None
        event = self._capsule.event
        return event_data(draft, event.monitor_id, self._capsule.config)


def _step(line: StepLine, name: str) -> Step:
    try:
        return STEPS.validate_python(line.step)
    except ValidationError:
        raise InvalidCapsule(f"{name} is none of this release") from None


def _told_apart(
    recorded: SegmentMeasurement | None, measured: SegmentMeasurement | None
) -> Iterator[str]:
    """Yield in words what differs between two measurements."""
    if recorded is None or measured is None:
        if recorded is not measured:
            yield "could be decoded" if recorded else "could not be decoded"
        return
    one, other = recorded.model_dump(mode="json"), measured.model_dump(mode="json")
    for path, *_ in differences(one, other):
        yield f"{'.'.join(path)}: {_at(one, path)} -> {_at(other, path)}"


def _at(content: Any, path: Sequence[str]) -> str:
    for name in path:
        content = content[name]
    return str(content)[:80]
