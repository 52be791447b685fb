"""Planned and unplanned looks: published boundaries and costs, and how often they err."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, sqrt
from typing import Any

import numpy as np
import pytest
from scipy.stats import norm

from purchase_intent.exceptions import ExperimentRefused
from purchase_intent.stats.always_valid import always_valid_boundary, always_valid_cost, always_valid_p_value
from purchase_intent.stats.boundaries import Spending, boundaries, cost, cost_of, repeated_p_value, spent
from purchase_intent.stats.crossing import crossing
from purchase_intent.stats.monitoring import Look, Monitoring, Rule


def looks(number: int) -> tuple[float, ...]:
    return tuple((look + 1) / number for look in range(number))


@pytest.mark.parametrize(
    ("spending", "published"),
    [
        pytest.param(Spending.OBRIEN_FLEMING, (4.8769, 3.3569, 2.6803, 2.2898, 2.0310), id="O'Brien-Fleming"),
        pytest.param(Spending.POCOCK, (2.4380, 2.4268, 2.4101, 2.3966, 2.3859), id="Pocock"),
    ],
)
def test_boundaries_are_those_of_lan_and_demets(spending: Spending, published: tuple[float, ...]) -> None:
    # Five even looks, two-sided 0.05: Reboussin, DeMets, Kim and Lan (2000), the tables of their program.
    assert boundaries(looks(5), 0.05, spending) == pytest.approx(published, abs=5e-4)


@pytest.mark.parametrize(
    ("number", "pocock", "obrien_fleming"),
    [(2, 2.178, 1.977), (3, 2.289, 2.004), (5, 2.413, 2.040), (10, 2.555, 2.087), (20, 2.672, 2.126)],
)
def test_jennison_and_turnbulls_constants_spend_five_hundredths(
    number: int, pocock: float, obrien_fleming: float
) -> None:
    # Tables 2.1 and 2.3 (2000), alpha 0.05: constants to three decimals.
    assert crossing(looks(number), [pocock] * number).chance == pytest.approx(0.05, abs=1e-4)
    falling = [obrien_fleming * sqrt(number / (look + 1)) for look in range(number)]
    assert crossing(looks(number), falling).chance == pytest.approx(0.05, abs=1e-4)


@pytest.mark.parametrize(
    ("number", "constant", "power", "shape", "published"),
    [
        pytest.param(2, 2.178, 0.8, 0.0, 1.110, id="Pocock, 2"),
        pytest.param(5, 2.413, 0.8, 0.0, 1.229, id="Pocock, 5"),
        pytest.param(5, 2.413, 0.9, 0.0, 1.207, id="Pocock, 5, power 0.9"),
        pytest.param(10, 2.555, 0.8, 0.0, 1.301, id="Pocock, 10"),
        pytest.param(2, 1.977, 0.8, 0.5, 1.008, id="O'Brien-Fleming, 2"),
        pytest.param(5, 2.040, 0.8, 0.5, 1.028, id="O'Brien-Fleming, 5"),
        pytest.param(5, 2.040, 0.9, 0.5, 1.026, id="O'Brien-Fleming, 5, power 0.9"),
        pytest.param(10, 2.087, 0.8, 0.5, 1.040, id="O'Brien-Fleming, 10"),
    ],
)
def test_costs_are_jennison_and_turnbulls(
    number: int, constant: float, power: float, shape: float, published: float
) -> None:
    # Tables 2.2 and 2.4: the largest sample as a multiple of a fixed test's.
    limits = [constant * (number / (look + 1)) ** shape for look in range(number)]
    assert cost_of(looks(number), limits, 0.05, power).most == pytest.approx(published, abs=1e-3)


def test_one_look_is_a_fixed_test() -> None:
    assert boundaries((1.0,)) == pytest.approx((norm.isf(0.025),), abs=1e-9)
    found = cost((1.0,))
    assert (found.most, found.expected, found.expected_without) == pytest.approx((1, 1, 1), abs=1e-8)


@pytest.mark.parametrize("spending", Spending)
@pytest.mark.parametrize(
    "shares", [looks(28), (0.1, 0.11, 0.5, 0.93, 1.04), (0.3, 0.301, 1.0)], ids=["daily", "odd", "at once"]
)
def test_all_the_error_is_spent_and_no_more(shares: tuple[float, ...], spending: Spending) -> None:
    limits = boundaries(shares, 0.05, spending)
    assert crossing(shares, limits).chance == pytest.approx(0.05, abs=1e-9)
    early = crossing(shares[:-1], limits[:-1]).chance
    assert early == pytest.approx(spent(shares[-2], 0.05, spending), abs=1e-9)


def test_earlier_boundaries_do_not_depend_on_later_looks() -> None:
    assert boundaries((0.2, 0.5)) == boundaries((0.2, 0.5, 0.9))[:2]


def test_a_final_look_spends_what_is_left() -> None:
    shares = (0.2, 0.5)
    ended = boundaries(shares, final=True)
    assert crossing(shares, ended).chance == pytest.approx(0.05, abs=1e-9)
    assert ended[1] < boundaries(shares)[1]


def test_very_early_looks_never_stop() -> None:
    assert boundaries((0.001, 1.0))[0] == inf
    assert boundaries((0.001, 1.0))[1] == pytest.approx(norm.isf(0.025), abs=1e-9)


def test_chances_agree_with_simulation() -> None:
    shares, drift, walks = looks(10), 2.0, 200_000
    limits = boundaries(shares)
    chance = np.random.default_rng(7)
    brownian = np.cumsum(chance.normal(drift / 10, sqrt(0.1), (walks, 10)), axis=1)
    beyond = brownian / np.sqrt(shares) > limits
    first = np.bincount(np.argmax(beyond, axis=1)[beyond.any(axis=1)], minlength=10) / walks
    assert crossing(shares, limits, drift).above == pytest.approx(tuple(first), abs=0.003)


def test_a_repeated_p_value_is_the_error_whose_boundary_is_reached() -> None:
    shares = looks(10)
    for look in (3, 6, 10):
        p = repeated_p_value(shares[:look], 2.4)
        assert boundaries(shares[:look], p)[-1] == pytest.approx(2.4, abs=1e-6)
    assert repeated_p_value((1.0,), 1.96) == pytest.approx(2 * norm.sf(1.96), rel=1e-6)
    assert (repeated_p_value(shares, 0.0), repeated_p_value((1.0,), 30.0)) == (1.0, 1e-14)


def test_looking_daily_with_a_fixed_test_errs_in_a_quarter_of_all_experiments() -> None:
    assert crossing(looks(28), [1.96] * 28).chance == pytest.approx(0.275, abs=0.001)


def test_the_always_valid_interval_and_p_value_say_the_same() -> None:
    for share in (0.01, 0.3, 1.0, 2.5):
        boundary = always_valid_boundary(share, 0.05)
        assert always_valid_p_value(share, boundary) == pytest.approx(0.05, rel=1e-12)
        assert always_valid_p_value(share, -boundary) == pytest.approx(0.05, rel=1e-12)
    assert always_valid_p_value(0.5, 0.0) == 1.0


def test_the_always_valid_ratio_is_the_mixture_it_is_said_to_be() -> None:
    share, z, tuned = 0.4, 2.7, 9.0
    effects = np.linspace(-80, 80, 400_001)  # in standard errors at the planned end
    mixture = norm.pdf(effects, 0, sqrt(tuned)) * norm.pdf(z, effects * sqrt(share), 1) / norm.pdf(z)
    assert always_valid_p_value(share, z, tuned) == pytest.approx(1 / np.trapezoid(mixture, effects), rel=1e-9)


def test_the_always_valid_rule_errs_within_alpha_however_often_one_looks() -> None:
    shares = looks(120)
    assert crossing(shares, [always_valid_boundary(share) for share in shares]).chance < 0.05


def test_the_promised_costs_are_kept() -> None:
    planned, unplanned = Monitoring().cost(), Monitoring(looks=0).cost()
    assert (planned.most, unplanned.most) == pytest.approx((1.081, 1.720), abs=0.001)
    assert (planned.expected, unplanned.expected) == pytest.approx((0.804, 1.098), abs=0.001)
    assert unplanned == always_valid_cost(looks(28))


def test_planned_and_unplanned_looks_together_err_within_alpha() -> None:
    # A planned look each day, and an unplanned one in between: the errors of both rules add up at most.
    watched, days = Monitoring(), looks(28)
    shares, limits = [], []
    for day, share in enumerate(days):
        for look in (Look(share - 1 / 56), Look(share, days[:day], planned=True)):
            rule = watched.applied(look)
            shares.append(look.share)
            limits.append(rule.boundary if rule else 40.0)
    assert 0.045 < crossing(shares, limits).chance < 0.05


def test_a_metric_whose_window_is_longer_has_boundaries_of_its_own_shares() -> None:
    # Half of the plan behind the primary metric: boundaries for the primary's shares would err in 7.3% of all cases.
    watched, days = Monitoring(reserve=0.0), looks(28)
    shares, own, borrowed = [], [], []
    for day, share in enumerate(days):
        look = Look(share, days[:day], planned=True)
        behind = look.behind(max(share - 0.5, 0.0))
        rule, primary = watched.applied(behind), watched.applied(look)
        if behind.share > 0:
            shares.append(behind.share)
            own.append(rule.boundary if rule else 40.0)
            borrowed.append(primary.boundary if primary else 40.0)
    assert crossing(shares, own).chance == pytest.approx(spent(0.5, 0.05), rel=1e-6)
    assert crossing(shares, borrowed).chance == pytest.approx(0.073, abs=0.001)
    same, again = Look(0.5, (0.25, 0.5), planned=True), Look(0.5, (0.25, 0.5), planned=True).behind(0.4)
    assert (same.behind(0.5), same.behind(0.7)) == (same, same)
    assert again.share == again.previous[-1] == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("look", "rule", "number"),
    [
        pytest.param(Look(0.5, (0.2,), planned=True), Rule.GROUP_SEQUENTIAL, 2, id="planned"),
        pytest.param(Look(0.5, (0.2, 0.5), planned=True), Rule.GROUP_SEQUENTIAL, 2, id="the same look again"),
        pytest.param(Look(0.5, (0.2,)), Rule.ALWAYS_VALID, 0, id="unplanned"),
        pytest.param(Look(0.4, (0.2, 0.5), planned=True), Rule.ALWAYS_VALID, 0, id="units were erased"),
        pytest.param(Look(1.1, (0.2, 1.0), planned=True), Rule.ALWAYS_VALID, 0, id="after the end"),
    ],
)
def test_each_look_has_its_rule(look: Look, rule: Rule, number: int) -> None:
    found = Monitoring().applied(look)
    assert found is not None
    assert (found.rule, found.number) == (rule, number)
    assert found.alpha == pytest.approx(2 * norm.sf(found.boundary))


def test_some_looks_allow_no_conclusion() -> None:
    assert Monitoring().applied(Look(0.0, planned=True)) is None
    assert Monitoring().applied(Look(0.0005, planned=True)) is None
    assert Monitoring(reserve=0.0).applied(Look(0.5)) is None


def test_monitoring_survives_json() -> None:
    watched = Monitoring(0.01, 4, Spending.POCOCK, 0.2, 4.0)
    assert Monitoring.from_json(watched.as_json()) == watched


def refused_shares(shares: Sequence[float]) -> Any:
    return pytest.param(lambda: boundaries(tuple(shares)), "shares", id=f"{shares}")


@pytest.mark.parametrize(
    ("make", "field"),
    [
        refused_shares([]),
        refused_shares([0.5, 0.2]),
        refused_shares([0.5, 0.5]),
        refused_shares([0.0, 0.5]),
        refused_shares([1.0, 1.2]),
        pytest.param(lambda: boundaries((1.0,), 0.0), "alpha", id="alpha"),
        pytest.param(lambda: cost((1.0,), power=0.04), "power", id="power"),
        pytest.param(lambda: always_valid_boundary(0.0), "share", id="nothing in"),
        pytest.param(lambda: always_valid_p_value(inf, 1.0), "share", id="endless"),
    ],
)
def test_what_makes_no_sense_is_refused(make: Any, field: str) -> None:
    with pytest.raises(ExperimentRefused) as refused:
        make()
    assert refused.value.field == field
