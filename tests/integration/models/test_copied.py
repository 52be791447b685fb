"""Rows as columns: the same by PostgreSQL's copy as row by row."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from purchase_intent.features.state import PAST_LAYOUT, STATE, STATE_LAYOUT, Past, State
from purchase_intent.models import ModelVersion, Score, Session, Visitor
from purchase_intent.models.bulk import microseconds
from purchase_intent.models.copied import Kind, columns
from tests.integration.models.builders import NOON, minutes, visitor

pytestmark = pytest.mark.django_db

WANTED: dict[str, Kind] = {"pk": int, "last_at": datetime, "stage": int, "state": STATE_LAYOUT, "past": PAST_LAYOUT}


def stored(owner: Visitor, key: str, **fields: Any) -> Session:
    return Session.objects.create(key=key, visitor=owner, **{"started_at": NOON, "last_at": NOON} | fields)


def test_columns_hold_what_the_rows_hold_in_their_order() -> None:
    owner = visitor()
    odd = datetime(1999, 12, 31, 23, 59, 59, 999_999, UTC)
    state, past = State(events=7, price=1.5), Past(sessions=3)
    one = stored(owner, "one", last_at=minutes(3), stage=2, state=STATE_LAYOUT.dumps(state))
    two = stored(owner, "two", started_at=odd, last_at=odd, past=PAST_LAYOUT.dumps(past))
    old = stored(owner, "old", state=b"of another layout", past=b"")
    found = columns(Session.objects.order_by("-key"), WANTED)
    assert found["pk"].tolist() == [two.pk, one.pk, old.pk]
    assert found["last_at"].tolist() == [microseconds(moment) for moment in (odd, minutes(3), NOON)]
    assert found["stage"].tolist() == [0, 2, 0]
    assert [found["state"][line].tobytes() for line in (1, 2)] == [STATE_LAYOUT.dumps(state), bytes(STATE_LAYOUT.size)]
    assert [found["past"][line].tobytes() for line in (0, 2)] == [PAST_LAYOUT.dumps(past), bytes(PAST_LAYOUT.size)]
    found["state"]["events"] += 1
    assert found["state"]["events"].tolist() == [1, 8, 1]


def test_parameters_of_the_query_are_passed_on() -> None:
    owner = visitor()
    keys = {stored(owner, name).pk for name in ("it's", "100%s", 'a "b" \\')}
    stored(owner, "other")
    rows = Session.objects.filter(key__in=("it's", "100%s", 'a "b" \\')).order_by("pk")
    assert set(columns(rows, {"pk": int})["pk"].tolist()) == keys


def test_no_row_is_columns_of_no_length() -> None:
    found = columns(Session.objects.filter(last_at__lt=NOON), WANTED)
    assert {name: (len(column), column.dtype) for name, column in found.items()} == {
        "pk": (0, np.dtype(np.int64)),
        "last_at": (0, np.dtype(np.int64)),
        "stage": (0, np.dtype(np.int64)),
        "state": (0, STATE),
        "past": (0, PAST_LAYOUT.dtype),
    }


def test_what_is_deleted_takes_its_scores_along() -> None:
    """The database knows nothing of it: it has no constraint from a score to what it is of."""
    times = {"trained_from": NOON, "trained_until": NOON}
    one, other = (
        ModelVersion.objects.create(**times, events=1, sessions=1, buyers=1, schema_hash="5" * 64, bundle=name)
        for name in ("one", "other")
    )
    owner, stays = visitor("goes"), visitor("stays")
    gone, kept = stored(owner, "gone"), stored(stays, "kept", model=one)
    for model in (one, other):
        Score.objects.create(session=gone, model=model, probability=0.1, moment=NOON)
        Score.objects.create(session=kept, model=model, probability=0.2, moment=NOON)
    Score.objects.create(visitor=owner, model=other, probability=0.3, moment=NOON)
    owner.delete()
    assert set(Score.objects.values_list("session__key", "model")) == {("kept", one.pk), ("kept", other.pk)}
    one.delete()
    assert list(Score.objects.values_list("session__key", "model")) == [("kept", other.pk)]
    kept.refresh_from_db()
    assert kept.model is None
