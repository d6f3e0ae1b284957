"""What steps read and change of a watch's state, as JSON: its snapshots, and how two differ."""

import json
from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from typing import Any

from pydantic import TypeAdapter

from media.watching.state import WatchState
from monitors.detectors.skimming import Deferred

_OF_A_TRACK = {"detectors", "absence", "target_duration_sec", "stream_sec", "ends_at"}
_JUDGED: dict[str, Any] = {
    **dict.fromkeys(("stall", "segment_errors", "renditions", "incidents", "explanations"), True),
    **dict.fromkeys(("failing", "hidden", "unloaded", "target_duration_sec"), True),
    "tracks": {"__all__": dict.fromkeys(_OF_A_TRACK, True)},
}
_DEFERRED: TypeAdapter[list[Deferred]] = TypeAdapter(list[Deferred])

Change = tuple[list[str], Any] | tuple[list[str]]  # a path and what is there now, or nothing


class Snapshot:
    """A watch's state between two steps; equal ones are told apart cheaply."""

    def __init__(self, state: WatchState) -> None:
        self._text = state.model_dump_json(include=_JUDGED)
        self._deferred = {
            name: tuple(track.detectors.video.deferred)
            for name, track in state.tracks.items()
            if track.detectors.video.deferred
        }

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Snapshot):
            return NotImplemented
        return self._text == other._text and self._deferred_ids() == other._deferred_ids()

    __hash__ = None  # type: ignore[assignment]

    def _deferred_ids(self) -> dict[str, tuple[int, ...]]:
        return {name: tuple(map(id, deferred)) for name, deferred in self._deferred.items()}

    def content(self) -> dict[str, Any]:
        """Return it as JSON values; what a track has deferred stands beside its detectors."""
        content: dict[str, Any] = json.loads(self._text)
        for name, deferred in self._deferred.items():
            content["tracks"][name]["deferred"] = _DEFERRED.dump_python(list(deferred), mode="json")
        return content


def restored(content: Mapping[str, Any]) -> WatchState:
    content = deepcopy(dict(content))
    deferred = {
        name: _DEFERRED.validate_python(track.pop("deferred"))
        for name, track in content.get("tracks", {}).items()
        if "deferred" in track
    }
    state = WatchState.model_validate(content)
    for name, each in deferred.items():
        state.tracks[name].detectors.video.deferred = each
    return state


def differences(old: Any, new: Any, path: tuple[str, ...] = ()) -> Iterator[Change]:
    """What makes `new` of `old`: JSON values."""
    if isinstance(old, dict) and isinstance(new, dict):
        for name in old.keys() - new.keys():
            yield ([*path, name],)
        for name, value in new.items():
            if name in old:
                yield from differences(old[name], value, (*path, name))
            else:
                yield ([*path, name], value)
    elif old != new:
        yield ([*path], new)


def changed(content: Mapping[str, Any], changes: Iterable[Change]) -> dict[str, Any]:
    result = deepcopy(dict(content))
    for change in changes:
        *way, name = change[0]
        place = result
        for each in way:
            place = place[each]
        if len(change) == 2:
            place[name] = change[1]
        else:
            del place[name]
    return result
