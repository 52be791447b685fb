"""Live performance, corrections of the scores, and the back-test."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.utils import timezone
from scipy.special import logit

from purchase_intent.features.state import Past
from purchase_intent.learning import Calibration, auc
from purchase_intent.models import ModelVersion, Recalibration, Score, Visitor
from purchase_intent.scoring import serving
from purchase_intent.scoring.bundles import load_bundle
from purchase_intent.scoring.corrections import in_force_of
from purchase_intent.scoring.score import answer
from purchase_intent.watch.backtest import backtest
from purchase_intent.watch.performance import figures_by_day, live_figures, ratio_now
from purchase_intent.watch.recalibrating import recalibrate
from purchase_intent.watch.replay import replayed
from purchase_intent.watch.scores import Judged, judged_scores
from purchase_intent.watch.triggers import calibration_is_off
from tests.integration.desk.things import version
from tests.integration.scoring.visits import NOON_MS, visit
from tests.integration.watch.conftest import END, NOW, Fill

pytestmark = pytest.mark.django_db

Judge = Callable[..., None]
BEGIN = END - timedelta(days=28)


def test_figures_of_scores_that_hold(judge: Judge) -> None:
    judge(version())
    scores = judged_scores(BEGIN, END)
    found = live_figures(scores, seed=1)
    assert found["reason"] == ""
    assert found["sessions"] == 1500
    assert found["auc"] == round(auc(scores.labels, scores.said), 5)
    assert found["auc_interval"][0] < found["auc"] < found["auc_interval"][1]
    assert found["ratio_interval"][0] < 1 < found["ratio_interval"][1]
    assert found["slope_interval"][0] < 1 < found["slope_interval"][1]
    assert len(found["reliability"]) == 10
    assert sum(row["sessions"] for row in found["reliability"]) == pytest.approx(1500, abs=0.01)
    assert [found["bands"][name]["sessions"] for name in ("top_1", "top_5", "top_20")] == [15, 75, 300]
    top = found["bands"]["top_5"]
    assert top["low"] < top["precision"] == round(top["bought"] / 75, 5) < top["high"]


def test_a_session_weighs_once_however_often_it_was_scored(judge: Judge) -> None:
    judge(version(), sessions=300)
    scores = judged_scores(BEGIN, END)
    loser = int(scores.sessions[scores.labels == 0][0])
    often = scores.take(
        np.concatenate([np.arange(len(scores)), np.repeat(np.flatnonzero(scores.sessions == loser), 99)])
    )
    once, again = (live_figures(each, seed=1) for each in (scores, often))
    assert again["scores"] > once["scores"] + 90
    figures = ("sessions", "auc", "average_precision", "base_rate")
    assert [again[name] for name in figures] == [once[name] for name in figures]


def test_many_who_leave_at_once_do_not_make_scores_that_are_right_at_every_moment_seem_off() -> None:
    """400 leave after the first page, 100 stay for sixteen, half of these buy: a tenth at first, then one in two."""
    lengths = np.repeat([1, 16], [400, 100])
    sessions = np.repeat(np.arange(500), lengths)
    firsts = np.concatenate([[True], sessions[1:] != sessions[:-1]])
    said = logit(np.where(firsts, 0.1, 0.5))
    rows = len(sessions)
    scores = Judged(
        said=said,
        raw=said,
        labels=(sessions >= 450).astype(np.uint8),
        sessions=sessions,
        models=np.ones(rows, np.int64),
        moments=np.arange(rows),
        bands=np.full(rows, ""),
    )
    now = ratio_now(scores, Calibration(), seed=1)
    promised = 400 * 0.1 + 100 * (0.1 + 15 * 0.5) / 4
    assert live_figures(scores, seed=1)["ratio"] == now["ratio_now"] == round(50 * 16 / 4 / promised, 5)
    assert not calibration_is_off({"recalibration": now})


def test_too_few_buyers_are_a_reason_and_no_number(judge: Judge) -> None:
    judge(version(), sessions=60)
    found = live_figures(judged_scores(BEGIN, END), seed=1)
    assert found["reason"] == f"Too few buyers yet: {found['buyers']} of the 20 buying sessions that a figure needs."
    assert "auc" not in found


def test_figures_by_day_and_version(judge: Judge) -> None:
    first, second = version(), version()
    judge(first, sessions=400, days=2)
    judge(second, sessions=30, days=2, seed=3)
    rows = figures_by_day(judged_scores(BEGIN, END), ZoneInfo("UTC"))
    assert [(row["day"], row["model"]) for row in rows] == [
        ("2026-03-29", first.pk),
        ("2026-03-29", second.pk),
        ("2026-03-30", first.pk),
        ("2026-03-30", second.pk),
    ]
    assert "auc" in rows[0]
    assert "auc" not in rows[1]


def test_bots_waiting_scores_and_other_days_are_left_out(judge: Judge) -> None:
    judge(version(), sessions=50)
    Score.objects.filter(pk__in=Score.objects.values("pk")[:10]).update(came_true=None)
    assert len(judged_scores(BEGIN, END)) == 40
    assert len(judged_scores(END, NOW)) == 0
    Visitor.objects.update(bot="crawler")
    assert len(judged_scores(BEGIN, END)) == 0


def test_of_many_scores_whole_sessions_are_taken(judge: Judge) -> None:
    judge(version(), sessions=400)
    assert len(judged_scores(BEGIN, END, most=100)) == 100


def test_a_shift_of_the_base_rate_is_corrected_and_then_left(judge: Judge) -> None:
    served = version()
    judge(served, shift=0.8)
    scores = judged_scores(BEGIN, END)
    applied, proposal = recalibrate(served, scores, now=NOW, seed=1)
    assert applied is not None
    assert (applied.slope, Recalibration.objects.in_force().get()) == (1.0, applied)
    assert applied.intercept == pytest.approx(0.8, abs=0.2)
    assert proposal.figures["log_loss_shift"] < proposal.figures["log_loss_before"]
    again, kept = recalibrate(served, scores, now=NOW + timedelta(days=1), seed=1)
    assert (again, kept.reason[:35]) == (None, "The scores fit recent outcomes: no ")


@pytest.mark.parametrize(
    ("sessions", "shift", "said"),
    [
        pytest.param(1500, 0.0, "no correction would make later ones likelier", id="nothing to correct"),
        pytest.param(100, 1.0, "Too few buyers yet to correct", id="too few"),
    ],
)
def test_what_does_not_earn_its_place_is_not_applied(judge: Judge, sessions: int, shift: float, said: str) -> None:
    served = version()
    judge(served, sessions=sessions, shift=shift)
    applied, proposal = recalibrate(served, judged_scores(BEGIN, END), now=NOW, seed=1)
    assert (applied, Recalibration.objects.count()) == (None, 0)
    assert said in proposal.reason


def test_what_was_undone_by_hand_is_left_alone_for_four_weeks(judge: Judge) -> None:
    served = version()
    judge(served, shift=0.8)
    scores = judged_scores(BEGIN, END)
    applied, _ = recalibrate(served, scores, now=NOW - timedelta(days=1), seed=1)
    assert applied is not None
    assert applied.undo(NOW)
    assert not applied.undo(NOW)
    assert in_force_of(served) == Calibration()
    again, proposal = recalibrate(served, scores, now=NOW + timedelta(days=27), seed=1)
    assert (again, proposal.reason) == (None, "A correction was undone by hand within four weeks: none is tried.")
    assert recalibrate(served, scores, now=NOW + timedelta(days=29), seed=1)[0] is not None


def test_scores_given_under_a_correction_are_taken_back_to_the_models_own(judge: Judge) -> None:
    served = version()
    judge(served, sessions=100)
    Recalibration.objects.create(
        model=served,
        slope=0.5,
        intercept=-1.0,
        fitted_from=BEGIN,
        fitted_until=END,
        sessions=1,
        buyers=1,
        begun_at=END - timedelta(days=14),
        ended_at=END - timedelta(days=7),
    )
    scores = judged_scores(BEGIN, END)
    days = (END.timestamp() * 1000 - scores.moments) / 86_400_000
    under = (days > 7) & (days <= 14)
    assert 0 < under.sum() < 100
    assert scores.raw[~under].tolist() == scores.said[~under].tolist()
    assert scores.raw[under] == pytest.approx((scores.said[under] + 1) / 0.5)


def test_a_version_has_one_correction_in_force() -> None:
    served = version()
    row: dict[str, Any] = {"model": served, "fitted_from": BEGIN, "fitted_until": END, "sessions": 1, "buyers": 1}
    Recalibration.objects.create(intercept=0.1, **row)
    with pytest.raises(IntegrityError), transaction.atomic():
        Recalibration.objects.create(intercept=0.2, **row)


def test_a_correction_is_served_and_taken_back(champion: ModelVersion) -> None:
    moment = datetime.fromtimestamp(NOON_MS / 1000, tz=UTC)

    def said() -> tuple[Any, ...]:
        serving.look_again()
        found = answer(visit(3), Past(), at=moment)
        return found.probability, found.band, found.recalibration

    plain, band, none = said()
    assert none is None
    assert plain is not None
    correction = Recalibration.objects.create(
        model=champion, intercept=1.0, fitted_from=BEGIN, fitted_until=END, sessions=9, buyers=3
    )
    odds = plain / (1 - plain) * math.e
    assert said() == (pytest.approx(odds / (1 + odds)), band, correction.pk)
    correction.undo(timezone.now())
    assert said() == (plain, band, None)


def test_the_back_test_tells_its_own_scores_again(champion: ModelVersion, fill: Fill) -> None:
    sessions = fill(20, bought=8)
    live = replayed([session.pk for session in sessions])
    chances = load_bundle(champion).predict(live.vectors)
    other = version(bundle="other.zip")
    for row in range(len(live.labels)):
        moment = END - timedelta(milliseconds=END.timestamp() * 1000 - int(live.moments[row]))
        own = row % 2 == 0
        Score.objects.create(
            session_id=int(live.sessions[row]),
            model=champion if own else other,
            probability=float(chances[row]) if own else 0.5,
            moment=moment,
            came_true=bool(live.labels[row]),
        )
    Score.objects.filter(pk=Score.objects.filter(model=champion).order_by("pk")[0].pk).update(probability=0.9)
    found = backtest(champion, BEGIN, END, most=100)
    assert (found["sessions"], found["buyers"], found["points"]) == (20, 8, 92)
    assert found["recorded"]["points"] == 92
    assert found["recorded"]["versions"] == [champion.pk, other.pk]
    assert found["all"] == found["recorded"]["again"]
    assert found["same_version"]["scores"] == 46
    assert found["same_version"]["same"] == 45
    assert found["same_version"]["largest_difference"] > 0.1


def test_the_command_of_the_back_test(champion: ModelVersion, fill: Fill, tmp_path: Path) -> None:
    fill(20, bought=8)
    out, report = StringIO(), tmp_path / "report.json"
    call_command("intent_backtest", "--days", "36500", "--report", str(report), stdout=out)
    said = out.getvalue()
    assert f"Model {champion.pk}: 92 decision points of 20 sessions, 8 of which bought." in said
    assert "None of the recorded scores is its own." in said
    assert json.loads(report.read_text())["points"] == 92


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(["--model", "9999"], "No usable model", id="no such model"),
        pytest.param(["--days", "0"], "--days: 0 is not positive", id="no days"),
        pytest.param(
            ["--report", "/proc/none/report.json"], "--report: .* does not exist; make it", id="no such folder"
        ),
        pytest.param(["--report", "/proc/report.json"], "--report: .* cannot be written", id="not writable"),
    ],
)
def test_the_command_refuses_in_one_line_before_the_work(
    champion: ModelVersion, arguments: list[str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("purchase_intent.watch.backtest.backtest", pytest.fail)
    with pytest.raises(CommandError, match=said):
        call_command("intent_backtest", *arguments, stdout=StringIO())


def test_nothing_to_score_is_said(champion: ModelVersion) -> None:
    out = StringIO()
    call_command("intent_backtest", stdout=out)
    assert "Nothing to score: no session has ended in that time." in out.getvalue()
