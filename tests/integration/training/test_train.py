"""`intent_train`: what it registers, and what it refuses without a trace."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

import duckdb
import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError
from pytest_django import Settings

from purchase_intent.admin.figures import main_figure, tables
from purchase_intent.exceptions import TrainingRefused
from purchase_intent.models import ModelVersion, Status
from purchase_intent.scoring.bundles import load_bundle
from purchase_intent.sources import open_log
from purchase_intent.training import run
from purchase_intent.training.checks import Finding
from purchase_intent.training.dataset import build_sample
from tests.logs import plant_leak, write
from tests.trained import Trained

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quick_members")]


def intent_train(*arguments: object) -> str:
    out = StringIO()
    call_command("intent_train", *(str(argument) for argument in arguments), stdout=out)
    return out.getvalue()


def nothing_registered(bundle_folder: Path) -> bool:
    return not ModelVersion.objects.exists() and not list(bundle_folder.glob("*"))


def test_the_first_good_model_becomes_champion_and_the_second_waits(trained: Trained, bundle_folder: Path) -> None:
    told = intent_train("--events", trained.history, "--seed", 3)
    first = ModelVersion.objects.get()
    assert first.status == Status.CHAMPION
    assert first.verdict == "Passed the checks."
    assert f"Registered as model {first.pk}, champion." in told
    assert "reading the log" in told
    assert first.figures["log"]["accepted"] == first.events
    assert {*first.figures["models"]} == {"catboost", "xgboost", "lightgbm", "forest", "baseline", "ensemble"}
    shown = {table.caption: table.rows[0][0] for table in tables(first)}
    heaviest = max(first.figures["weights"].items(), key=lambda item: item[1])[0]
    assert shown == {
        "Each session weighed once": "the ensemble, which serves",
        "Each moment weighed once": "the ensemble, which serves",
        "Members and their weights in the ensemble": heaviest,
        "Bands: the score at which each begins": "top 1%",
    }
    assert main_figure(first, "auc") == f"{first.figures['models']['ensemble']['session']['auc']:.3f}"
    assert load_bundle(first).names == trained.ensemble.names

    intent_train("--events", trained.history, "--seed", 4)
    assert ModelVersion.objects.latest().status == Status.CANDIDATE
    assert ModelVersion.objects.champions().get() == first


def test_same_seed_same_bundle(trained: Trained, bundle_folder: Path) -> None:
    for _ in range(2):
        intent_train("--events", trained.history, "--seed", 3)
    first, second = ModelVersion.objects.order_by("pk")
    assert first.bundle_sha256 == second.bundle_sha256


def test_nothing_at_or_after_until_is_learnt(trained: Trained, bundle_folder: Path) -> None:
    intent_train("--events", trained.history, trained.later, "--until", "2026-03-20T00:00")
    version = ModelVersion.objects.get()
    assert "2026-03-19T23" < version.trained_until.isoformat() < "2026-03-20"
    assert version.figures["slices"]["calibration"]["last"] < version.trained_until.timestamp() * 1000


def test_a_leak_is_refused_by_name_and_force_marks_it(trained: Trained, bundle_folder: Path, tmp_path: Path) -> None:
    leaky = tmp_path / "leaky.parquet"
    plant_leak(trained.history, leaky)
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


def test_what_is_counted_is_what_was_learnt_from(trained: Trained, bundle_folder: Path) -> None:
    intent_train("--events", trained.history)
    version = ModelVersion.objects.get()
    with open_log([trained.history], zone="UTC") as log:
        sample = build_sample(log, seed=0, progress=lambda step: None)
        assert version.sessions == len(set(sample.sessions.tolist())) < log.sessions
        few = build_sample(log, seed=0, most=5_000, progress=lambda step: None)
        assert 500 < len(few) < 5_000
    assert version.buyers == sample.buying_sessions


def test_a_session_with_a_rejected_purchase_is_not_learnt_from(trained: Trained, tmp_path: Path) -> None:
    dirty = tmp_path / "dirty.parquet"
    duckdb.execute(
        f"SET timezone = 'UTC'; COPY (SELECT * REPLACE (CASE WHEN hash(user_session) % 2 = 0 THEN order_id END "
        f"AS order_id) FROM '{trained.history}') TO '{dirty}'"
    )
    quiet: Any = {"seed": 0, "progress": lambda step: None}
    with open_log([trained.history], zone="UTC") as clean, open_log([dirty], zone="UTC") as log:
        whole, half = build_sample(clean, **quiet), build_sample(log, **quiet)
        assert log.rejected["missing_order_id"] > 50
    lost = whole.buying_sessions - half.buying_sessions
    assert 50 < lost < whole.buying_sessions
    others = [len(set(sample.sessions.tolist())) - sample.buying_sessions for sample in (whole, half)]
    assert others[0] == others[1]


@pytest.mark.parametrize("seed", [-1, 2**31, 10**23])
def test_a_seed_out_of_range_is_refused_before_the_work(seed: int, bundle_folder: Path) -> None:
    with pytest.raises(CommandError, match=f"seed: {seed} is out of range; give one from 0 to 2147483647"):
        intent_train("--events", write(bundle_folder.parent / "log.csv", []), "--seed", seed, "--zone", "UTC")


def test_a_log_is_never_taken_for_the_rejects(trained: Trained, bundle_folder: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.parquet"
    link.symlink_to(trained.history)
    size = trained.history.stat().st_size
    with pytest.raises(CommandError, match=r"--rejects: .*link\.parquet is a log to be read"):
        intent_train("--events", trained.history, "--rejects", link)
    assert trained.history.stat().st_size == size
    assert nothing_registered(bundle_folder)


def test_a_storage_that_cannot_be_written_is_found_before_the_work(trained: Trained, bundle_folder: Path) -> None:
    bundle_folder.parent.mkdir(exist_ok=True)
    bundle_folder.write_text("a file where the folder should be", encoding="utf-8")
    with pytest.raises(CommandError, match=r"STORAGES\['purchase_intent'\]: no bundle can be kept there"):
        intent_train("--events", trained.history)
    assert not ModelVersion.objects.exists()


def test_a_database_without_tables_is_one_line(
    trained: Trained, bundle_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(self: object) -> bool:
        raise OperationalError("no such table: purchase_intent_modelversion")

    monkeypatch.setattr(type(ModelVersion.objects.all()), "exists", missing)
    with pytest.raises(CommandError, match=r"no such table.*run manage\.py migrate first"):
        intent_train("--events", trained.history)


def test_a_bad_until_is_one_clear_line(bundle_folder: Path) -> None:
    with pytest.raises(CommandError, match=r"--until: 'soon' is no time: write it as 2026-04-06T00:00:00Z"):
        intent_train("--events", "log.parquet", "--until", "soon")
    assert nothing_registered(bundle_folder)


def test_the_zone_is_the_shops_unless_given(trained: Trained, bundle_folder: Path, settings: Settings) -> None:
    settings.PURCHASE_INTENT = {"TIME_ZONE": "Asia/Kolkata"}
    intent_train("--events", trained.history)
    intent_train("--events", trained.history, "--zone", "Europe/Berlin")
    assert [version.figures["zone"] for version in ModelVersion.objects.order_by("pk")] == [
        "Asia/Kolkata",
        "Europe/Berlin",
    ]


def test_a_failing_registration_keeps_no_bundle(
    trained: Trained, bundle_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: object) -> None:
        raise RuntimeError("the database went away")

    monkeypatch.setattr(ModelVersion, "promote", fail)
    with pytest.raises(RuntimeError, match="went away"):
        intent_train("--events", trained.history)
    assert nothing_registered(bundle_folder)


def test_trials_are_refused_until_there_is_tuning(trained: Trained, bundle_folder: Path) -> None:
    with pytest.raises(CommandError, match=r"trials: 5 asked for"):
        intent_train("--events", trained.history, "--trials", 5)
    assert nothing_registered(bundle_folder)


def test_a_hopeless_model_is_refused(trained: Trained, bundle_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    finding = Finding("no_better_than_chance", "AUC 0.501 on later data: nothing was learnt that could serve")
    monkeypatch.setattr(run, "check_model", lambda ensemble, sample: [finding])
    request: dict[str, Any] = {"events": [trained.history], "zone": "UTC"}
    with pytest.raises(TrainingRefused, match="nothing was learnt") as refused:
        run.train(run.Request(**request), progress=lambda step: None)
    assert refused.value.facts == {"reasons": ["no_better_than_chance"]}
    assert nothing_registered(bundle_folder)
