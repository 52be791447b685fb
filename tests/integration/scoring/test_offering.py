"""Whom the shop's offer is for: its rule worked out for the version that serves, read by templates and code."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from purchase_intent.features.state import Past
from purchase_intent.learning import Calibration
from purchase_intent.learning.offers import NOBODY, Offer
from purchase_intent.models import ModelVersion, OfferBy, OfferRule, Recalibration
from purchase_intent.scoring import serving
from purchase_intent.scoring.bundles import load_bundle
from purchase_intent.scoring.corrections import as_served, without_corrections
from purchase_intent.scoring.offering import curve_of, range_of
from purchase_intent.scoring.score import answer, answers
from tests.integration.scoring.conftest import Act, Clock
from tests.integration.scoring.host import render
from tests.integration.scoring.visits import NOON_MS, visit
from tests.trained import Trained, register, twin

pytestmark = pytest.mark.django_db

MOMENT = datetime.fromtimestamp(NOON_MS / 1000, tz=UTC)
PROFIT: dict[str, Any] = {"by": OfferBy.PROFIT, "margin": 20.0, "cost": 5.0, "contact": 0.0, "odds_ratio": 2.0}


def rule(**fields: Any) -> OfferRule:
    return OfferRule.objects.replace(OfferRule(**{"who": "ada", "begun_at": timezone.now()} | fields))


def correct(model: ModelVersion, intercept: float, **fields: Any) -> Recalibration:
    window = {"fitted_from": MOMENT, "fitted_until": MOMENT, "sessions": 9, "buyers": 3}
    made: Recalibration = Recalibration.objects.create(model=model, intercept=intercept, **window | fields)
    return made


def test_without_a_rule_there_is_no_answer(champion: ModelVersion) -> None:
    assert answer(visit(3), Past(), at=MOMENT).offer is None


def test_by_profit_the_range_is_that_of_the_offer(champion: ModelVersion) -> None:
    rule(**PROFIT)
    held = serving.champion()
    assert held is not None
    assert held.offer is not None
    assert (held.offer.low, held.offer.high) == Offer(margin=20, cost=5, odds_ratio=2).range() == (0.0, 0.5)
    found = answer(visit(3), Past(), at=MOMENT)
    assert found.probability is not None
    assert found.offer is (found.probability <= 0.5)
    assert [each.offer for each in answers([(visit(3), Past())], at=[MOMENT])] == [found.offer]


def test_an_offer_that_never_pays_is_for_nobody(champion: ModelVersion) -> None:
    rule(**PROFIT | {"cost": 19.0})
    assert answer(visit(3), Past(), at=MOMENT).offer is False


def test_by_best_f1_and_by_precision_it_is_read_off_the_version(champion: ModelVersion) -> None:
    model, plain = load_bundle(champion), Calibration()
    curve = curve_of(model, plain)
    assert curve is not None
    best = range_of(OfferRule(by=OfferBy.BEST_F1), model, plain)
    assert (best.low, best.high) == (model.thresholds.session, 1.0)
    wanted = sorted(curve.precision)[-3]
    sure = range_of(OfferRule(by=OfferBy.PRECISION, precision=wanted), model, plain)
    place = curve.thresholds.index(sure.low)
    assert curve.precision[place] >= wanted
    assert all(precision < wanted for precision in curve.precision[:place])


def test_a_correction_moves_what_is_read_off_the_version(champion: ModelVersion) -> None:
    model, shift = load_bundle(champion), Calibration(1.0, 1.0)
    plain, moved = curve_of(model, Calibration()), curve_of(model, shift)
    assert plain is not None
    assert moved is not None
    wanted = sorted(plain.precision)[-20]
    before, after = (
        range_of(OfferRule(by=OfferBy.PRECISION, precision=wanted), model, each) for each in (Calibration(), shift)
    )
    # With more buyers than before, a lower rank is enough: more sessions are reached for the same precision.
    assert moved.shares[moved.thresholds.index(after.low)] > plain.shares[plain.thresholds.index(before.low)]
    f1 = range_of(OfferRule(by=OfferBy.BEST_F1), model, shift)
    assert f1.low > range_of(OfferRule(by=OfferBy.BEST_F1), model, Calibration()).low


def test_a_precision_that_the_version_never_reached_is_for_nobody(champion: ModelVersion) -> None:
    model = load_bundle(champion)
    assert range_of(OfferRule(by=OfferBy.PRECISION, precision=1.0), model, Calibration(1.0, -9.0)) == NOBODY


def test_a_rule_is_followed_at_the_next_look_and_outlives_the_version(
    champion: ModelVersion, trained: Trained, clock: Clock, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    def offered() -> bool | None:
        clock.now += serving.LOOK_EVERY
        return answer(visit(3), Past(), at=MOMENT).offer

    assert offered() is None
    rule(**PROFIT | {"odds_ratio": 500.0, "cost": 0.0})
    with django_assert_num_queries(4):
        assert offered() is True
    with django_assert_num_queries(1):
        assert offered() is True
    register(twin(trained))
    assert offered() is True
    assert OfferRule.objects.end("session", now=timezone.now())
    assert not OfferRule.objects.end("session", now=timezone.now())
    assert offered() is None


def test_a_template_asks_for_the_offer(champion: ModelVersion, act: Act) -> None:
    page = "{% intent as intent %}{% if intent.offer %}Free delivery{% else %}nothing{% endif %}"
    assert act(lambda request: render(page, request)) == "nothing"
    rule(**PROFIT | {"odds_ratio": 500.0, "cost": 0.0})
    serving.look_again()
    assert act(lambda request: render(page, request)) == "Free delivery"


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param(PROFIT | {"margin": None}, id="by profit without a margin"),
        pytest.param(PROFIT | {"odds_ratio": 0.5}, id="an offer that puts off"),
        pytest.param({"by": OfferBy.PRECISION}, id="by precision without one"),
        pytest.param({"by": OfferBy.PRECISION, "precision": 1.5}, id="a precision above 1"),
    ],
)
def test_the_database_keeps_no_half_rule(fields: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        rule(**fields)
    assert not OfferRule.objects.exists()


def test_one_rule_is_in_force_and_those_before_are_kept() -> None:
    first, second = rule(**PROFIT), rule(by=OfferBy.BEST_F1)
    assert OfferRule.objects.in_force().get() == second
    first.refresh_from_db()
    assert first.ended_at == second.begun_at
    with pytest.raises(IntegrityError), transaction.atomic():
        OfferRule.objects.create(by=OfferBy.BEST_F1, who="ada")


def test_a_version_is_taken_as_it_served(champion: ModelVersion) -> None:
    begun, ended = MOMENT - timedelta(days=2), MOMENT - timedelta(days=1)
    correct(champion, 0.5, slope=2.0, begun_at=begun, ended_at=ended)
    correct(champion, -1.0, begun_at=MOMENT)
    days = np.array([-3.0, -2.0, -1.5, -1.0, 0.0, 4.0])
    moments = (NOON_MS + days * 86_400_000).astype(np.int64)
    log_odds = np.full(6, -3.0)
    said = as_served(champion, log_odds, moments)
    assert said.tolist() == [-3.0, -5.5, -5.5, -3.0, -4.0, -4.0]
    back = without_corrections(said, np.full(6, champion.pk), moments)
    assert back.tolist() == log_odds.tolist()
    assert without_corrections(said, np.full(6, champion.pk + 1), moments).tolist() == said.tolist()
