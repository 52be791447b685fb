"""Model versions at the desk: figures, promotion, roll back."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from purchase_intent.models import ModelChange, ModelVersion, Recalibration, Status
from tests.integration.desk.conftest import Clerk
from tests.integration.desk.things import version

LIST = "/admin/purchase_intent/modelversion/"


@pytest.fixture
def sound(bundle_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every bundle passes: what a bundle must be is tested where it is read."""
    monkeypatch.setattr("purchase_intent.admin.models.versions.load_bundle", lambda version: None)
    monkeypatch.setattr("purchase_intent.training.promotion.load_bundle", lambda version: None)


def words(client: Client, path: str) -> str:
    """A page as one line of text, without tags."""
    page = client.get(path)
    assert page.status_code == 200
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.content.decode()))


def test_a_list_says_why_it_is_empty(desk: Client) -> None:
    said = words(desk, LIST)
    assert "No models yet, because there is too little to learn from: 0 sessions of 1,000 (no date can be told" in said
    assert "0 buying sessions of 100" in said
    assert "Until then, rules answer." in said


def test_the_list_gives_the_main_figures(desk: Client, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    for _ in range(3):
        version()
    with django_assert_num_queries(5):
        said = words(desk, LIST)
    assert "candidate Passed the checks. 0.731 0.413 100 sessions, 7 buying just now this session" in said


def test_a_page_gives_tables_and_the_verdict(desk: Client, sound: None) -> None:
    said = words(desk, f"{LIST}{version(reasons=['auc_low'], verdict='Too weak.', forced=True).pk}/change/")
    assert "Does not serve: candidate, registered against the checks. Too weak." in said
    assert "Codes of the verdict: auc_low" in said
    assert "Each session weighed once model cases followed by a purchase AUC average precision" in said
    assert "the ensemble, which serves 900 61 0.731 0.413" in said
    assert "catboost 60%" in said
    assert "top 5% 32%" in said


@pytest.mark.parametrize(
    "figures",
    [
        pytest.param({}, id="none"),
        pytest.param([], id="a list"),
        pytest.param({"models": {"ensemble": None}, "weights": 3, "thresholds": {"bands": "x"}}, id="another shape"),
    ],
)
def test_figures_of_another_shape_are_left_out(desk: Client, sound: None, figures: Any) -> None:
    key = version(figures=figures).pk
    assert "No figures, because none were stored" in words(desk, f"{LIST}{key}/change/")
    assert "Model" in words(desk, LIST)


def test_promoting_asks_first_and_then_says_what_happened(desk: Client, sound: None) -> None:
    champion, candidate = version(status=Status.CHAMPION), version()
    asked = words(desk, f"{LIST}{candidate.pk}/promote/")
    assert f"Promote model {candidate.pk}?" in asked
    assert f"in place of model {champion.pk}" in asked
    candidate.refresh_from_db()
    assert candidate.status == Status.CANDIDATE
    done = desk.post(f"{LIST}{candidate.pk}/promote/", follow=True).content.decode()
    assert f"Model {candidate.pk} now answers for purchases in this session, in place of model {champion.pk}." in done
    assert [each.status for each in ModelVersion.objects.order_by("pk")] == [Status.ARCHIVED, Status.CHAMPION]
    assert (
        f"now answers for purchases in this session, in place of model {champion.pk}"
        in LogEntry.objects.get().get_change_message()
    )


def test_rolling_back_leads_to_the_champion_before(desk: Client, sound: None) -> None:
    first = version(status=Status.ARCHIVED, promoted_at=datetime(2026, 2, 2, tzinfo=UTC))
    version(status=Status.ARCHIVED, promoted_at=datetime(2026, 2, 1, tzinfo=UTC))
    champion = version(status=Status.CHAMPION, promoted_at=datetime(2026, 2, 3, tzinfo=UTC))
    assert f"Roll back to model {first.pk}" in words(desk, f"{LIST}{champion.pk}/change/")
    assert f"Roll back to model {first.pk}?" in words(desk, f"{LIST}{first.pk}/promote/")
    desk.post(f"{LIST}{first.pk}/promote/")
    change = ModelChange.objects.get()
    assert (change.kind, change.version, change.before, change.who) == ("rolled_back", first, champion, "desk")
    assert ModelVersion.objects.champion("session") == first


def test_a_refused_version_cannot_be_promoted(desk: Client, sound: None) -> None:
    champion, refused = version(status=Status.CHAMPION), version(status=Status.REFUSED)
    page = words(desk, f"{LIST}{refused.pk}/change/")
    assert "Refused: it cannot serve." in page
    assert "/promote/" not in desk.get(f"{LIST}{refused.pk}/change/").content.decode()
    assert "This model was refused or has no bundle: it cannot serve." in words(desk, f"{LIST}{refused.pk}/promote/")
    said = desk.post(f"{LIST}{refused.pk}/promote/", follow=True).content.decode()
    assert f"Model {refused.pk} cannot serve: it was refused or has no bundle." in said
    assert ModelVersion.objects.champion("session") == champion
    assert not LogEntry.objects.exists()


def test_a_damaged_bundle_is_not_promoted(desk: Client, bundle_folder: Path) -> None:
    bundle_folder.mkdir()
    (bundle_folder / "1.zip").write_bytes(b"damaged")
    damaged = version(bundle="1.zip", bundle_sha256=hashlib.sha256(b"sound").hexdigest())
    assert "is not the one that was registered" in words(desk, f"{LIST}{damaged.pk}/change/")
    said = desk.post(f"{LIST}{damaged.pk}/promote/", follow=True).content.decode()
    assert "restore it from a backup" in said
    assert not ModelVersion.objects.champions().exists()


def test_who_may_only_look_cannot_promote(clerk: Clerk, sound: None) -> None:
    candidate = version()
    client = clerk("view_modelversion")
    assert "/promote/" not in client.get(f"{LIST}{candidate.pk}/change/").content.decode()
    assert client.get(f"{LIST}{candidate.pk}/promote/").status_code == 403
    assert client.post(f"{LIST}{candidate.pk}/promote/").status_code == 403
    assert not ModelVersion.objects.champions().exists()


def test_who_may_change_models_can_promote(clerk: Clerk, sound: None) -> None:
    candidate = version()
    clerk("change_modelversion").post(f"{LIST}{candidate.pk}/promote/")
    assert ModelVersion.objects.champion("session") == candidate


def test_an_unknown_version_is_not_found(desk: Client) -> None:
    assert desk.get(f"{LIST}99/promote/").status_code == 404


def test_a_candidate_is_made_challenger_and_put_away_again(desk: Client, sound: None) -> None:
    champion, former = version(status=Status.CHAMPION), version(status=Status.CHALLENGER)
    candidate = version()
    asked = words(desk, f"{LIST}{candidate.pk}/challenge/")
    assert f"Make model {candidate.pk} the challenger?" in asked
    assert f"beside the champion, model {champion.pk}" in asked
    assert f"Model {former.pk}, the challenger so far, is archived." in asked
    done = desk.post(f"{LIST}{candidate.pk}/challenge/", follow=True).content.decode()
    assert f"Model {candidate.pk} is now the challenger for purchases in this session" in done
    assert [each.status for each in ModelVersion.objects.order_by("pk")] == ["champion", "archived", "challenger"]
    page = words(desk, f"{LIST}{candidate.pk}/change/")
    assert "Does not serve: the challenger, scored beside the champion." in page
    assert "Too early to tell: 0 that bought and 0 that did not are judged by both, and 50 of each are needed." in page
    assert f"Made challenger: model {candidate.pk} in place of model {former.pk} desk" in page
    assert f"Archive model {candidate.pk}?" in words(desk, f"{LIST}{candidate.pk}/archive/")
    desk.post(f"{LIST}{candidate.pk}/archive/")
    assert not ModelVersion.objects.challengers().exists()
    assert [each.kind for each in ModelChange.objects.of("session")] == ["archived", "challenged"]


def test_a_page_says_which_correction_is_in_force(desk: Client, sound: None) -> None:
    model, moment = version(status=Status.CHAMPION), datetime(2026, 3, 1, tzinfo=UTC)
    assert "corrected" not in words(desk, f"{LIST}{model.pk}/change/")
    row = {"intercept": -0.5, "fitted_from": moment, "fitted_until": moment, "sessions": 1500, "buyers": 130}
    correction = Recalibration.objects.create(model=model, begun_at=moment, slope=0.9, **row)
    said = words(desk, f"{LIST}{model.pk}/change/")
    assert "its scores are corrected: 0.61 times the odds and a slope of 0.90, from the outcomes of 1,500" in said
    correction.undo(moment)
    assert "corrected" not in words(desk, f"{LIST}{model.pk}/change/")


def test_a_page_shows_what_the_gate_measured(desk: Client, sound: None) -> None:
    row = {"first": 0.4, "second": 0.45, "gain": 0.05, "low": 0.01, "high": 0.09}
    holds = {"slope": 1.02, "slope_low": 0.9, "slope_high": 1.1, "ece": 0.004, "ece_by_chance": 0.006}
    gate = {"against": 3, "sessions": 900, "buyers": 61, "measures": {"average_precision": row}, "calibration": holds}
    said = words(desk, f"{LIST}{version(figures={'gate': gate}).pk}/change/")
    assert "Against model 3, on 900 sessions that neither had learnt from, 61 of which bought" in said
    assert "average precision (higher is better) 0.4000 0.4500 +0.0500 +0.0100 to +0.0900" in said
    assert "slope (1 is right) 1.02 0.90 to 1.10" in said
    assert "calibration error 0.0040 0 to 0.0060 by chance alone" in said
