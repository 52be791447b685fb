"""The nightly watch: one report a day, its verdict, and when it asks for a training."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction

from purchase_intent import tasks
from purchase_intent.learning.offers import Offer
from purchase_intent.models import (
    Health,
    ModelVersion,
    OfferBy,
    OfferRule,
    Recalibration,
    Refusal,
    RunState,
    Score,
    TrainingRun,
    WatchReport,
    Why,
)
from purchase_intent.signals import drift_found
from purchase_intent.watch.triggers import reason_to_train
from purchase_intent.watch.watching import day_over, watch
from tests.integration.desk.things import version
from tests.integration.watch.conftest import END, NOW, Fill

pytestmark = pytest.mark.django_db

DAY = date(2026, 3, 30)


@pytest.fixture
def heard() -> Iterator[list[WatchReport]]:
    """The reports that `drift_found` was sent with."""
    found: list[WatchReport] = []

    def hear(sender: object, report: WatchReport, **kwargs: object) -> None:
        found.append(report)

    drift_found.connect(hear)
    yield found
    drift_found.disconnect(hear)


def drifted(*names: str, top: bool = True) -> dict[str, Any]:
    """The figures of a report in which columns have drifted."""
    columns = [
        {"name": name, "meaning": f"Meaning of {name}", "band": "drifted", "top": top, "psi": 0.4} for name in names
    ]
    return {"drift": {"columns": columns, "reason": ""}, "performance": {}, "recalibration": {}}


def off(ratio: float, low: float, high: float) -> dict[str, Any]:
    """The figures of a report in which buyers and promised buyers differ."""
    return {"recalibration": {"ratio_now": ratio, "ratio_now_interval": [low, high]}}


def reports(model: ModelVersion, *figures: dict[str, Any]) -> WatchReport:
    """Reports of days in a row, the last on DAY; that one."""
    made = [
        WatchReport.objects.create(day=DAY - timedelta(days=len(figures) - 1 - place), model=model, figures=each)
        for place, each in enumerate(figures)
    ]
    return made[-1]


def test_without_a_model_the_events_are_checked_all_the_same(fill: Fill) -> None:
    fill(20)
    report = watch(NOW)
    assert (report.day, report.model, report.quality) == (DAY, None, 100.0)
    assert report.health == Health.EARLY
    assert report.said[0] == "No model serves yet, so there is no score to watch."
    assert "Events passed 100% of the checks." in report.said


def test_few_sessions_and_few_buyers_are_said(champion: ModelVersion, fill: Fill) -> None:
    fill(20)
    report = watch(NOW)
    assert report.health == Health.EARLY
    assert report.figures["drift"]["reason"] == "Too few sessions yet: 20 of 200."
    assert "Drift cannot be said yet. Too few sessions yet: 20 of 200." in report.said
    assert any(said.startswith("How scores have come true cannot be said yet. Too few buyers") for said in report.said)


def test_traffic_unlike_the_training_has_drifted(champion: ModelVersion, fill: Fill, heard: list[WatchReport]) -> None:
    fill(220)
    report = watch(NOW)
    columns = report.figures["drift"]["columns"]
    assert columns[0]["name"] == "score"
    assert report.figures["drift"]["drifted"] > 50
    assert sum(column["top"] for column in columns) == 10
    assert sum(column["weight"] for column in columns) == pytest.approx(1, abs=0.01)
    assert report.has_drifted
    assert heard == [report]
    assert report.run is None
    kind = next(column for column in columns if column["name"] == "kind")
    assert (kind["band"], kind["meaning"]) == ("drifted", "What the latest event was")


def test_a_day_is_reported_once_unless_asked_again(
    champion: ModelVersion, fill: Fill, heard: list[WatchReport]
) -> None:
    fill(20)
    first = watch(NOW)
    fill(20, prefix="more")
    assert watch(NOW + timedelta(hours=1)) == first
    assert WatchReport.objects.get().figures["drift"]["sessions"] == 20
    again = watch(NOW + timedelta(hours=2), again=True)
    assert (again.pk, WatchReport.objects.get().figures["drift"]["sessions"]) == (first.pk, 40)
    assert heard == []
    with pytest.raises(IntegrityError), transaction.atomic():
        WatchReport.objects.create(day=DAY)


def test_scores_are_judged_and_corrected(champion: ModelVersion, judge: Callable[..., None]) -> None:
    judge(champion, shift=0.8)
    report = watch(NOW)
    performance = report.figures["performance"]
    assert performance["live"]["sessions"] == 1500
    assert performance["live"]["ratio"] > 1.3
    assert report.figures["recalibration"]["applied"] == Recalibration.objects.get().pk
    assert report.figures["recalibration"]["ratio_now"] == pytest.approx(1, abs=0.1)
    assert any("Scores were corrected from recent outcomes: 2." in said for said in report.said)
    assert "Scores hold" in " ".join(report.said)


def test_a_challenger_is_corrected_from_its_own_scores(champion: ModelVersion, judge: Callable[..., None]) -> None:
    challenger = version(status="challenger", bundle="other.zip")
    judge(challenger, shift=0.8)
    Score.objects.update(shadow=True)
    report = watch(NOW)
    found = report.figures["recalibration"]
    correction = Recalibration.objects.get()
    assert correction.model == challenger
    assert correction.intercept == pytest.approx(0.8, abs=0.2)
    assert (found["applied"], found["challenger"]) == (
        None,
        {"model": challenger.pk, "reason": "", "applied": correction.pk},
    )
    assert report.figures["performance"]["live"]["scores"] == 0


def test_how_the_offer_hits_is_judged_by_the_rule_in_force(champion: ModelVersion, judge: Callable[..., None]) -> None:
    OfferRule.objects.create(by=OfferBy.PROFIT, margin=20, cost=5, contact=0.5, odds_ratio=2, who="ada")
    judge(champion)
    found = watch(NOW).figures["performance"]["offer"]
    low, high = Offer(margin=20, cost=5, contact=0.5, odds_ratio=2).range() or (0, 0)
    reached = Score.objects.filter(probability__gte=low, probability__lte=high)
    assert (found["by"], found["from"], found["to"]) == ("profit", round(low, 6), round(high, 6))
    assert found["sessions"] == reached.values("session").distinct().count() > 0
    assert found["bought"] == reached.filter(came_true=True).values("session").distinct().count()
    assert found["precision"] == round(found["bought"] / found["sessions"], 5)
    assert found["low"] < found["precision"] < found["high"]
    assert found["expected"] == pytest.approx(found["bought"], rel=0.3)


def test_an_offer_for_nobody_has_no_precision(champion: ModelVersion, judge: Callable[..., None]) -> None:
    OfferRule.objects.create(by=OfferBy.PROFIT, margin=20, cost=20, contact=0, odds_ratio=2, who="ada")
    judge(champion, sessions=60)
    found = watch(NOW).figures["performance"]["offer"]
    assert (found["from"], found["to"], found["sessions"], found["precision"]) == (None, None, 0, None)


def test_a_damaged_bundle_is_said(champion: ModelVersion) -> None:
    ModelVersion.objects.update(bundle="gone.zip")
    report = watch(NOW)
    assert report.said[0].startswith(f"Model {champion.pk} cannot serve: The bundle of model")


@pytest.mark.parametrize(
    ("figures", "reason"),
    [
        pytest.param(
            [drifted("score", "views")] * 3, "Drifted for 3 days: Meaning of score; Meaning of views.", id="3 days"
        ),
        pytest.param([drifted("score"), drifted("views"), drifted("score")], "", id="not the same column"),
        pytest.param([drifted("score")] * 2, "", id="2 days"),
        pytest.param([drifted("views", top=False)] * 3, "", id="a light feature"),
        pytest.param(
            [off(1.6, 1.3, 2.0)] * 3,
            "Scores have been out of line with outcomes for 3 days, and no correction has mended it.",
            id="calibration",
        ),
        pytest.param([off(1.6, 0.9, 2.3)] * 3, "", id="within chance"),
        pytest.param([off(1.1, 1.05, 1.15)] * 3, "", id="good enough"),
        pytest.param(
            [{"performance": {"live": {"auc_interval": [0.7, 0.8]}, "promised": {"auc": 0.86}}}] * 3,
            "Scores have told buyers apart worse than in training for 3 days.",
            id="ranking",
        ),
        pytest.param(
            [{"performance": {"live": {"auc_interval": [0.7, 0.82]}, "promised": {"auc": 0.86}}}] * 3, "", id="near"
        ),
    ],
)
def test_what_lasts_is_a_reason_to_train(figures: list[dict[str, Any]], reason: str) -> None:
    assert reason_to_train(reports(version(), *figures), now=NOW) == reason


@pytest.mark.parametrize(
    ("ago", "state", "due"),
    [
        pytest.param(timedelta(days=2), RunState.REGISTERED, False, id="trained two days ago"),
        pytest.param(timedelta(days=8), RunState.REGISTERED, True, id="trained eight days ago"),
        pytest.param(timedelta(days=2), RunState.REFUSED, False, id="refused two days ago"),
        pytest.param(timedelta(days=2), RunState.LOST, True, id="lost two days ago"),
    ],
)
def test_after_a_training_there_is_a_pause(ago: timedelta, state: RunState, due: bool) -> None:
    TrainingRun.objects.create(asked_at=NOW - ago, state=state)
    assert bool(reason_to_train(reports(version(), *[drifted("score")] * 3), now=NOW)) is due


def test_drift_of_another_champion_does_not_count() -> None:
    reports(version(), drifted("score"), drifted("score"))
    WatchReport.objects.update(day=DAY - timedelta(days=1)) if WatchReport.objects.count() == 1 else None
    last = WatchReport.objects.create(day=DAY + timedelta(days=1), model=version(), figures=drifted("score"))
    assert reason_to_train(last, now=NOW) == ""


def test_the_watch_asks_for_one_training_a_day_with_its_reason(
    champion: ModelVersion, fill: Fill, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(220)
    first = watch(NOW - timedelta(days=2), day=DAY)
    for back in (1, 2):
        WatchReport.objects.create(day=DAY - timedelta(days=back), model=champion, figures=first.figures)
    report = watch(NOW, again=True)
    run = TrainingRun.objects.get()
    assert report.run == run
    assert (run.why, run.day, run.state) == (Why.DRIFT, DAY, RunState.ASKED)
    assert run.reason.startswith("Drifted for 3 days: ")
    assert report.said[0] == f"A training was asked for. {run.reason}"
    assert report.health == Health.ACT
    assert watch(NOW, again=True).run is None
    assert TrainingRun.objects.count() == 1
    assert TrainingRun.objects.ask_once(DAY, horizon="session", reason="again", now=NOW) is None


def test_the_task_begins_what_is_due_once(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[int] = []
    run = TrainingRun.objects.create(why=Why.DRIFT)

    def found(now: Any, *, horizon: str) -> WatchReport:
        assert horizon == "session"
        return WatchReport(day=DAY, made_at=now, run=run, health=Health.ACT)

    monkeypatch.setattr("purchase_intent.watch.watching.watch", found)
    monkeypatch.setattr(tasks, "train_now", lambda key, horizon: begun.append(key))
    assert tasks.watch() == "2026-03-30, this session: act"
    assert begun == [run.pk]
    earlier = WatchReport(day=DAY, made_at=NOW, run=run, health=Health.ACT)
    monkeypatch.setattr("purchase_intent.watch.watching.watch", lambda now, horizon: earlier)
    tasks.watch()
    assert begun == [run.pk]


def test_runs_that_never_ended_are_given_up_and_old_refusals_deleted() -> None:
    lost = TrainingRun.objects.create(asked_at=NOW - timedelta(hours=13), state=RunState.RUNNING)
    young = TrainingRun.objects.create(asked_at=NOW - timedelta(hours=1))
    Refusal.objects.create(moment=NOW - timedelta(days=91), reason="bad_price")
    kept = Refusal.objects.create(moment=NOW - timedelta(days=89), reason="bad_price")
    watch(NOW)
    lost.refresh_from_db()
    young.refresh_from_db()
    assert (lost.state, young.state) == (RunState.LOST, RunState.ASKED)
    assert Refusal.objects.get() == kept


def test_the_command_prints_the_report() -> None:
    out = StringIO()
    call_command("intent_watch", "--day", "2026-03-30", stdout=out)
    assert "2026-03-30, this session: too early to say." in out.getvalue()
    assert "- No model serves yet, so there is no score to watch." in out.getvalue()
    with pytest.raises(CommandError, match="is not over yet"):
        call_command("intent_watch", "--day", "2199-01-01", stdout=out)
    assert WatchReport.objects.count() == 1


def test_yesterday_is_the_day_that_is_over() -> None:
    assert day_over(NOW) == DAY
    assert day_over(END - timedelta(seconds=1)) == date(2026, 3, 29)
