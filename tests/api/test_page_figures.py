"""Percentages, lengths of time and bars, as the page shows them."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from api.incidents.service import IncidentDelivery
from api.page.figures import HEIGHT, bars, beginnings, length, percent
from api.page.incidents_page import receivers
from api.page.texts import Words
from api.store.delivery_records import NotificationStatus
from monitors.availability import PeriodTotals, TimeResolution, Totals
from monitors.coverage import CoverageCondition
from notifications.notification import DestinationType, Language, NotificationState

ENGLISH, JAPANESE = Words(Language.ENGLISH), Words(Language.JAPANESE)
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
DAY_SEC = 86_400


def totals(**seconds: float) -> Totals:
    known = {CoverageCondition(name): round(sec * 1000) for name, sec in seconds.items()}
    unseen = (CoverageCondition.UNKNOWN, CoverageCondition.UNWATCHED)
    return Totals(Counter(known), sum(known.get(each, 0) for each in unseen))


@pytest.mark.parametrize(
    ("known", "english", "japanese"),
    [
        (totals(ok=100), "100 %", "100%"),
        (totals(ok=99.99999, faulty=0.001), "99.99 %", "99.99%"),
        (totals(ok=90, unknown=10), "90 – 100 %", "90～100%"),
        (totals(ok=50, faulty=25, unwatched=25), "50 – 75 %", "50～75%"),
        (totals(not_live=5), "", ""),
    ],
)
def test_percentages_are_never_better_than_true(known: Totals, english: str, japanese: str) -> None:
    assert percent(ENGLISH, known) == english
    assert percent(JAPANESE, known) == japanese


@pytest.mark.parametrize(
    ("sec", "text"),
    [(0.4, "0 s"), (59.6, "1 min 0 s"), (3725, "1 h 2 min"), (200_000, "2 d 7 h")],
)
def test_lengths_of_time(sec: float, text: str) -> None:
    assert length(ENGLISH, sec) == text


def test_a_bar_a_day_shows_even_a_short_fault() -> None:
    days = [
        PeriodTotals(BEGIN, BEGIN + timedelta(days=1), totals(ok=DAY_SEC - 30, faulty=30)),
        PeriodTotals(
            BEGIN + timedelta(days=2), BEGIN + timedelta(days=3), totals(ok=100, unknown=100)
        ),
    ]
    begins = beginnings(BEGIN + timedelta(hours=3), BEGIN + timedelta(days=3), TimeResolution.DAY)
    row = bars(ENGLISH, "News", days, totals(ok=9, faulty=1), begins, TimeResolution.DAY)
    short, none, half = row.bars
    assert short.faulty > HEIGHT / 5
    assert short.faulty + short.ok == HEIGHT
    assert short.text == "2026-01-01: 99.96 %, fault 30 s"
    assert not none.is_live
    assert half.unseen == HEIGHT / 2
    assert row.text == "News: 90 % available. 1 of 3 periods with faults"


def test_each_receiver_is_named_once() -> None:
    def delivery(state: NotificationState, sent: bool, **fields: object) -> IncidentDelivery:
        known = {
            "destination_id": "dst-1",
            "name": "Ops",
            "type": DestinationType.WEBHOOK,
            "status": NotificationStatus.SENT if sent else NotificationStatus.PENDING,
            "attempts": 1,
            "last_error": None,
            "created_at": BEGIN,
            "sent_at": BEGIN if sent else None,
        }
        return IncidentDelivery.model_validate({**known, "state": state, **fields})

    ops, webhook = receivers(
        [
            delivery(NotificationState.OPENED, True),
            delivery(NotificationState.OPENED, False, destination_id=None, name=None, type=None),
            delivery(NotificationState.REMINDER, True),
            delivery(NotificationState.REMINDER, False),
            delivery(NotificationState.CLOSED, False),
        ]
    )
    assert (ops.name, list(ops.told), ops.reminders) == ("Ops", ["opened", "closed"], 1)
    assert (webhook.name, list(webhook.told)) == (None, ["opened"])
