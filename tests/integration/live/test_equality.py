"""Live equals history: what the recorder leaves behind is what folding the stored events gives, byte for byte."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from purchase_intent.features.encode import milliseconds
from purchase_intent.features.history import replay
from purchase_intent.features.journey import NEWS
from purchase_intent.features.live import read_row
from purchase_intent.models import CatalogueDay, Event, Session, Visitor
from purchase_intent.scoring.rebuild import lived, told_event
from purchase_intent.sources.orm import stored_events
from purchase_intent.sources.refold import Refolded
from tests.integration.live.equality import ZONE, differing, freeze_earlier_days, starting_over
from tests.integration.live.walks import BEGIN, Browser, act, walk

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("seed", range(4))
def test_a_walk_ends_where_folding_its_stored_events_ends(seed: int) -> None:
    walk(seed, steps=100)
    assert Event.objects.count() > 100
    assert differing() == Refolded()


@pytest.mark.parametrize("seed", range(2))
def test_so_does_a_walk_with_staff_among_the_shoppers(seed: int) -> None:
    walk(seed, steps=80, staff=True)
    assert Visitor.objects.filter(bot="staff").exists()
    assert differing() == Refolded()


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 2**32), st.integers(1, 4), st.integers(1, 3), st.sampled_from([0.0, 0.1, 0.4]))
def test_so_does_any_other(seed: int, browsers: int, customers: int, late: float) -> None:
    with starting_over():
        walk(seed, steps=25, browsers=browsers, customers=customers, late=late)
        assert differing() == Refolded()


def test_more_sessions_at_once_than_may_have_news() -> None:
    tabs = [Browser("v1", f"s{number}") for number in range(NEWS + 4)]
    for turn in range(3):
        for number, tab in enumerate(tabs):
            tab.send(act(100 * turn + number, BEGIN + timedelta(minutes=turn, seconds=number)))
    assert Session.objects.filter(has_news=True).count() == NEWS
    assert differing() == Refolded()


def test_every_vector_on_the_way_is_that_of_history_facts_of_earlier_days_included() -> None:
    walk(11, steps=40, late=0.0)
    freeze_earlier_days(BEGIN.date() + timedelta(days=1))
    walk(12, steps=60, begin=BEGIN + timedelta(days=1))
    assert set(CatalogueDay.objects.values_list("day", flat=True)) == {date(2026, 3, 9)}
    live = {
        row.key.hex: read_row(state, past, milliseconds(told_event(row)))[0]
        for session in Session.objects.all()
        for row, state, past in lived(session)
    }
    compared = 0
    with stored_events(zone=ZONE, progress=lambda step: None) as stored:
        for batch in stored.log.batches(event_ids=True):
            assert batch.event_id is not None
            for key, row in zip(batch.event_id, replay(batch.hits, batch.visitor, batch.session), strict=True):
                np.testing.assert_array_equal(live[key].view(np.int32), row.view(np.int32))
                compared += 1
            assert batch.hits["product_views"].max() > 0
    assert compared == len(live) == Event.objects.count()
    assert differing() == Refolded()
