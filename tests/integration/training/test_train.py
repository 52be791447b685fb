"""`intent_train`: what it registers, told of two trainings that all these tests share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import pytest
from django.db import transaction
from django.test import override_settings
from pytest_django import DjangoDbBlocker

from purchase_intent.conf import bundle_storage
from purchase_intent.features.schema import FEATURES
from purchase_intent.insights.figures import main_figure, tables
from purchase_intent.learning import MEMBERS
from purchase_intent.models import ModelVersion, Status
from purchase_intent.scoring.bundles import load_bundle
from purchase_intent.sources import open_log
from purchase_intent.training.dataset import build_sample
from tests.integration.training.conftest import intent_train
from tests.trained import SHIPPED_LOG

pytestmark = pytest.mark.django_db


class Runs(NamedTuple):
    """Two versions and what the command printed of the first."""

    first: ModelVersion
    second: ModelVersion
    told: str


@pytest.fixture(scope="module")
def runs(
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
    quick_members: None,
    short_log: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Runs]:
    """Train twice with one seed, in the zone of the shop and in the same zone given against the shop's.

    What they leave in the database is rolled back when the last of these tests is done.
    """
    folder = {"location": tmp_path_factory.mktemp("bundles")}
    storage = {"purchase_intent": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": folder}}
    with django_db_blocker.unblock(), override_settings(STORAGES=storage), transaction.atomic():
        with override_settings(PURCHASE_INTENT={"TIME_ZONE": "Asia/Kolkata"}):
            told = intent_train("--events", short_log, "--seed", 3)
        with override_settings(PURCHASE_INTENT={"TIME_ZONE": "Europe/Berlin"}):
            intent_train("--events", short_log, "--seed", 3, "--zone", "Asia/Kolkata")
        first, second = ModelVersion.objects.order_by("pk")
        yield Runs(first, second, told)
        transaction.set_rollback(True)


def test_the_first_good_model_becomes_champion_and_the_second_waits(runs: Runs) -> None:
    verdict = "Passed the checks. No model served before it."
    assert (runs.first.status, runs.first.verdict, runs.first.forced) == (Status.CHAMPION, verdict, False)
    assert (runs.first.reasons, runs.first.figures["gate"]["outcome"]) == (["first_model"], "promote")
    assert f"The gate: promote. {verdict}" in runs.told
    assert (runs.second.status, runs.second.reasons) == (Status.CANDIDATE, ["too_few_buyers"])
    assert runs.second.verdict.startswith(f"Passed the checks. Too early to compare with model {runs.first.pk}: of ")
    assert "from which neither has learnt, 0 bought and 0 did not; 50 of each are needed." in runs.second.verdict
    assert ModelVersion.objects.champions().get() == runs.first
    assert "reading the log" in runs.told
    assert f"Registered as model {runs.first.pk}, champion." in runs.told


def test_same_seed_same_bundle(runs: Runs) -> None:
    assert runs.first.bundle != runs.second.bundle
    with bundle_storage().open(runs.first.bundle) as one, bundle_storage().open(runs.second.bundle) as other:
        assert one.read() == other.read()
    assert runs.first.bundle_sha256 == runs.second.bundle_sha256


def test_the_zone_is_the_shops_unless_given(runs: Runs) -> None:
    assert [version.figures["zone"] for version in (runs.first, runs.second)] == ["Asia/Kolkata"] * 2


def test_the_bundle_holds_the_model(runs: Runs) -> None:
    model = load_bundle(runs.first)
    assert model.names == tuple(feature.name for feature in FEATURES)
    assert {*model.members} == {*MEMBERS}
    assert runs.first.figures["models"] == model.figures["models"]


def test_its_figures_are_shown(runs: Runs) -> None:
    figures = runs.first.figures
    assert {*figures["models"]} == {*MEMBERS, "baseline", "ensemble"}
    shown = {table.caption: table.rows[0][0] for table in tables(runs.first)}
    heaviest = max(figures["weights"].items(), key=lambda item: item[1])[0]
    assert shown == {
        "Each session weighed once": "the ensemble, which serves",
        "Each moment weighed once": "the ensemble, which serves",
        "Members and their weights in the ensemble": heaviest,
        "Bands: the score at which each begins": "top 1%",
    }
    parts = figures["breakdown"]["parts"]
    assert (
        parts["k=1"]["sessions"] == figures["slices"]["calibration"]["sessions"] > parts["first_basket"]["sessions"] > 0
    )
    assert parts["new"]["sessions"] + parts["returning"]["sessions"] == parts["k=1"]["sessions"]
    assert load_bundle(runs.first).figures["breakdown"] == figures["breakdown"]
    assert main_figure(runs.first, "auc") == f"{figures['models']['ensemble']['session']['auc']:.3f}"


def test_what_is_counted_is_what_was_learnt_from(runs: Runs, short_log: Path) -> None:
    assert runs.first.figures["log"]["accepted"] == runs.first.events
    with open_log([short_log], zone="UTC") as log:
        sample = build_sample(log, seed=0, progress=lambda step: None)
        assert runs.first.events == log.accepted
        assert runs.first.sessions == len(set(sample.sessions.tolist())) < log.sessions
        few = build_sample(log, seed=0, most=5_000, progress=lambda step: None)
        assert 500 < len(few) < 5_000
    assert runs.first.buyers == sample.buying_sessions


def test_a_session_with_a_rejected_purchase_is_not_learnt_from(short_log: Path, tmp_path: Path) -> None:
    dirty = tmp_path / "dirty.parquet"
    duckdb.execute(
        f"SET timezone = 'UTC'; COPY (SELECT * REPLACE (CASE WHEN hash(user_session) % 2 = 0 THEN order_id END "
        f"AS order_id) FROM '{short_log}') TO '{dirty}'"
    )
    quiet: Any = {"seed": 0, "progress": lambda step: None}
    with open_log([short_log], zone="UTC") as clean, open_log([dirty], zone="UTC") as log:
        whole, half = build_sample(clean, **quiet), build_sample(log, **quiet)
        assert log.rejected["missing_order_id"] > 30
    lost = whole.buying_sessions - half.buying_sessions
    assert 30 < lost < whole.buying_sessions
    others = [len(set(sample.sessions.tolist())) - sample.buying_sessions for sample in (whole, half)]
    assert others[0] == others[1]


@pytest.mark.usefixtures("quick_members")
def test_nothing_at_or_after_until_is_learnt(bundle_folder: Path) -> None:
    before = ModelVersion.objects.count()
    intent_train("--events", SHIPPED_LOG, "--until", "2026-03-14T00:00")
    version = ModelVersion.objects.latest()
    assert ModelVersion.objects.count() == before + 1
    assert "2026-03-13T23" < version.trained_until.isoformat() < "2026-03-14"
    assert version.figures["slices"]["calibration"]["last"] < version.trained_until.timestamp() * 1000
