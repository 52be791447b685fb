"""Model health at the desk: verdict, drift, checks, calibration, history; training and undoing from there."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from purchase_intent.insights.calibration import calibration_chart
from purchase_intent.models import Health, ModelVersion, Recalibration, RunState, TrainingRun, WatchReport, Why
from tests.integration.desk.conftest import Clerk
from tests.integration.desk.things import version, watched

pytestmark = pytest.mark.django_db

PAGE = "/admin/purchase_intent/watchreport/"


def words(client: Client, path: str = PAGE) -> str:
    page = client.get(path)
    assert page.status_code == 200
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.content.decode()))


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The keys of the training runs that were begun."""
    found: list[int] = []
    monkeypatch.setattr("purchase_intent.admin.models.health.train_now", lambda run, horizon: found.append(run))
    return found


def correction(model: ModelVersion) -> Recalibration:
    now = timezone.now()
    made: Recalibration = Recalibration.objects.create(
        model=model,
        intercept=0.5,
        fitted_from=now - timedelta(days=28),
        fitted_until=now,
        sessions=1500,
        buyers=130,
        figures={"log_loss_before": 0.31, "log_loss_shift": 0.29},
        begun_at=now - timedelta(days=1),
    )
    return made


def test_nothing_yet_is_said_on_purpose(desk: Client) -> None:
    said = words(desk)
    assert "No report yet, because the watch has not run" in said
    assert "No training runs yet, because none was asked for" in said


def test_the_latest_report_stands_first_and_whole(desk: Client) -> None:
    watched(version(status="champion"))
    WatchReport.objects.create(day=date(2026, 3, 29), health=Health.WELL, said=["All was well."])
    said = words(desk)
    assert said.index("Needs action") < said.index("Do scores come true?") < said.index("Has the traffic changed?")
    assert "A training was asked for. Drifted for 3 days: How far it has come." in said
    assert "AUC 0.731 0.702 to 0.760 0.812" in said
    assert "top 5% 75 (5%) 40% 30% to 51% 44%" in said
    assert "What the latest event was has drifted basket 12% then, 31% now 0.41 0.25 14%" in said
    assert "Meaning of column 0 stable 0 to 3.5 12% then, 31% now 0.41 (usual: 0.10)" in said
    assert "Of these sessions 310 (21%) came into the range of the shop" in said
    assert "scores from 2.1% to 47%: 61 of them bought, 20% (95% interval 16% to 24%); 58 were expected." in said
    assert "The challenger, model 41, was corrected from its own scores too" in said
    assert "failed Prices of zero: 12%; at most 1% is in order." in said
    assert "Sun 29 Mar 2026 well - All was well." in said


def test_each_report_has_a_page(desk: Client) -> None:
    report = watched(version())
    said = words(desk, f"{PAGE}{report.pk}/change/")
    assert "Monday, 30 March 2026" in said
    assert "Can the events be believed?" in said


@pytest.mark.parametrize("figures", [pytest.param({}, id="none"), pytest.param([], id="a list")])
def test_a_report_without_figures_is_drawn(desk: Client, figures: Any) -> None:
    WatchReport.objects.create(day=date(2026, 3, 29), figures=figures, said=["Nothing."])
    assert "No scores to judge, because no model served." in words(desk)


def test_the_models_list_leads_to_it(desk: Client) -> None:
    assert PAGE in desk.get("/admin/purchase_intent/modelversion/").content.decode()


def test_a_training_is_asked_for_by_name_and_only_one(desk: Client, begun: list[int]) -> None:
    done = desk.post(f"{PAGE}train/", follow=True).content.decode()
    run = TrainingRun.objects.get()
    assert (run.why, run.reason, begun) == (Why.REQUEST, "Asked for by desk at the desk.", [run.pk])
    assert "A training was asked for." in done
    assert "A training is under way already" in desk.post(f"{PAGE}train/", follow=True).content.decode()
    assert TrainingRun.objects.count() == 1


def test_runs_are_listed_with_their_end(desk: Client) -> None:
    served = version()
    run = TrainingRun.objects.create(why=Why.DRIFT, reason="Drifted for 3 days: the score.")
    run.begin(timezone.now())
    run.end(RunState.REGISTERED, "Registered.", now=timezone.now() + timedelta(minutes=4, seconds=5), version=served)
    TrainingRun.objects.create(state=RunState.REFUSED, said="too few buyers")
    said = words(desk)
    assert f"the watch model {served.pk} 4:05 Drifted for 3 days: the score. Registered." in said
    assert "a person refused too few buyers" in said


def test_a_correction_is_shown_and_undone(desk: Client) -> None:
    found = correction(version(status="champion"))
    said = words(desk)
    assert f"model {found.model_id} answers with 1.65 times the odds that it was trained to" in said
    assert "lowered the log-loss from 0.31 to 0.29" in said
    done = desk.post(f"{PAGE}undo/{found.pk}/", follow=True).content.decode()
    assert f"Correction {found.pk} is undone" in done
    assert not Recalibration.objects.in_force().exists()
    assert "is not in force any more" in desk.post(f"{PAGE}undo/{found.pk}/", follow=True).content.decode()


def test_who_may_only_look_can_neither_train_nor_undo(clerk: Clerk, begun: list[int]) -> None:
    found = correction(version(status="champion"))
    client = clerk("view_watchreport", "view_modelversion")
    assert "Train now" not in words(client)
    assert client.post(f"{PAGE}train/").status_code == 403
    assert client.post(f"{PAGE}undo/{found.pk}/").status_code == 403
    assert (begun, Recalibration.objects.in_force().count()) == ([], 1)


def test_looking_changes_nothing(desk: Client, begun: list[int]) -> None:
    assert desk.get(f"{PAGE}train/").status_code == 405
    assert (begun, TrainingRun.objects.count()) == ([], 0)


def test_the_chart_of_deciles() -> None:
    rows = [
        {"said": 0.01, "bought": 0.02, "low": 0.0, "high": 0.04},
        {"said": 0.08, "bought": 0.05, "low": 0.03, "high": 0.09},
    ]
    chart = calibration_chart(rows)
    assert chart is not None
    assert [tick.label for tick in chart.rows] == ["0%", "5%", "10%"]
    first, second = chart.points
    assert chart.left < first.x < second.x < chart.right
    assert chart.bottom > first.y > second.y > chart.top
    assert second.high < second.y < second.low
    assert calibration_chart([]) is None
