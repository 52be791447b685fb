"""`intent_train`: what it refuses, without a bundle, and mostly without a trace."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError
from django.db import OperationalError

from purchase_intent.exceptions import TrainingRefused
from purchase_intent.models import ModelVersion, Status
from purchase_intent.training import run
from purchase_intent.training.checks import Finding
from tests.integration.training.conftest import intent_train, nothing_registered
from tests.logs import plant_leak, write

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quick_members")]


def test_a_leak_is_refused_by_name_and_force_marks_it(short_log: Path, bundle_folder: Path, tmp_path: Path) -> None:
    leaky = tmp_path / "leaky.parquet"
    plant_leak(short_log, leaky)
    with pytest.raises(CommandError, match=r"too good to be true: look for a leak in channel \(1\.000\)"):
        intent_train("--events", leaky)
    refused = ModelVersion.objects.get()
    assert (refused.status, refused.reasons, refused.bundle) == (Status.REFUSED, ["too_good"], "")
    assert not list(bundle_folder.glob("*"))

    intent_train("--events", leaky, "--force")
    version = ModelVersion.objects.latest()
    assert (version.forced, version.reasons, version.status) == (True, ["too_good"], Status.CANDIDATE)


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


@pytest.mark.parametrize("seed", [-1, 2**31, 10**23])
def test_a_seed_out_of_range_is_refused_before_the_work(seed: int, bundle_folder: Path) -> None:
    with pytest.raises(CommandError, match=f"seed: {seed} is out of range; give one from 0 to 2147483647"):
        intent_train("--events", write(bundle_folder.parent / "log.csv", []), "--seed", seed, "--zone", "UTC")


def test_a_log_is_never_taken_for_the_rejects(short_log: Path, bundle_folder: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.parquet"
    link.symlink_to(short_log)
    size = short_log.stat().st_size
    with pytest.raises(CommandError, match=r"--rejects: .*link\.parquet is a log to be read"):
        intent_train("--events", short_log, "--rejects", link)
    assert short_log.stat().st_size == size
    assert nothing_registered(bundle_folder)


def test_a_storage_that_cannot_be_written_is_found_before_the_work(short_log: Path, bundle_folder: Path) -> None:
    bundle_folder.parent.mkdir(exist_ok=True)
    bundle_folder.write_text("a file where the folder should be", encoding="utf-8")
    with pytest.raises(CommandError, match=r"STORAGES\['purchase_intent'\]: no bundle can be kept there"):
        intent_train("--events", short_log)
    assert not ModelVersion.objects.exists()


@pytest.mark.usefixtures("learnt_already")
def test_a_database_without_tables_is_one_line(
    short_log: Path, bundle_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(self: object) -> bool:
        raise OperationalError("no such table: purchase_intent_modelversion")

    monkeypatch.setattr(type(ModelVersion.objects.all()), "exists", missing)
    with pytest.raises(CommandError, match=r"no such table.*run manage\.py migrate first"):
        intent_train("--events", short_log)


def test_a_bad_until_is_one_clear_line(bundle_folder: Path) -> None:
    with pytest.raises(CommandError, match=r"--until: 'soon' is no time: write it as 2026-04-06T00:00:00Z"):
        intent_train("--events", "log.parquet", "--until", "soon")
    assert nothing_registered(bundle_folder)


@pytest.mark.usefixtures("learnt_already")
def test_a_failing_registration_keeps_no_bundle(
    short_log: Path, bundle_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: object) -> None:
        raise RuntimeError("the database went away")

    monkeypatch.setattr(ModelVersion, "promote", fail)
    with pytest.raises(RuntimeError, match="went away"):
        intent_train("--events", short_log)
    assert nothing_registered(bundle_folder)


@pytest.mark.usefixtures("learnt_already")
def test_a_hopeless_model_is_refused(short_log: Path, bundle_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    finding = Finding("no_better_than_chance", "AUC 0.501 on later data: nothing was learnt that could serve")
    monkeypatch.setattr(run, "check_model", lambda ensemble, sample: [finding])
    request: dict[str, Any] = {"events": [short_log], "zone": "UTC"}
    with pytest.raises(TrainingRefused, match="nothing was learnt") as refused:
        run.train(run.Request(**request), progress=lambda step: None)
    version = ModelVersion.objects.get()
    assert refused.value.facts == {"reasons": ["no_better_than_chance"], "version": version.pk}
    assert (version.status, version.bundle, version.figures["gate"]["outcome"]) == (Status.REFUSED, "", "refuse")
    assert not list(bundle_folder.glob("*"))
