"""`intent_train`: what it registers, and what it refuses without a trace."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from purchase_intent.exceptions import TrainingRefused
from purchase_intent.learning import MEMBERS
from purchase_intent.models import ModelVersion, Status
from purchase_intent.scoring.bundles import load_bundle
from purchase_intent.training import run
from purchase_intent.training.checks import Finding
from tests.integration.training.conftest import QUICK, Learnt
from tests.integration.training.logs import plant_leak, write

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def quick_members(monkeypatch: pytest.MonkeyPatch) -> None:
    """Members that learn in seconds."""
    for name, params in QUICK.items():
        monkeypatch.setattr(MEMBERS[name], "defaults", {**MEMBERS[name].defaults, **params})


def intent_train(*arguments: object) -> str:
    out = StringIO()
    call_command("intent_train", *(str(argument) for argument in arguments), stdout=out)
    return out.getvalue()


def nothing_registered(bundle_folder: Path) -> bool:
    return not ModelVersion.objects.exists() and not list(bundle_folder.glob("*"))


def test_the_first_good_model_becomes_champion_and_the_second_waits(learnt: Learnt, bundle_folder: Path) -> None:
    told = intent_train("--events", learnt.history, "--seed", 3)
    first = ModelVersion.objects.get()
    assert first.status == Status.CHAMPION
    assert first.verdict == "Passed the checks."
    assert f"Registered as model {first.pk}, champion." in told
    assert "reading the log" in told
    assert first.figures["log"]["accepted"] == first.events
    assert {*first.figures["models"]} == {"catboost", "xgboost", "lightgbm", "forest", "baseline", "ensemble"}
    assert load_bundle(first).names == learnt.ensemble.names

    intent_train("--events", learnt.history, "--seed", 4)
    assert ModelVersion.objects.latest().status == Status.CANDIDATE
    assert ModelVersion.objects.champions().get() == first


def test_same_seed_same_bundle(learnt: Learnt, bundle_folder: Path) -> None:
    for _ in range(2):
        intent_train("--events", learnt.history, "--seed", 3)
    first, second = ModelVersion.objects.order_by("pk")
    assert first.bundle_sha256 == second.bundle_sha256


def test_nothing_at_or_after_until_is_learnt(learnt: Learnt, bundle_folder: Path) -> None:
    intent_train("--events", learnt.history, learnt.later, "--until", "2026-03-20T00:00")
    version = ModelVersion.objects.get()
    assert version.trained_until.isoformat() == "2026-03-20T00:00:00+00:00"
    assert version.figures["slices"]["calibration"]["last"] < version.trained_until.timestamp() * 1000


def test_a_leak_is_refused_by_name_and_force_marks_it(learnt: Learnt, bundle_folder: Path, tmp_path: Path) -> None:
    leaky = tmp_path / "leaky.parquet"
    plant_leak(learnt.history, leaky)
    with pytest.raises(CommandError, match=r"too good to be true: look for a leak in channel \(1\.000\)"):
        intent_train("--events", leaky)
    assert nothing_registered(bundle_folder)

    intent_train("--events", leaky, "--force")
    version = ModelVersion.objects.get()
    assert (version.forced, version.reasons, version.status) == (True, ["too_good"], Status.CANDIDATE)


PURCHASE = "p{n},2026-03-0{d}T12:00:0{n}Z,purchase,v{n},s{n},tent,9.90,1,o{n}"


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        pytest.param([], "no event", id="empty"),
        pytest.param(["a,2026-03-01T12:00:00Z,view,v,s,tent,9,1,"], "no finished session", id="one event"),
        pytest.param(
            [f"{n},2026-03-01T1{n % 9}:00:00Z,view,v{n},s{n},tent,9,1," for n in range(200)]
            + ["z,2026-03-02T00:00:00Z,view,v,s,,,,"],
            "buy",
            id="nobody buys",
        ),
        pytest.param(["a,2026-03-01T12:00:00Z,dance,v,s,tent,9,1,"], "unknown_event_name", id="nothing usable"),
        pytest.param(["a,2026-03-01T12:00:00,view,v,s,tent,9,1,"], "time_without_zone", id="no zone"),
    ],
)
def test_a_log_that_allows_no_model_is_refused_in_one_line(
    lines: list[str], said: str, bundle_folder: Path, tmp_path: Path
) -> None:
    with pytest.raises(CommandError, match=said) as refused:
        intent_train("--events", write(tmp_path / "log.csv", lines))
    assert "\n" not in str(refused.value)
    assert nothing_registered(bundle_folder)


def test_a_bad_until_is_one_clear_line(bundle_folder: Path) -> None:
    with pytest.raises(CommandError, match=r"--until: 'soon' is no time: write it as 2026-04-06T00:00:00Z"):
        intent_train("--events", "log.parquet", "--until", "soon")
    assert nothing_registered(bundle_folder)


def test_the_zone_is_the_shops_unless_given(learnt: Learnt, bundle_folder: Path, settings: Settings) -> None:
    settings.PURCHASE_INTENT = {"TIME_ZONE": "Asia/Kolkata"}
    intent_train("--events", learnt.history)
    intent_train("--events", learnt.history, "--zone", "Europe/Berlin")
    assert [version.figures["zone"] for version in ModelVersion.objects.order_by("pk")] == [
        "Asia/Kolkata",
        "Europe/Berlin",
    ]


def test_a_failing_registration_keeps_no_bundle(
    learnt: Learnt, bundle_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: object) -> None:
        raise RuntimeError("the database went away")

    monkeypatch.setattr(ModelVersion, "promote", fail)
    with pytest.raises(RuntimeError, match="went away"):
        intent_train("--events", learnt.history)
    assert nothing_registered(bundle_folder)


def test_trials_are_refused_until_there_is_tuning(learnt: Learnt, bundle_folder: Path) -> None:
    with pytest.raises(CommandError, match="trials"):
        intent_train("--events", learnt.history, "--trials", 5)
    assert nothing_registered(bundle_folder)


def test_a_hopeless_model_is_refused(learnt: Learnt, bundle_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    finding = Finding("no_better_than_chance", "AUC 0.501 on later data: nothing was learnt that could serve")
    monkeypatch.setattr(run, "check_model", lambda ensemble, sample: [finding])
    request: dict[str, Any] = {"events": [learnt.history], "zone": "UTC"}
    with pytest.raises(TrainingRefused, match="nothing was learnt") as refused:
        run.train(run.Request(**request), progress=lambda step: None)
    assert refused.value.facts == {"reasons": ["no_better_than_chance"]}
    assert nothing_registered(bundle_folder)
