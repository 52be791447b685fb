"""Files of trials that are not to be gone on from: of another making, or no study at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from purchase_intent.exceptions import TrainingRefused
from purchase_intent.learning import MEMBERS, Table, Tuning, split
from purchase_intent.learning.members import Range
from purchase_intent.learning.tuning import Ground
from tests.unit.learning.tuning.searches import tuned


def another_log(ground: Ground) -> Ground:
    labels = ground.sample.labels.copy()
    labels[-1] = 1 - labels[-1]
    return replace(ground, sample=replace(ground.sample, labels=labels))


def another_schema(ground: Ground) -> Ground:
    table = Table(ground.sample.table.values, ("seen", *ground.sample.table.names[1:]), frozenset({"channel"}))
    return replace(ground, sample=replace(ground.sample, table=table))


def another_split(ground: Ground) -> Ground:
    fractions = (0.6, 0.2, 0.2)
    return replace(ground, fit=split(ground.sample, fractions).fit, fractions=fractions)


def another_space(ground: Ground) -> Ground:
    member = MEMBERS["lightgbm"]
    pytest.MonkeyPatch().setattr(member, "space", {**member.space, "lambda_l2": Range(1.0, 50.0, log=True)})
    return ground


def another_seed(ground: Ground) -> Ground:
    return replace(ground, seed=6)


def another_learner(ground: Ground) -> Ground:
    pytest.MonkeyPatch().setattr(MEMBERS["lightgbm"], "version", classmethod(lambda member: "0.1"))
    return ground


@pytest.fixture
def restored() -> Iterator[None]:
    """The class as it was, whatever a case did to it."""
    member = MEMBERS["lightgbm"]
    space = member.space
    yield
    member.space = space
    if "version" in vars(member):
        del member.version


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        pytest.param(another_log, "log", id="log"),
        pytest.param(another_schema, "schema", id="schema"),
        pytest.param(another_split, "split", id="split"),
        pytest.param(another_space, "search space", id="search space"),
        pytest.param(another_seed, "seed", id="seed"),
        pytest.param(another_learner, "learner", id="learner"),
    ],
)
def test_trials_of_another_making_are_refused_by_field(
    ground: Ground, restored: None, changed: Callable[[Ground], Ground], field: str, tmp_path: Path
) -> None:
    study = tmp_path / "study"
    tuned(ground, Tuning(trials=1, study=study))
    before = study.read_bytes()
    with pytest.raises(TrainingRefused, match=rf"study: .* was made with another {field}; name another") as refused:
        tuned(changed(ground), Tuning(trials=2, study=study))
    assert refused.value.facts["field"] == field
    assert study.read_bytes() == before


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"PAR1\x00\xff", id="a binary file"),
        pytest.param(b"event_id,event_time\na,b\n", id="a log"),
        pytest.param(b'{"name": "a"}\n', id="other JSON"),
        pytest.param(b"[1]\n", id="a list"),
        pytest.param(b'{"op_code": 4, "study_id": 7}\n', id="a journal without its beginning"),
    ],
)
def test_a_file_that_is_no_study_is_refused_and_left_alone(ground: Ground, content: bytes, tmp_path: Path) -> None:
    study = tmp_path / "study"
    study.write_bytes(content)
    with pytest.raises(TrainingRefused, match="is no study of this command, or damaged"):
        tuned(ground, Tuning(trials=1, study=study))
    assert study.read_bytes() == content
