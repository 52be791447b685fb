"""One list of promises, kept by every member."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit

from purchase_intent.exceptions import BundleRefused, MissingExtra, TrainingRefused
from purchase_intent.learning import MEMBERS, Member, Sample, auc, split
from purchase_intent.learning.members.base import settle
from purchase_intent.learning.weights import nats
from tests.unit.learning.samples import QUICK, numeric, shop

TRAIN, VALIDATION, LATER = split(numeric(shop()))

_fitted: dict[str, Member] = {}


def build(name: str, *, seed: int = 5, train: Sample = TRAIN) -> Member:
    return MEMBERS[name].fit(train, VALIDATION, seed=seed, params=QUICK[name])


@pytest.fixture(params=list(MEMBERS))
def member(request: pytest.FixtureRequest) -> Member:
    if request.param not in _fitted:
        _fitted[request.param] = build(request.param)
    return _fitted[request.param]


def test_margins_are_float64_and_rank_later_cases(member: Member) -> None:
    margins = member.log_odds(LATER.table.values)
    assert margins.dtype == np.float64
    assert margins.shape == (len(LATER),)
    assert auc(LATER.labels, margins, LATER.weights) > 0.8


def test_rounds_are_those_that_served_validation(member: Member) -> None:
    assert 1 <= member.rounds <= member.max_rounds


class Enough(BaseException):
    """What a watch raises: not an error that anyone would catch."""


@pytest.mark.parametrize("name", MEMBERS)
def test_a_watch_is_told_of_each_round_and_ends_the_fit_by_raising(name: str) -> None:
    told: list[tuple[int, float]] = []

    def watch(rounds: int, loss: float) -> None:
        told.append((rounds, loss))
        if rounds == 2:
            raise Enough

    with pytest.raises(Enough):
        MEMBERS[name].fit(TRAIN, VALIDATION, seed=5, params=QUICK[name], watch=watch)
    assert [rounds for rounds, _ in told] == [1, 2]


def test_to_be_watched_changes_nothing_and_what_is_told_is_the_loss(member: Member) -> None:
    losses: list[float] = []
    watched = MEMBERS[member.name].fit(
        TRAIN, VALIDATION, seed=5, params=QUICK[member.name], watch=lambda rounds, loss: losses.append(loss)
    )
    matrix = VALIDATION.table.values
    assert watched.log_odds(matrix).tolist() == member.log_odds(matrix).tolist()
    assert watched.rounds == int(np.argmin(losses)) + 1
    lost = nats(watched.log_odds(matrix), VALIDATION.labels)
    assert min(losses) == pytest.approx(np.average(lost, weights=VALIDATION.weights), rel=1e-5)


def test_no_row_depends_on_the_rows_beside_it(member: Member) -> None:
    matrix = LATER.table.values
    together = member.log_odds(matrix)
    assert member.log_odds(matrix[:37]).tolist() == together[:37].tolist()
    assert [member.log_odds(matrix[row : row + 1])[0] for row in range(20)] == together[:20].tolist()
    assert member.log_odds(matrix[::-1].copy())[::-1].tolist() == together.tolist()


def test_no_rows_give_no_margins(member: Member) -> None:
    assert member.log_odds(LATER.table.values[:0]).shape == (0,)
    contributions, _ = member.contributions(LATER.table.values[:0])
    assert contributions.shape == (0, 6)


def test_raw_contributions_miss_the_margin_by_no_more_than_rounding(member: Member) -> None:
    matrix = LATER.table.values
    raw = member._raw_contributions(matrix, 1)
    np.testing.assert_allclose(raw.sum(axis=1), member.log_odds(matrix), atol=1e-5)
    assert np.ptp(raw[:, -1]) == 0


@pytest.mark.parametrize("rows", [1, 20, 200])
def test_contributions_and_base_are_the_margin(member: Member, rows: int) -> None:
    matrix = LATER.table.values[:rows]
    contributions, base = member.contributions(matrix)
    assert contributions.shape == matrix.shape
    np.testing.assert_allclose(contributions.sum(axis=1) + base, member.log_odds(matrix), atol=1e-12)
    assert (contributions[:, 4] == 0).all(), "a constant column explains nothing"
    assert (contributions[:, 5] == 0).all(), "a column without values explains nothing"


def test_contributions_of_few_rows_are_those_of_many(member: Member) -> None:
    matrix = LATER.table.values[:200]
    many, _ = member.contributions(matrix)
    few, _ = member.contributions(matrix[:5])
    np.testing.assert_allclose(few, many[:5], atol=1e-9)


def test_files_give_the_same_member_to_the_bit(member: Member) -> None:
    files = member.to_files()
    assert list(files) == [f"{member.name}{member.suffix}"]
    again = type(member).from_files(files, rounds=member.rounds, settings=member.settings)
    matrix = LATER.table.values
    assert again.log_odds(matrix).tobytes() == member.log_odds(matrix).tobytes()
    assert again.contributions(matrix)[0].tobytes() == member.contributions(matrix)[0].tobytes()
    assert again.refit(TRAIN).log_odds(matrix).tobytes() == member.refit(TRAIN).log_odds(matrix).tobytes()


def test_a_missing_or_unreadable_file_is_refused(member: Member) -> None:
    name = f"{member.name}{member.suffix}"
    for files in ({}, {name: b"nothing a learner wrote"}):
        with pytest.raises(BundleRefused) as refused:
            type(member).from_files(files, rounds=1, settings={})
        assert refused.value.facts["file"] == name


def test_the_same_seed_gives_the_same_member(member: Member) -> None:
    matrix = LATER.table.values
    assert build(member.name).log_odds(matrix).tobytes() == member.log_odds(matrix).tobytes()


def test_two_threads_answer_and_learn_the_same_each_time(member: Member) -> None:
    matrix = LATER.table.values
    assert member.log_odds(matrix, threads=2).tobytes() == member.log_odds(matrix).tobytes()
    first, second = (member.refit(TRAIN, rounds=3, threads=2).log_odds(matrix) for _ in range(2))
    assert first.tobytes() == second.tobytes()


def test_another_seed_gives_another_member(member: Member) -> None:
    matrix = LATER.table.values
    assert build(member.name, seed=6).log_odds(matrix).tobytes() != member.log_odds(matrix).tobytes()


def test_refit_takes_the_rounds_given_and_learns_from_all(member: Member) -> None:
    again = member.refit(numeric(shop()), rounds=member.rounds + 1)
    assert again.rounds == member.rounds + 1
    assert again.settings == member.settings
    assert auc(LATER.labels, again.log_odds(LATER.table.values)) > auc(
        LATER.labels, member.log_odds(LATER.table.values)
    ), "the later slice was learnt from too"


def test_probabilities_hold_on_average(member: Member) -> None:
    """No class weights: what is said is what happens, under the case weights."""
    chance = expit(member.log_odds(TRAIN.table.values))
    assert np.average(chance, weights=TRAIN.weights) == pytest.approx(
        np.average(TRAIN.labels, weights=TRAIN.weights), rel=0.25
    )


def test_case_weights_count(member: Member) -> None:
    heavy = replace(TRAIN, weights=np.where(TRAIN.labels == 1, 5.0, 1.0))
    plain, weighed = (
        expit(build(member.name, train=train).log_odds(LATER.table.values)).mean() for train in (TRAIN, heavy)
    )
    assert weighed > 1.5 * plain


@pytest.mark.parametrize("slip", ["learnig_rate", "scale_pos_weight", "seed"])
def test_an_unknown_parameter_is_refused(member: Member, slip: str) -> None:
    with pytest.raises(TrainingRefused, match=rf"^{member.name}: unknown parameters"):
        type(member).fit(TRAIN, VALIDATION, seed=1, params={slip: 1})


def test_a_parameter_of_the_wrong_kind_is_refused(member: Member) -> None:
    with pytest.raises(TrainingRefused, match=rf"^{member.name}: the learner refused"):
        type(member).fit(TRAIN, VALIDATION, seed=1, params={"learning_rate": "quick"})


@pytest.mark.parametrize(("rounds", "threads"), [(0, 1), (1, 0)])
def test_rounds_and_threads_are_at_least_one(member: Member, rounds: int, threads: int) -> None:
    with pytest.raises(TrainingRefused, match="at least 1"):
        member.refit(TRAIN, rounds=rounds, threads=threads)


def test_a_missing_learner_names_its_extra(member: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, member.package, None)
    with pytest.raises(MissingExtra) as missing:
        build(member.name)
    assert missing.value.facts == {"extra": "serve", "package": member.package}
    with pytest.raises(MissingExtra):
        type(member).from_files({}, rounds=1, settings={})


def test_names_are_unique_files() -> None:
    assert len({f"{name}{member.suffix}" for name, member in MEMBERS.items()}) == len(MEMBERS)
    assert all(name == member.name for name, member in MEMBERS.items())


def test_settling_puts_a_residual_on_the_largest_term() -> None:
    parts = np.array([[0.5, -2.0], [3.0, 1.0]])
    settled = settle(parts.copy(), 1.0, np.array([-0.5 + 1e-6, 5.0]))
    np.testing.assert_allclose(settled, [[0.5, -2.0 + 1e-6], [3.0, 1.0]], atol=1e-15)


def test_a_residual_no_rounding_explains_is_an_error() -> None:
    with pytest.raises(ArithmeticError, match="miss the score"):
        settle(np.zeros((1, 2)), 0.0, np.array([0.01]))
