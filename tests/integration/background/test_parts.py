"""Visitors scored in parts: the same figures however many there are, and nobody waits for whom a page is writing."""

from __future__ import annotations

from datetime import timedelta
from threading import Thread
from typing import Any

import numpy as np
import pytest
from django.db import connection, transaction

from purchase_intent import tasks
from purchase_intent.events import EventName
from purchase_intent.models import ModelVersion, Score, Session, Visitor
from purchase_intent.models.bulk import Said, note_visits, write_said
from purchase_intent.models.session import IDLE
from purchase_intent.scoring import nightly
from purchase_intent.scoring.batch import score_sessions
from purchase_intent.scoring.closing import Closed, close_sessions
from purchase_intent.scoring.columns import Part
from purchase_intent.scoring.nightly import parts, score_visitors
from tests.integration.background.conftest import Browse
from tests.integration.models.builders import NOON, minutes, visitor

pytestmark = pytest.mark.django_db(transaction=True)

VIEW, CART, PURCHASE = EventName.VIEW, EventName.CART, EventName.PURCHASE
NIGHT = NOON + timedelta(days=4)
VISITORS = 23


def street(browse: Browse) -> None:
    """Visitors with one to three sessions each."""
    for number in range(VISITORS):
        owner = visitor(f"v{number}", known=number % 2 == 0)
        for visit in range(1 + number % 3):
            kinds = (VIEW, CART, VIEW, PURCHASE)[: 1 + (number + visit) % 4]
            device = ("phone", "desktop")[visit % 2]
            browse(owner, f"s{number}-{visit}", *kinds, begin=minutes(60 * visit + number), device=device)


def figures() -> list[tuple[object, ...]]:
    scored = Visitor.objects.exclude(scored_at=None).order_by("pk")
    rows = Score.objects.order_by("visitor", "pk").values_list("visitor", "probability", "band", "moment", "model")
    return [*scored.values_list("pk", "score", "band", "scored_at"), *rows]


def test_the_figures_are_the_same_however_many_parts_there_are(browse: Browse, champion: ModelVersion) -> None:
    street(browse)
    assert score_visitors(NIGHT) == VISITORS
    whole = figures()
    assert len(whole) == 2 * VISITORS
    assert len({row[1] for row in whole}) > 5
    for count in (1, 2, 7, 1000):
        Score.objects.all().delete()
        Visitor.objects.update(score=None, band="", scored_at=None)
        cut = parts(NIGHT, count=count)
        assert len(cut) == min(count, VISITORS)
        assert sum(score_visitors(NIGHT, part=part) for part in reversed(cut)) == VISITORS
        assert figures() == whole
        assert parts(NIGHT) == []


def test_parts_hold_every_key_once(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = [visitor(f"v{number}").pk for number in range(VISITORS)]
    monkeypatch.setattr(nightly, "OF_A_PART", 10)
    cut = parts(NIGHT)
    assert len(cut) == 3
    assert [key for part in cut for key in range(part.first, part.last + 1)] == keys
    with pytest.raises(ValueError, match="at least one part, got 0"):
        parts(NIGHT, count=0)


def test_the_task_has_each_part_done(monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(VISITORS):
        visitor(f"v{number}")
    monkeypatch.setattr(nightly, "night_of", lambda _now: NIGHT)
    assert tasks.score_visitors(4) == 4
    assert Visitor.objects.filter(scored_at=NIGHT).count() == VISITORS
    assert (tasks.score_visitors(4), tasks.score_partition(NIGHT.isoformat(), 0, 10**9)) == (0, 0)


def test_a_batch_writes_no_more_than_it_was_told(champion: ModelVersion) -> None:
    shadow = ModelVersion.objects.get(pk=champion.pk)
    shadow.pk, shadow.status = None, "candidate"
    shadow.save(force_insert=True)
    owners = [visitor(f"v{number}") for number in range(4)]
    Visitor.objects.filter(pk=owners[2].pk).update(score=0.5, scored_at=NIGHT)
    keys = np.array([owners[3].pk, owners[2].pk, owners[1].pk, owners[0].pk, 10**9])
    moments = np.full(5, int(NIGHT.timestamp() * 10**6))
    said = Said(champion.pk, np.array([0.1, 0.2, np.nan, 0.4, 0.3]), np.array([0, 1, 0, 1, 0]), ("", "top_5"))
    other = Said(shadow.pk, np.array([0.9, np.nan, np.nan, 0.8, 0.9]), np.zeros(5, np.int64), ("",))
    assert write_said(Visitor, keys, moments, [said, other]).tolist() == [True, True, True, True, False]
    rows = Visitor.objects.order_by("pk").values_list("score", "band", "scored_at")
    assert list(rows) == [(0.4, "top_5", NIGHT), (None, "", None), (0.5, "", NIGHT), (0.1, "", NIGHT)]
    for _ in range(2):
        assert sorted(Score.objects.values_list("model", "visitor", "probability", "band")) == [
            (champion.pk, owners[0].pk, 0.4, "top_5"),
            (champion.pk, owners[2].pk, 0.2, "top_5"),
            (champion.pk, owners[3].pk, 0.1, ""),
            (shadow.pk, owners[0].pk, 0.8, ""),
            (shadow.pk, owners[3].pk, 0.9, ""),
        ]
        write_said(Visitor, keys, moments, [said, other])


@pytest.fixture
def held(request: pytest.FixtureRequest) -> Any:
    """Return a context in which another transaction holds a row, as a page that writes it does."""
    if connection.vendor != "postgresql":
        pytest.skip("only PostgreSQL locks rows")
    other = connection.copy()

    def hold(row: Any) -> None:
        other.set_autocommit(autocommit=False)
        with other.cursor() as cursor:
            cursor.execute(f'SELECT 1 FROM "{row._meta.db_table}" WHERE id = %s FOR UPDATE', [row.pk])

    hold.release = other.rollback  # type: ignore[attr-defined]
    yield hold
    other.rollback()
    other.close()


def test_a_session_that_a_page_is_writing_is_left_to_the_next_run(browse: Browse, asked: Any, held: Any) -> None:
    busy = browse(visitor("v1"), "busy", VIEW)
    browse(visitor("v2"), "free", VIEW)
    held(busy)
    assert score_sessions(minutes(1)) == 1
    assert close_sessions(NOON + 2 * IDLE) == Closed(left=1, busy=1, judged=1)
    held.release()
    assert score_sessions(minutes(1)) == 1
    assert Session.objects.get(key="busy").score == 1 / 3
    assert close_sessions(NOON + 2 * IDLE) == Closed(left=1, judged=1)


def test_a_visitor_that_a_page_is_writing_is_waited_for_at_the_end(asked: Any, held: Any) -> None:
    busy = visitor("busy")
    visitor("free")
    held(busy)
    done: list[int] = []

    def run() -> None:
        done.append(score_visitors(NIGHT))
        note_visits({busy.pk: NIGHT})
        connection.close()

    run_beside = Thread(target=run)
    run_beside.start()
    while Visitor.objects.filter(scored_at=NIGHT).count() < 1:
        assert run_beside.is_alive()
    assert Visitor.objects.get(scored_at=NIGHT).cookie == "free"
    held.release()
    run_beside.join()
    busy.refresh_from_db()
    assert (done, busy.scored_at, busy.last_seen) == ([2], NIGHT, NIGHT)


def test_a_part_that_holds_nobody_is_done(asked: Any) -> None:
    visitor()
    with transaction.atomic():
        assert score_visitors(NIGHT, part=Part(10**8, 10**9)) == 0
