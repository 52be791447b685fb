"""The watch over the scores of customers: judged when their seven days are over, and drift as of the coming night."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from io import StringIO

import numpy as np
import pytest
from django.core.management import call_command
from django.test import Client
from scipy.special import expit, logit

from purchase_intent import tasks
from purchase_intent.learning import Calibration
from purchase_intent.models import Horizon, ModelVersion, Recalibration, Score, TrainingRun, Visitor, WatchReport
from purchase_intent.watch.customers import asked_about
from purchase_intent.watch.recalibrating import propose
from purchase_intent.watch.scores import Judged, judged_scores
from purchase_intent.watch.watching import horizons_watched, watch
from tests.integration.watch.conftest import END, NOW, Fill
from tests.trained import Trained, register

pytestmark = pytest.mark.django_db

WEEK = timedelta(days=7)
PAGE = "/admin/purchase_intent/watchreport/"


@pytest.fixture
def weekly(trained: Trained, champion: ModelVersion) -> ModelVersion:
    """A champion of the week, beside that of the session."""
    version = register(trained.bundle, promote=False)
    version.horizon = Horizon.WEEK
    version.save()
    version.promote()
    return version


def judge(version: ModelVersion, *, customers: int = 600, shift: float = 0.0) -> None:
    """Each customer scored on every night of four weeks, the same each time; whether it buys is one draw for all."""
    rng = np.random.default_rng(5)
    said = expit(rng.normal(-2.2, 1.3, customers))
    bought = rng.random(customers) < expit(logit(said) + shift)
    owners = Visitor.objects.bulk_create(Visitor(cookie=f"c{place}", first_seen=END) for place in range(customers))
    Score.objects.bulk_create(
        Score(
            visitor=owner,
            model=version,
            probability=float(chance),
            moment=END - timedelta(days=ago),
            came_true=bool(true),
        )
        for ago in range(1, 36)
        for owner, chance, true in zip(owners, said, bought, strict=True)
    )


def test_a_report_is_made_of_each_horizon_that_a_model_serves(
    champion: ModelVersion, weekly: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("purchase_intent.tasks.timezone.now", lambda: NOW)
    assert horizons_watched() == ["session", "week"]
    assert tasks.watch() == "2026-03-30, this session: early; 2026-03-30, the next seven days: early"
    assert set(WatchReport.objects.values_list("horizon", "model")) == {("session", champion.pk), ("week", weekly.pk)}
    out = StringIO()
    call_command("intent_watch", "--horizon", "week", "--day", "2026-03-30", stdout=out)
    assert out.getvalue().startswith("2026-03-30, the next seven days: too early to say.")


def test_without_a_model_of_the_week_there_is_no_report_of_it(champion: ModelVersion) -> None:
    assert horizons_watched() == ["session"]


def test_only_scores_of_customers_by_models_of_the_week_count(champion: ModelVersion, weekly: ModelVersion) -> None:
    judge(weekly, customers=30)
    owner = Visitor.objects.get(cookie="c0")
    Score.objects.create(visitor=owner, model=champion, probability=0.2, moment=END - 8 * WEEK / 7, came_true=True)
    found = judged_scores(END - 5 * WEEK, END - WEEK, horizon=Horizon.WEEK)
    assert (len(found), found.session_count, found.of) == (28 * 30, 30, "customers")
    assert set(found.models.tolist()) == {weekly.pk}
    Visitor.objects.filter(pk=owner.pk).update(bot="crawler")
    assert judged_scores(END - 5 * WEEK, END - WEEK, horizon=Horizon.WEEK).session_count == 29


def test_scores_that_are_off_are_corrected_by_what_came_true(weekly: ModelVersion) -> None:
    judge(weekly, shift=1.2)
    report = watch(NOW, horizon=Horizon.WEEK)
    live = report.figures["performance"]["live"]
    assert (live["sessions"], live["scores"]) == (600, 600 * 28)
    assert live["ratio"] > 1.5
    applied = Recalibration.objects.in_force().get()
    assert applied.model == weekly
    assert 0.8 < applied.intercept < 1.6
    assert report.figures["recalibration"]["ratio_now"] == pytest.approx(1, abs=0.2)
    assert any(said.startswith("Scores were corrected from recent outcomes") for said in report.said)
    assert not any("Events passed" in said or "check of the events" in said for said in report.said)
    assert (report.quality, report.figures["quality"]) == (None, {})


def test_no_outcome_that_a_correction_is_fitted_on_reaches_into_the_nights_it_is_judged_on() -> None:
    """From the 13th of 28 nights on twice as many buy: who looks seven days ahead from the 12th at most cannot know."""
    rng = np.random.default_rng(2)
    night = np.repeat(np.arange(28), 400)
    odds = rng.normal(-2, 1, len(night))
    came = rng.random(len(night)) < expit(odds + np.where(night > 12, 1.5, 0.0))
    scores = Judged(
        said=odds,
        raw=odds,
        labels=came.astype(np.uint8),
        sessions=np.tile(np.arange(400), 28),
        models=np.ones(len(night), np.int64),
        moments=night * 86_400_000,
        bands=np.full(len(night), "top_20"),
        of="customers",
    )
    at_once = replace(scores, sessions=np.arange(len(night)))
    assert propose(at_once, present=Calibration(), seed=1).shift is not None
    apart = propose(scores, present=Calibration(), seed=1, reach=WEEK)
    assert (apart.shift, apart.reason.split(":")[0]) == (None, "The scores fit recent outcomes")
    begun = propose(scores.take(night < 7), present=Calibration(), seed=1, reach=WEEK)
    assert (begun.shift, begun.reason) == (
        None,
        "Too early to correct the scores: customers of too few days are judged yet.",
    )


def test_scores_that_hold_are_left_alone(weekly: ModelVersion) -> None:
    judge(weekly)
    report = watch(NOW, horizon=Horizon.WEEK)
    assert report.figures["performance"]["live"]["ratio"] == pytest.approx(1, abs=0.25)
    assert not Recalibration.objects.exists()


def test_too_few_are_said_to_be_customers(weekly: ModelVersion, fill: Fill) -> None:
    fill(20)
    report = watch(NOW, horizon=Horizon.WEEK)
    assert report.figures["drift"]["reason"] == "Too few customers yet: 1 of 200."
    assert any("Too few buyers yet: 0 of the 20 buying customers that a figure needs." in said for said in report.said)


def test_customers_are_looked_at_as_the_coming_night_asks_about_them(weekly: ModelVersion, fill: Fill) -> None:
    for place in range(3):
        fill(1, prefix=f"v{place}", ago=timedelta(days=place, hours=2))
    fill(1, prefix="late", ago=timedelta(hours=-1))
    Visitor.objects.filter(cookie="v2-visitor").update(joined=True)
    Visitor.objects.update(first_seen=END - WEEK, last_seen=END - timedelta(hours=2))
    live = asked_about(END)
    keys = dict(Visitor.objects.values_list("pk", "cookie"))
    assert sorted(keys[key] for key in live.sessions.tolist()) == ["late-visitor", "v0-visitor", "v1-visitor"]
    assert set(live.moments.tolist()) == {int((END + timedelta(hours=3)).timestamp() * 1000)}
    assert live.texts == {"device": {}, "channel": {}, "country": {}}
    assert len(asked_about(END, most=1).sessions) <= 2


def test_the_desk_tells_customers_from_sessions(weekly: ModelVersion, admin_client: Client) -> None:
    judge(weekly)
    report = watch(NOW, horizon=Horizon.WEEK)
    page = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", admin_client.get(f"{PAGE}?horizon=week").content.decode()))
    assert "600 customers of 28 days" in page
    assert "share of customers that buy" in page
    assert "Can the events be believed?" not in page
    assert "No report yet" in admin_client.get(PAGE).content.decode()
    assert f"{PAGE}?horizon=week" in admin_client.get(PAGE).content.decode()
    one = admin_client.get(f"{PAGE}{report.pk}/change/").content.decode()
    assert "customers, within 7 days" in one


def test_a_training_asked_for_there_is_of_the_week(
    weekly: ModelVersion, admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = []
    health = "purchase_intent.admin.models.health.train_now"
    monkeypatch.setattr(health, lambda run, horizon: begun.append((run, horizon)))
    done = admin_client.post(f"{PAGE}train/", {"horizon": "week"})
    run = TrainingRun.objects.get()
    assert (run.horizon, begun) == ("week", [(run.pk, "week")])
    assert done["Location"] == f"{PAGE}?horizon=week"
