"""The steps by which destinations and silences become what a file says."""

from datetime import UTC, datetime
from typing import Any

from cli.apply.document import ApplyFile
from cli.apply.plan import Action, Options, Step, plan_destinations, plan_silences

NOW = datetime(2026, 1, 1, tzinfo=UTC)
NIGHT = {
    "labels": {"team": "sport"},
    "starts_at": "2026-01-01T22:00:00+09:00",
    "ends_at": "2026-01-02T06:00:00+09:00",
    "note": "New encoders",
}
KEPT_NIGHT = {
    "silence_id": "sil-1",
    "monitor_ids": None,
    "labels": {"team": "sport"},
    "all": False,
    "kinds": None,
    "starts_at": "2026-01-01T13:00:00Z",
    "ends_at": "2026-01-01T21:00:00Z",
    "note": "New encoders",
    "applied_by": "studio",
}
ON_CALL = {"name": "On-call", "type": "pagerduty", "url": "https://pd.example/?key=hidden"}
KEPT_ON_CALL = {
    "destination_id": "dst-1",
    "name": "On-call",
    "type": "pagerduty",
    "url": "https://pd.example/***",
    "events": ["*"],
    "min_severity": None,
    "remind_every_sec": None,
    "group_window_sec": 0,
    "retry": "short",
    "language": "en",
    "enabled": True,
    "public_key": None,
    "applied_by": "studio",
}


def destinations(*entries: dict[str, Any], **options: bool) -> list[Step]:
    file = ApplyFile.model_validate({"set": "studio", "destinations": entries})
    return list(plan_destinations(file, [KEPT_ON_CALL], Options(**options)))


def silences(*entries: dict[str, Any], **options: bool) -> list[Step]:
    file = ApplyFile.model_validate({"set": "studio", "silences": entries})
    return list(plan_silences(file, [KEPT_NIGHT], Options(**options), NOW))


def test_a_destination_that_is_as_the_file_says_is_kept() -> None:
    (step,) = destinations(ON_CALL)
    assert (step.action, step.body) == (Action.KEEP, {})


def test_a_destination_is_changed_where_it_differs_and_its_url_on_request() -> None:
    changed = {**ON_CALL, "min_severity": "critical", "language": "ja"}
    (step,) = destinations(changed)
    assert step.body == {"min_severity": "critical", "language": "ja"}
    text = '~ destination On-call: min_severity null → "critical", language "en" → "ja"'
    assert (step.item_id, str(step)) == ("dst-1", text)
    (step,) = destinations(ON_CALL, send_secrets=True)
    assert step.body == {"url": ON_CALL["url"]}
    assert "hidden" not in f"{step} {step!r}"


def test_another_type_or_key_pair_is_another_destination() -> None:
    for changed in ({**ON_CALL, "type": "webhook"}, {**ON_CALL, "ed25519": True}):
        (step,) = destinations(changed)
        assert (step.action, step.item_id) == (Action.REPLACE, "dst-1")
        assert step.body == {**changed, "applied_by": "studio"}


def test_destinations_and_silences_of_the_set_are_pruned_on_request() -> None:
    assert destinations() == []
    assert silences() == []
    (destination,) = destinations(prune=True)
    (silence,) = silences(prune=True)
    assert (destination.action, destination.item_id) == (Action.REMOVE, "dst-1")
    assert (silence.action, silence.item_id) == (Action.REMOVE, "sil-1")


def test_a_silence_is_the_same_when_all_of_it_is() -> None:
    (step,) = silences(NIGHT, prune=True)
    assert step.action is Action.KEEP
    made, removed = silences({**NIGHT, "kinds": ["freeze"]}, prune=True)
    assert (made.action, made.body["kinds"]) == (Action.CREATE, ["freeze"])
    assert removed.item_id == "sil-1"


def test_a_silence_that_has_ended_is_left_out() -> None:
    ended = {**NIGHT, "starts_at": "2025-01-01T00:00:00Z", "ends_at": "2025-01-02T00:00:00Z"}
    assert silences(ended) == []
