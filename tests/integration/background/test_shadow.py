"""A challenger is asked beside the champion, judged like it, compared with it, and shown to nobody."""

from __future__ import annotations

import logging
import math
from datetime import timedelta
from io import StringIO

import numpy as np
import pytest
from django.core.management import call_command
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from purchase_intent.events import EventName
from purchase_intent.models import ModelVersion, Order, Recalibration, Score, Session, Status, Visitor
from purchase_intent.scoring import duel as duels
from purchase_intent.scoring.batch import score_sessions
from purchase_intent.scoring.closing import close_sessions
from purchase_intent.scoring.duel import duel
from purchase_intent.scoring.judging import judge_weeks
from purchase_intent.scoring.nightly import score_visitors
from tests.integration.background.conftest import Browse
from tests.integration.models.builders import NOON, minutes, visitor
from tests.trained import Trained, damage, register, twin

pytestmark = pytest.mark.django_db

VIEW, CART, PURCHASE = EventName.VIEW, EventName.CART, EventName.PURCHASE


@pytest.fixture
def challenger(champion: ModelVersion, trained: Trained) -> ModelVersion:
    """A second version of the same model, asked beside the champion."""
    version = register(twin(trained), promote=False)
    version.challenge()
    return version


def kept() -> list[tuple[int, object, bool, float]]:
    return list(Score.objects.order_by("moment", "shadow").values_list("model", "moment", "shadow", "probability"))


def test_open_sessions_are_scored_by_both_as_of_the_same_moment(
    browse: Browse, champion: ModelVersion, challenger: ModelVersion
) -> None:
    session = browse(visitor(), "s", VIEW, CART)
    assert score_sessions(minutes(5)) == 1
    (shown, shadow) = kept()
    assert shown[:3] == (champion.pk, minutes(1), False)
    assert shadow[:3] == (challenger.pk, minutes(1), True)
    assert shadow[3] == shown[3]
    session.refresh_from_db()
    assert (session.model, session.score) == (champion, shown[3])
    assert score_sessions(minutes(6)) == 0
    assert len(kept()) == 2


def test_a_challenger_says_what_it_would_say_if_it_served(
    browse: Browse, champion: ModelVersion, challenger: ModelVersion
) -> None:
    def said(key: str) -> tuple[float, float]:
        browse(visitor(key), key, VIEW, CART)
        assert score_sessions(minutes(5)) == 1
        given = Score.objects.filter(session__key=key).order_by("shadow").values_list("probability", flat=True)
        shown, shadow = given
        return shown, shadow

    correction = Recalibration.objects.create(
        model=challenger, intercept=1.0, fitted_from=NOON, fitted_until=NOON, sessions=9, buyers=3, begun_at=NOON
    )
    shown, shadow = said("a")
    assert shadow / (1 - shadow) == pytest.approx(math.e * shown / (1 - shown))
    correction.undo(minutes(5))
    assert len(set(said("b"))) == 1


def test_visitors_are_scored_by_both(browse: Browse, champion: ModelVersion, challenger: ModelVersion) -> None:
    browse(visitor(), "s", VIEW)
    night = NOON + timedelta(hours=15)
    assert score_visitors(night) == 1
    assert [row[:3] for row in kept()] == [(champion.pk, night, False), (challenger.pk, night, True)]
    assert Visitor.objects.get().score == kept()[0][3]


def test_customers_are_scored_by_both_models_of_the_week_and_compared_when_it_is_over(
    browse: Browse, champion: ModelVersion, challenger: ModelVersion
) -> None:
    ModelVersion.objects.update(horizon="week")
    owner = visitor()
    browse(owner, "s", VIEW)
    night = NOON + timedelta(hours=15)
    assert score_visitors(night) == 1
    assert [row[:3] for row in kept()] == [(champion.pk, night, False), (challenger.pk, night, True)]
    found = Visitor.objects.get()
    assert (found.score, found.score_days) == (kept()[0][3], 7)
    assert (found.churn, found.revenue_28d, found.value_12m) == (None, None, None)  # the bundle holds no such models
    Order.objects.create(number="o1", visitor=owner, revenue=9, placed_at=night + timedelta(days=3))
    assert judge_weeks(night + timedelta(days=7)) == 2
    met = duel(ModelVersion.objects.get(pk=champion.pk), ModelVersion.objects.get(pk=challenger.pk))
    assert (met.moments, met.subjects, met.buyers) == (1, 1, 1)


def test_a_challenger_that_cannot_be_loaded_costs_its_own_scores_alone(
    browse: Browse, champion: ModelVersion, challenger: ModelVersion, caplog: pytest.LogCaptureFixture
) -> None:
    damage(challenger)
    browse(visitor(), "s", VIEW)
    with caplog.at_level(logging.ERROR):
        assert score_sessions(minutes(5)) == 1
    assert [row[:3] for row in kept()] == [(champion.pk, minutes(0), False)]
    assert f"Model {challenger.pk} cannot challenge" in caplog.text


def test_rules_have_no_challenger(browse: Browse, champion: ModelVersion, challenger: ModelVersion) -> None:
    ModelVersion.objects.filter(pk=champion.pk).update(status=Status.ARCHIVED)
    browse(visitor(), "s", VIEW)
    assert score_sessions(minutes(5)) == 1
    assert kept() == []


def test_both_are_judged_and_only_the_champions_are_printed(
    browse: Browse, champion: ModelVersion, challenger: ModelVersion
) -> None:
    session = browse(visitor(), "s", VIEW, PURCHASE)
    for model, shadow in ((champion, False), (challenger, True)):
        Score.objects.create(session=session, model=model, moment=minutes(0), probability=0.3, shadow=shadow)
    out = StringIO()
    call_command("intent_close", stdout=out)
    assert "judged 2 scores" in out.getvalue()
    assert "session scores from 0.20 to 0.40: 1, mean 0.300, came true 1.000" in out.getvalue()
    assert set(Score.objects.values_list("shadow", "came_true")) == {(False, True), (True, True)}
    assert close_sessions(minutes(90)).judged == 0


def judged(champion: ModelVersion, challenger: ModelVersion, sessions: int = 60, *, both: bool = True) -> None:
    """Judged scores of two moments a session; the challenger tells buyers apart, the champion does not."""
    owner = visitor("judged")
    rng = np.random.default_rng(3)
    for place in range(sessions):
        session = Session.objects.create(key=f"j{place}", visitor=owner, started_at=NOON, last_at=NOON)
        bought = place % 2 == 0
        for minute in (1, 2):
            row = {"session": session, "moment": minutes(minute), "came_true": bought}
            guess = float(rng.uniform(0.3, 0.7))
            if both:
                Score.objects.create(model=champion, probability=guess, **row)
            better = 0.7 * guess + 0.3 * bought
            Score.objects.create(model=challenger, probability=better, shadow=True, **row)


def test_the_two_are_compared_on_the_moments_that_both_scored(
    champion: ModelVersion,
    challenger: ModelVersion,
    monkeypatch: pytest.MonkeyPatch,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    judged(champion, challenger)
    stray = Session.objects.create(key="stray", visitor=Visitor.objects.get(), started_at=NOON, last_at=NOON)
    Score.objects.create(session=stray, model=challenger, moment=NOON, probability=0.5, came_true=True, shadow=True)
    with django_assert_num_queries(1):
        found = duel(champion, challenger)
    assert (found.moments, found.subjects, found.buyers) == (120, 60, 30)
    assert (found.since, found.until) == (minutes(1), minutes(2))
    assert found.differences["log_loss"].is_better
    assert found.conclusion.startswith("Too early to tell: 30 that bought and 30 that did not are judged by both")
    monkeypatch.setattr(duels, "LEAST_BUYERS", 30)
    assert found.conclusion == (
        f"The challenger, model {challenger.pk}, is better than model {champion.pk} beyond chance: it can be promoted."
    )
    turned = duels.Duel(
        champion=challenger,
        challenger=champion,
        moments=120,
        subjects=60,
        buyers=30,
        since=None,
        until=None,
        differences={"brier": type(found.differences["brier"])(0.1, 0.2, -0.1, -0.2, -0.05)},
    )
    assert "is worse than" in turned.conclusion


def test_nothing_in_common_gives_no_figures(champion: ModelVersion, challenger: ModelVersion) -> None:
    judged(champion, challenger, sessions=4, both=False)
    found = duel(champion, challenger)
    assert (found.moments, found.differences, found.since) == (0, {}, None)


def test_the_page_of_the_model_shows_the_two(
    champion: ModelVersion, challenger: ModelVersion, admin_client: Client
) -> None:
    judged(champion, challenger)
    for version in (champion, challenger):
        page = admin_client.get(f"/admin/purchase_intent/modelversion/{version.pk}/change/").content.decode()
        assert "Champion against challenger, on live traffic" in page
        assert "The latest 120 moments that both scored and whose outcome is known, of 60 sessions" in page
        assert f"challenger, model {challenger.pk}" in page
