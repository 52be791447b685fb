"""Cases built in parts: the same bytes as in one process, whoever builds which part, and again after a kill."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from purchase_intent.exceptions import LogRefused, TrainingRefused
from purchase_intent.learning import Sample
from purchase_intent.models import ModelVersion
from purchase_intent.sources import open_log, read_log
from purchase_intent.training import partitions
from purchase_intent.training.dataset import build_sample
from purchase_intent.training.logfacts import LogFacts
from purchase_intent.training.partitions import build_features, gathered, partition_log, unbuilt
from tests.integration.training.conftest import intent_train
from tests.trained import ZONE
from tests.unit.sources.writing import event, write_csv

SEED = 5
MOST = 9_000


def silent(_step: str) -> None:
    """Nobody watches."""


def bytes_of(sample: Sample) -> list[bytes]:
    assert sample.ends is not None
    columns = (sample.table.values, sample.labels, sample.weights, sample.sessions, sample.times, sample.ends)
    return [column.tobytes() for column in columns]


@pytest.fixture(scope="module")
def whole(short_log: Path) -> tuple[Sample, LogFacts]:
    with open_log([short_log], zone=ZONE) as log:
        return build_sample(log, seed=SEED, most=MOST, progress=silent), LogFacts.of(log)


def parted(source: Path, folder: Path, count: int) -> Path:
    with read_log([source], zone=ZONE) as log:
        partition_log(log, folder, count, seed=SEED, most=MOST, progress=silent)
    return folder


@pytest.mark.parametrize("count", [pytest.param(1, id="one"), pytest.param(5, id="five")])
def test_the_cases_are_the_same_bytes_however_many_parts(
    count: int, short_log: Path, whole: tuple[Sample, LogFacts], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partitions, "_BATCH", 700)
    folder = parted(short_log, tmp_path / "features", count)
    assert unbuilt(folder) == list(range(count))
    rows = [build_features(folder, number) for number in reversed(range(count))]
    assert unbuilt(folder) == []
    sample, facts = gathered(folder)
    assert len(sample) == sum(rows) > MOST * 0.8
    assert bytes_of(sample) == bytes_of(whole[0])
    assert facts == whole[1]


def test_a_part_built_again_is_the_same_file(short_log: Path, tmp_path: Path) -> None:
    one, other = (parted(short_log, tmp_path / name, 3) for name in ("one", "other"))
    for folder in (one, one, other):
        build_features(folder, 1)
    file = "features-0001.parquet"
    assert (one / file).read_bytes() == (other / file).read_bytes()


def test_parts_that_were_not_built_are_named_and_built_by_the_next_run(short_log: Path, tmp_path: Path) -> None:
    folder, out = tmp_path / "features", StringIO()
    call_command(
        *("intent_features", "--events", str(short_log), "--out", str(folder), "--zone", ZONE, "--partitions", "3"),
        stdout=out,
    )
    assert "3 partitions built" in out.getvalue()
    (folder / "features-0001.parquet").unlink()
    with pytest.raises(TrainingRefused, match=r"1 of the partitions .* the first is 1"):
        gathered(folder)
    call_command("intent_features", "--out", str(folder), stdout=out)
    assert "1 partitions built" in out.getvalue()
    assert len(gathered(folder)[0]) > 0
    with pytest.raises(CommandError, match="holds something already"):
        call_command("intent_features", "--events", str(short_log), "--out", str(folder), stdout=out)


@pytest.mark.parametrize("count", [0, 1025])
def test_how_many_parts_there_can_be(count: int, short_log: Path, tmp_path: Path) -> None:
    with pytest.raises(LogRefused, match="1 to 1024"):
        parted(short_log, tmp_path / "features", count)
    with pytest.raises(LogRefused, match="holds no partitions of a log"):
        unbuilt(tmp_path / "features")


def test_features_of_another_release_are_refused(
    short_log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = parted(short_log, tmp_path / "features", 1)
    monkeypatch.setattr(partitions, "schema_hash", lambda: "0" * 64)
    with pytest.raises(TrainingRefused, match="made for other features"):
        build_features(folder, 0)
    assert not list(folder.glob("features-*"))


def test_a_part_in_which_nobody_lies_is_empty(tmp_path: Path) -> None:
    source = write_csv(
        tmp_path / "log.csv",
        [event(minute, event_id=f"e{minute}", user_session=f"s{minute // 60}") for minute in (0, 1, 90)],
    )
    folder = parted(source, tmp_path / "features", 4)
    assert sorted(build_features(folder, number) for number in range(4))[:3] == [0, 0, 0]
    with open_log([source], zone=ZONE) as log:
        assert bytes_of(gathered(folder)[0]) == bytes_of(build_sample(log, seed=SEED, most=MOST, progress=silent))


@pytest.mark.django_db
def test_a_model_is_learnt_from_the_parts_as_from_the_log(
    short_log: Path, learnt_already: Callable[..., object], bundle_folder: Path, tmp_path: Path
) -> None:
    intent_train("--events", short_log, "--zone", ZONE, "--seed", 5, "--force")
    folder = parted(short_log, tmp_path / "features", 2)
    for number in range(2):
        build_features(folder, number)
    intent_train("--features", folder, "--seed", 5, "--force")
    one, other = ModelVersion.objects.order_by("pk")
    assert one.figures["log"] == other.figures["log"]
    assert (one.events, one.trained_from, one.trained_until) == (other.events, other.trained_from, other.trained_until)
    with pytest.raises(CommandError, match="--events goes with a log"):
        intent_train("--features", folder, "--events", short_log)
    with pytest.raises(CommandError, match="leave out --horizon"):
        intent_train("--features", folder, "--horizon", "week")
