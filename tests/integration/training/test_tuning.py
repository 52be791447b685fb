"""`intent_train` with trials: what it tells, keeps and shows, and what it refuses without a trace."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError
from django.test import Client
from django.urls import reverse
from pytest_django.asserts import assertContains

from purchase_intent.insights.figures import tables, tuned_table
from purchase_intent.learning import MEMBERS
from purchase_intent.management.tuned import tuning_report
from purchase_intent.models import ModelVersion, Status
from purchase_intent.scoring.bundles import load_bundle
from tests.integration.training.conftest import intent_train, nothing_registered
from tests.trained import QUICK

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quick_members")]


@pytest.fixture(autouse=True)
def small_spaces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the parameters that are as they are so that members learn in seconds, none is searched."""
    for name, params in QUICK.items():
        member = MEMBERS[name]
        monkeypatch.setattr(member, "space", {key: room for key, room in member.space.items() if key not in params})


def test_tuning_is_told_kept_and_shown(short_log: Path, bundle_folder: Path, tmp_path: Path, client: Client) -> None:
    study = tmp_path / "study"
    told = intent_train("--events", short_log, "--seed", 3, "--trials", 2, "--budget", 30, "--study", study)
    version = ModelVersion.objects.get()
    tuning = version.figures["tuning"]
    assert (tuning["trials"], tuning["budget"]) == (2, 30.0)
    assert {name: found["tried"] for name, found in tuning["members"].items()} == dict.fromkeys(MEMBERS, 2)
    assert load_bundle(version).figures["tuning"] == tuning
    assert "tuning forest: trial 1 of 2, the defaults" in told
    fit = tuning["sessions"]["fit"]
    assert f"Tuned on {fit:,} sessions, chosen on" in told
    assert "  catboost: 2 of 2 trials, 0 cut short; " in told
    assert ("  together: confirmed gain " in told) is (tuning["together"] is not None)
    assert study.read_bytes().count(b'"op_code":4') == 8

    shown = next(table for table in tables(version) if table.caption.startswith("Tuning"))
    assert [row[:4] for row in shown.rows[: len(MEMBERS)]] == [
        (name, "2", "0", f"{tuning['members'][name]['defaults']:.5f}") for name in MEMBERS
    ]
    client.force_login(User.objects.create_superuser("ann"))
    page = client.get(reverse("admin:purchase_intent_modelversion_change", args=[version.pk]))
    assertContains(page, "<caption>Tuning: each member")


def test_a_run_that_dies_after_tuning_registers_nothing_and_is_gone_on_from(
    short_log: Path, bundle_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = tmp_path / "study"
    tuned = ("--events", short_log, "--trials", 1, "--study", study)
    with monkeypatch.context() as patch:
        patch.setattr(MEMBERS["forest"], "fit", classmethod(_killed))
        with pytest.raises(SystemExit):
            intent_train(*tuned)
    assert nothing_registered(bundle_folder)
    assert study.read_bytes().count(b'"op_code":4') == 3

    intent_train(*tuned)
    assert ModelVersion.objects.get().status == Status.CHAMPION
    assert study.read_bytes().count(b'"op_code":4') == 4


def _killed(*arguments: object, **options: object) -> None:
    raise SystemExit(143)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        pytest.param(("--trials", -1), "trials: -1 is out of range", id="fewer than none"),
        pytest.param(("--budget", 5), "budget: there is nothing to tune with no trials", id="a budget for nothing"),
        pytest.param(("--trials", 1, "--budget", 0), "budget: 0.0 is out of range", id="no time"),
        pytest.param(("--trials", 1, "--study", "{folder}"), r"--study: .* is a folder", id="a folder"),
        pytest.param(("--trials", 1, "--study", "{log}"), r"--study: .* is a log to be read", id="the log itself"),
    ],
)
def test_tuning_that_makes_no_sense_is_refused_before_the_work(
    options: tuple[object, ...], said: str, short_log: Path, bundle_folder: Path, tmp_path: Path
) -> None:
    given = [str(option).format(folder=tmp_path, log=short_log) for option in options]
    size = short_log.stat().st_size
    with pytest.raises(CommandError, match=said):
        intent_train("--events", short_log, *given)
    assert short_log.stat().st_size == size
    assert nothing_registered(bundle_folder)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        pytest.param({"defaults": None, "tried": 0}, "0 of 5 trials, 1 cut short; none ended in time", id="no time"),
        pytest.param({"trial": 0}, "log-loss 0.20000, nothing beat the defaults", id="nothing better"),
        pytest.param(
            {"adopted": False}, "0.10000 against 0.20000 of the defaults, confirmed gain +0.01000", id="noise"
        ),
        pytest.param({}, "standard error of 0.00100: takes depth 5, subsample 0.7123", id="adopted"),
    ],
)
def test_each_outcome_of_tuning_is_one_line(found: dict[str, Any], said: str) -> None:
    whole = {
        "tried": 5,
        "asked": 5,
        "cut_short": 1,
        "defaults": 0.2,
        "best": 0.1,
        "trial": 3,
        "gain": 0.01,
        "error": 0.001,
        "adopted": True,
        "params": {"depth": 5, "subsample": 0.71234},
    }
    sessions = {"fit": 6, "choose": 2, "confirm": 2, "of": 10}
    report = tuning_report({"tuning": {"sessions": sessions, "members": {"catboost": {**whole, **found}}}})
    assert said in report
    assert report.count("\n") == 2


@pytest.mark.parametrize(
    ("adopted", "said", "shown"),
    [
        pytest.param(True, "adopted", "the best are taken", id="adopted"),
        pytest.param(False, "within the noise, the defaults stay", "the defaults stay", id="noise"),
    ],
)
def test_what_members_gain_together_is_told_and_shown(adopted: bool, said: str, shown: str) -> None:
    counts = {"tried": 5, "asked": 5, "cut_short": 1, "trial": 0, "defaults": 0.2, "best": 0.2, "adopted": False}
    together = {"gain": 0.01, "error": 0.001, "adopted": adopted}
    sessions = {"fit": 6, "choose": 2, "confirm": 2, "of": 10}
    figures = {"tuning": {"sessions": sessions, "members": {"catboost": counts}, "together": together}}
    line = "  together: confirmed gain +0.01000 with a standard error of 0.00100: "
    assert tuning_report(figures).splitlines()[-1] == line + said
    gained = "+0.01000 \N{PLUS-MINUS SIGN} 0.00100"
    assert tuned_table(figures).rows[-1] == ("together", *["-"] * 4, gained, shown)


def test_what_was_not_tuned_says_so_or_nothing() -> None:
    assert tuning_report({}) == ""
    assert tuning_report({"tuning": {"skipped": "4 buyers"}}).endswith("too small to be cut again (4 buyers).\n")
