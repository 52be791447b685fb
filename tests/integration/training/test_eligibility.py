"""Whether a shop's history is enough to learn from: what is missing, and when it is likely to be there."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django import DjangoAssertNumQueries, Settings

from purchase_intent.learning import enough
from purchase_intent.models import ModelVersion, Session, Stage, Visitor
from purchase_intent.training.eligibility import refuse_too_little, shortfalls
from tests.integration.models.builders import visitor

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)
LITTLE: Mapping[str, Mapping[str, int]] = {"session": {"sessions": 20, "buying sessions": 8, "days": 14}}


@pytest.fixture(autouse=True)
def small_minima(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    settings.PURCHASE_INTENT = {"TIME_ZONE": "UTC"}
    monkeypatch.setattr(enough, "ENOUGH", LITTLE)


def sessions(owner: Visitor, count: int, buyers: int, *, first: int, days: int) -> None:
    """`count` sessions, evenly over `days` days that begin `first` days ago, `buyers` of which buy."""
    for place in range(count):
        at = NOW - timedelta(days=first) + timedelta(days=days) * place / max(count - 1, 1)
        stage = Stage.BOUGHT if place < buyers else Stage.PRODUCT
        Session.objects.create(
            key=f"{owner.cookie}-{first}-{place}", visitor=owner, started_at=at, last_at=at, stage=stage
        )


def said(until: datetime | None = None) -> list[str]:
    return [str(each) for each in shortfalls("session", now=NOW, until=until)]


def test_enough_is_enough() -> None:
    sessions(visitor(), 20, 8, first=20, days=15)
    assert said() == []
    refuse_too_little(horizon="session", now=NOW)


def test_each_shortfall_is_named_with_its_date() -> None:
    sessions(visitor(), 10, 4, first=10, days=9)
    assert said() == [
        "10 sessions of 20 (expected about 2026-04-10)",
        "4 buying sessions of 8 (expected about 2026-04-10)",
        "9 days of 14 (expected about 2026-04-05)",
    ]


def test_a_rate_of_nothing_gives_no_date() -> None:
    sessions(visitor(), 20, 4, first=90, days=30)
    assert said() == ["4 buying sessions of 8 (no date can be told, for there was none in the last 28 days)"]


def test_bots_and_what_comes_later_do_not_count() -> None:
    sessions(visitor(), 20, 8, first=20, days=15)
    sessions(visitor("bot", bot="crawler"), 20, 8, first=20, days=15)
    assert [each.split(" (")[0] for each in said(NOW - timedelta(days=12))] == [
        "11 sessions of 20",
        "7 days of 14",
    ]


def test_the_answer_costs_a_few_bounded_queries(django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    sessions(visitor(), 10, 4, first=10, days=9)
    with django_assert_max_num_queries(8) as asked:
        said()
    assert all("LIMIT" in query["sql"] or "last_at" in query["sql"] for query in asked.captured_queries)


def test_who_insists_is_told_what_speaks_against_it() -> None:
    sessions(visitor(), 10, 4, first=10, days=9)
    (found,) = refuse_too_little(horizon="session", now=NOW, force=True)
    assert found.code == "too_little"
    assert found.message.startswith("Too little to learn from yet: 10 sessions of 20")


def test_training_refuses_before_any_work(bundle_folder: Path) -> None:
    sessions(visitor(), 10, 4, first=10, days=9)
    out = StringIO()
    with pytest.raises(CommandError, match=r"Too little to learn from yet: 10 sessions of 20 .*; 4 buying") as refused:
        call_command("intent_train", stdout=out)
    assert "the cold-start rules answer, labelled as rules" in str(refused.value)
    assert "reading" not in out.getvalue()
    assert not ModelVersion.objects.exists()
    assert not bundle_folder.exists()
