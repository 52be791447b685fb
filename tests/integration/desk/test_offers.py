"""Offers at the desk: worked out for a version, stored as the shop's rule, taken out of use."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.test import Client

from purchase_intent.insights.offers import NARROW, WIDE, offer_chart
from purchase_intent.insights.ways import rule_words
from purchase_intent.learning import Calibration
from purchase_intent.learning.offers import Offer
from purchase_intent.models import ModelVersion, OfferBy, OfferRule, OfferRuleQuerySet, Recalibration
from purchase_intent.scoring.bundles import load_bundle
from purchase_intent.scoring.offering import curve_of
from tests.integration.desk.conftest import Clerk
from tests.integration.desk.things import BEGIN, version
from tests.trained import Trained, register

pytestmark = pytest.mark.django_db

LIST = "/admin/purchase_intent/modelversion/"
DESCRIBED = {"margin": "20", "cost": "5", "uplift": "100", "contact": "0.2", "precision": "20"}

RANGE = "2.1% to 47%"


def words(client: Client, path: str, **given: str) -> str:
    page = client.get(path, given)
    assert page.status_code == 200
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.content.decode()))


def address(model: ModelVersion) -> str:
    return f"{LIST}{model.pk}/offer/"


def test_nothing_is_worked_out_before_the_offer_is_described(desk: Client, champion: ModelVersion) -> None:
    said = words(desk, address(champion))
    assert "Describe the offer to see whom it pays for." in said
    assert "Expected profit margin, cost and uplift not described yet" in said
    assert "Best F1 precision and recall in balance scores from" in said
    assert "No offer is in use, because no rule is stored" in said
    assert "What it earns, by score" not in said


def test_an_offer_is_worked_out_with_its_chart_and_table(desk: Client, champion: ModelVersion) -> None:
    curve = curve_of(load_bundle(champion), Calibration())
    assert curve is not None
    reach = curve.reach(Offer(margin=20, cost=5, odds_ratio=2, contact=0.2))
    assert reach is not None
    said = words(desk, address(champion), **DESCRIBED)
    assert (
        f"It pays for scores from {RANGE}: {reach.share * 100:.0f}% of the sessions, {reach.profit:.2f} EUR for every"
        in said
    )
    assert "Precision 20% are to buy scores from" in said
    assert "What the offer earns by score" in said
    assert said.count(" yes ") > 0 < said.count(" no ")
    assert not OfferRule.objects.exists()


@pytest.mark.parametrize(
    ("given", "told"),
    [
        pytest.param({"cost": "19"}, "It pays for nobody: what it moves is worth less", id="it never pays"),
        pytest.param({"margin": "-1"}, "greater than or equal to 0", id="a negative margin"),
        pytest.param({"uplift": "much"}, "Enter a number.", id="no number"),
        pytest.param({"precision": "101"}, "less than or equal to 100", id="a precision above all"),
        pytest.param({"precision": "100"}, "nobody: at most", id="a precision never reached"),
    ],
)
def test_what_cannot_be_is_said(desk: Client, champion: ModelVersion, given: dict[str, str], told: str) -> None:
    if "nobody: at most" in told:
        Recalibration.objects.create(
            model=champion, intercept=-3, fitted_from=BEGIN, fitted_until=BEGIN, sessions=9, buyers=3
        )
    assert told in words(desk, address(champion), **DESCRIBED | given)


def test_a_rule_is_stored_shown_and_taken_out_of_use(desk: Client, champion: ModelVersion) -> None:
    page = desk.post(address(champion), DESCRIBED | {"by": "profit"}, follow=True).content.decode()
    assert f"The offer is now for scores from {RANGE}, by expected profit" in page
    rule = OfferRule.objects.in_force().get()
    assert (rule.by, rule.margin, rule.cost, rule.contact, rule.odds_ratio) == ("profit", 20.0, 5.0, 0.2, 2.0)
    assert rule_words(rule) == "expected profit: 20.00 EUR margin, 5.00 EUR cost, 100% uplift, 0.20 EUR for showing it"
    said = words(desk, address(champion))
    assert "stored by desk, by expected profit: 20.00 EUR margin" in said
    assert f"It pays for scores from {RANGE}" in said, "the form is filled with what is in use"
    desk.post(address(champion), DESCRIBED | {"by": "precision"})
    assert OfferRule.objects.in_force().get().precision == 0.2
    desk.post(address(champion), {"by": "best_f1"})
    assert OfferRule.objects.in_force().get().by == OfferBy.BEST_F1
    gone = desk.post(address(champion), {"by": "none"}, follow=True).content.decode()
    assert "The offer is out of use" in gone
    assert not OfferRule.objects.in_force().exists()
    assert OfferRule.objects.count() == 3
    assert "No offer was in use." in desk.post(address(champion), {"by": "none"}, follow=True).content.decode()


@pytest.mark.parametrize(
    ("given", "told"),
    [
        pytest.param({"by": "profit"}, "the offer is not described yet", id="not described"),
        pytest.param(DESCRIBED | {"by": "profit", "uplift": "-5"}, "out of range", id="out of range"),
        pytest.param(DESCRIBED | {"by": "profit", "cost": "20"}, "this offer would be for nobody", id="for nobody"),
        pytest.param({"by": "chance"}, "the offer is not described yet", id="no such way"),
    ],
)
def test_half_a_rule_is_not_stored(desk: Client, champion: ModelVersion, given: dict[str, str], told: str) -> None:
    assert told in desk.post(address(champion), given, follow=True).content.decode()
    assert not OfferRule.objects.exists()


def test_of_two_who_store_at_once_the_second_is_told(
    desk: Client, champion: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = OfferRule.objects.create(by=OfferBy.BEST_F1, who="ada")
    # As the second sees it: what the first has stored is not there yet to be ended.
    monkeypatch.setattr(OfferRuleQuerySet, "end", lambda *_, **__: False)
    page = desk.post(address(champion), DESCRIBED | {"by": "profit"}, follow=True).content.decode()
    assert "somebody stored another rule at the same moment" in page
    assert OfferRule.objects.get() == first


def test_a_rule_is_stored_on_the_page_of_what_serves_alone(
    desk: Client, champion: ModelVersion, trained: Trained
) -> None:
    other = register(trained.bundle, promote=False)
    assert f"on the page of model {champion.pk}" in words(desk, address(other))
    assert desk.post(address(other), {"by": "best_f1"}).status_code == 403
    assert not OfferRule.objects.exists()


def test_who_may_only_look_cannot_store(clerk: Clerk, champion: ModelVersion) -> None:
    client = clerk("view_modelversion")
    assert "Use it" not in client.get(address(champion), DESCRIBED).content.decode()
    assert client.post(address(champion), {"by": "best_f1"}).status_code == 403
    assert not OfferRule.objects.exists()


def test_who_may_not_look_sees_nothing(clerk: Clerk, champion: ModelVersion) -> None:
    assert clerk("view_session").get(address(champion)).status_code == 403


def test_a_model_without_a_bundle_says_why(desk: Client, bundle_folder: Path) -> None:
    assert "cannot be read from the storage" in words(desk, address(version()), **DESCRIBED)
    refused = version(status="refused", bundle="")
    assert "was refused or has no bundle" in words(desk, address(refused))
    assert desk.get(f"{LIST}99/offer/").status_code == 404


def test_the_line_is_cut_where_the_axis_ends(champion: ModelVersion) -> None:
    curve = curve_of(load_bundle(champion), Calibration())
    assert curve is not None
    for box in (WIDE, NARROW):
        chart = offer_chart(Offer(margin=20, cost=15, odds_ratio=8), curve, box)
        assert chart is not None
        heights = [float(pair.split()[1]) for pair in chart.line[1:].split("L")]
        assert box.top <= min(heights) <= max(heights) <= box.bottom
        assert box.left <= chart.begin < chart.end <= box.right
        assert all(bar.y + bar.height == pytest.approx(box.floor, abs=0.11) for bar in chart.bars)
