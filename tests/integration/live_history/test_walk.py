"""Live equals history: 200 simulated sessions through HTTP, and the stored events folded again."""

from __future__ import annotations

import random

import numpy as np
import pytest
from django.db.models import Count

from demo_shop.simulator import Plan
from demo_shop.walking import Crowd, Refusal
from purchase_intent.events import EventName
from purchase_intent.features.live import read_row
from purchase_intent.learning import IntentEnsemble
from purchase_intent.models import Event, Order, Session, Visitor
from purchase_intent.models.session import IDLE
from purchase_intent.scoring.answer import Standing
from purchase_intent.scoring.closing import close_sessions
from purchase_intent.scoring.score import milliseconds
from purchase_intent.sources.orm import stored_events
from purchase_intent.sources.refold import Refolded, refold
from tests.integration.live_history.clock import Clock
from tests.integration.live_history.conftest import OPENING
from tests.integration.live_history.history import Folded, comparable, folded
from tests.integration.live_history.ledger import Ledger
from tests.integration.live_history.street import Street, busy_visits
from tests.trained import ZONE, Trained

SESSIONS = 200
PLAN = Plan(start=OPENING, days=7, seed=11, zone=ZONE)


def quiet(step: str) -> None:
    """No progress shown."""


@pytest.mark.slow
def test_what_is_scored_live_is_what_history_gives(shop: str, clock: Clock, ledger: Ledger, trained: Trained) -> None:
    imported = set(Session.objects.values_list("pk", flat=True))
    street = Street(Crowd(shop, seed=11), clock, random.Random(5))
    street.walk(busy_visits(PLAN, SESSIONS))
    clock.wait_until(milliseconds(clock() + 2 * IDLE))
    close_sessions(clock())
    assert_busy(street, imported)
    with stored_events(zone=ZONE, progress=quiet) as stored:
        history = folded(stored)
        assert history.facts > 1000
        assert_same_at_the_end(history, imported)
        assert_same_at_every_event(history, ledger)
        assert_same_scores(history, ledger, trained.ensemble)
        assert refold(stored, progress=quiet) == Refolded()


def assert_busy(street: Street, imported: set[int]) -> None:
    """The walk had in it all that could tell live from history."""
    tally = street.crowd.tally
    assert tally.sessions == SESSIONS
    assert Refusal.FAULT not in tally.refusals
    assert min(tally.orders, tally.accounts, tally.sign_ins, tally.sign_outs) > 0
    assert Order.objects.exclude(session__in=imported).count() == tally.orders
    assert min(street.two_tabs, street.late) > 10
    assert len(street.days) > 2
    live = Session.objects.exclude(pk__in=imported)
    assert live.count() >= SESSIONS
    kinds = set(Event.objects.filter(session__in=live).values_list("name", flat=True))
    assert kinds >= {EventName.LOGIN, EventName.LOGOUT, EventName.PURCHASE, EventName.SIGN_UP}
    of_both = Visitor.objects.exclude(customer="").annotate(devices=Count("sessions__device", distinct=True))
    assert of_both.filter(devices=2).exists()


def assert_same_at_the_end(history: Folded, imported: set[int]) -> None:
    """Every session's vector at its last event, to the bit."""
    found = {
        session.pk: read_row(state, session.read_past(), state.last).tobytes()
        for session in Session.objects.exclude(pk__in=imported)
        for state in [session.read_state()]
    }
    expected = {pk: history.rows[row].tobytes() for pk, row in history.lasts.items() if pk not in imported}
    assert found == expected


def assert_same_at_every_event(history: Folded, ledger: Ledger) -> None:
    """Every vector as it was live, to the bit, but for those that a later arrival has changed since."""
    kept = comparable(ledger.heard)
    assert 10 < len(ledger.heard) - len(kept) < 0.3 * len(ledger.heard)
    differing = [
        (ledger.heard[place], at)
        for place, at in kept.items()
        if history.rows[history.places[at]].tobytes() != ledger.heard[place].row
    ]
    assert differing == []


def assert_same_scores(history: Folded, ledger: Ledger, ensemble: IntentEnsemble) -> None:
    """Every answer of the champion as it was live, to 1e-5 in log-odds."""
    kept = comparable(ledger.heard)
    scored = {place: at for place, at in kept.items() if ledger.heard[place].intent.standing is Standing.SCORED}
    bought = {place for place in kept if ledger.heard[place].intent.standing is Standing.ALREADY_BOUGHT}
    assert bought | set(scored) == set(kept)
    assert len(scored) > 500
    expected = ensemble.log_odds(history.rows[[history.places[at] for at in scored.values()]])
    given = np.array([ledger.heard[place].intent.probability for place in scored])
    assert np.abs(np.log(given / (1 - given)) - expected).max() <= 1e-5
