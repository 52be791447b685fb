"""What is older than the shop keeps goes, in bounded steps; orders and what they name stay."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from pytest_django import Settings

from purchase_intent.events import EventName
from purchase_intent.models import (
    Event,
    ModelVersion,
    Order,
    RunState,
    Score,
    Session,
    TrainingRun,
    Visitor,
    WatchReport,
)
from purchase_intent.scoring import pruning
from purchase_intent.scoring.pruning import Pruned, prune
from tests.integration.background.conftest import Browse
from tests.integration.models.builders import NOON, minutes, visitor

pytestmark = pytest.mark.django_db(transaction=True)

VIEW, PURCHASE = EventName.VIEW, EventName.PURCHASE
NOW = NOON + timedelta(days=61)


@pytest.fixture(autouse=True)
def kept_for_sixty_days(settings: Settings) -> None:
    settings.PURCHASE_INTENT = {"RETENTION_DAYS": 60}


def closed(browse: Browse, owner: Visitor, key: str, *kinds: EventName, begin: int = 0) -> Session:
    when = minutes(begin)
    return browse(owner, key, *kinds, begin=when, closed_at=when + timedelta(hours=1), outcome="left")


def left() -> tuple[list[str], list[str], int, int]:
    return (
        list(Session.objects.order_by("key").values_list("key", flat=True)),
        list(Visitor.objects.order_by("cookie").values_list("cookie", flat=True)),
        Event.objects.count(),
        Score.objects.count(),
    )


def test_old_rows_go_and_orders_stay(browse: Browse, version: ModelVersion) -> None:
    gone, buyer, open_one, young = visitor("gone"), visitor("buyer"), visitor("open"), visitor("young", last_seen=NOW)
    old = closed(browse, gone, "old", VIEW, VIEW)
    bought = closed(browse, buyer, "bought", PURCHASE)
    Order.objects.create(number="o1", visitor=buyer, session=bought, revenue=Decimal(9), placed_at=NOON)
    browse(open_one, "open", VIEW)
    recent = closed(browse, young, "recent", VIEW, begin=2 * 24 * 60)
    for session, moment in ((old, NOON), (recent, NOON), (recent, NOW)):
        Score.objects.create(session=session, model=version, moment=moment, probability=0.1)
    assert prune(NOW) == Pruned(events=4, scores=2, sessions=1, visitors=1, reports=0)
    assert left() == (["bought", "open", "recent"], ["buyer", "open", "young"], 1, 1)
    assert Order.objects.get().session == bought
    assert prune(NOW) == Pruned(0, 0, 0, 0, 0)


def test_a_run_that_is_killed_goes_on_where_it_was(browse: Browse, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        closed(browse, visitor(f"v{number}"), f"s{number}", VIEW)
    monkeypatch.setattr(pruning, "AT_ONCE", 2)

    def watch(step: str) -> None:
        if step == "deleting sessions: 4":
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        prune(NOW, progress=watch)
    assert left() == (["s4"], [f"v{number}" for number in range(5)], 0, 0)
    assert prune(NOW) == Pruned(events=0, scores=0, sessions=1, visitors=5, reports=0)
    assert left() == ([], [], 0, 0)


def test_reports_go_by_their_age_and_what_is_under_way_stays() -> None:
    old, recent = NOW - timedelta(days=61), NOW - timedelta(days=2)
    for moment in (old, recent):
        TrainingRun.objects.create(asked_at=moment, ended_at=moment, state=RunState.REFUSED)
        WatchReport.objects.create(day=moment.date())
    TrainingRun.objects.create(asked_at=old)
    assert prune(NOW).reports == 2
    assert sorted(TrainingRun.objects.values_list("ended_at", flat=True), key=str) == [recent, None]
    assert list(WatchReport.objects.values_list("day", flat=True)) == [recent.date()]
