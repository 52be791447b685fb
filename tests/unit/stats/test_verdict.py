"""INVALID, ROLL BACK, SHIP and HOLD: each for its reason, in words, with its date, and again from its record."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from purchase_intent.exceptions import ExperimentRefused
from purchase_intent.stats.arms import Finding
from purchase_intent.stats.evidence import Evidence
from purchase_intent.stats.inference import Kind
from purchase_intent.stats.monitoring import Monitoring, Rule
from purchase_intent.stats.plan import Guardrail, Metric, Plan
from purchase_intent.stats.summaries import Summary
from purchase_intent.stats.verdict import Verdict, decide, record, replay

CONVERSION = Metric("conversion", Kind.RATE)
REVENUE = Metric("revenue", Kind.MEAN)
ABANDONED = Metric("abandoned", Kind.RATE, higher_is_better=False)
DAY = date(2026, 3, 2)
PLAN = Plan("control", ("control", "bar"), (0.5, 0.5), CONVERSION, 20_000)
GUARDED = replace(PLAN, guardrails=(Guardrail(REVENUE, 0.05), Guardrail(ABANDONED, 0.05)))


def rates(**arms: tuple[int, int]) -> dict[str, Summary]:
    return {arm: Summary.of_successes(successes, n) for arm, (successes, n) in arms.items()}


def amounts(**arms: tuple[float, float, int]) -> dict[str, Summary]:
    """Sums of a mean, a standard deviation and a number of units."""
    return {
        arm: Summary(n, mean * n, deviation**2 * (n - 1) + mean**2 * n) for arm, (mean, deviation, n) in arms.items()
    }


def evidence(*metrics: tuple[Metric, Mapping[str, Summary]], **more: Any) -> Evidence:
    first = metrics[0][1]
    given: dict[str, Any] = {"exposed": {arm: summary.n for arm, summary in first.items()}, "day": DAY, "planned": True}
    return Evidence(summaries={metric.name: arms for metric, arms in metrics}, **given | more)


def guarded(conversion: int, revenue: float, abandoned: int, **more: Any) -> Evidence:
    n = 10_000
    return evidence(
        (CONVERSION, rates(control=(300, n), bar=(conversion, n))),
        (REVENUE, amounts(control=(20.0, 10.0, n), bar=(revenue, 10.0, n))),
        (ABANDONED, rates(control=(6000, n), bar=(abandoned, n))),
        **more,
    )


def test_a_better_arm_whose_guardrails_hold_is_shipped() -> None:
    found = decide(GUARDED, guarded(390, 20.1, 6020))
    assert (found.verdict, found.arm, found.rolled_back, found.share) == (Verdict.SHIP, "bar", (), 1.0)
    assert found.rule is not None
    assert (found.rule.rule, found.rule.number) == (Rule.GROUP_SEQUENTIAL, 1)
    assert found.reasons[0].startswith(
        "bar is better than control on conversion, by the group-sequential rule at planned look 1: 3.90% against 3.00%"
    )
    assert found.reasons[1].startswith("Guardrail revenue: bar loses less than the 5.0% tolerated, 20.1 against 20")
    assert (found.missing, found.expected) == ((), None)


@pytest.mark.parametrize(
    ("given", "verdict", "harmed", "unproven"),
    [
        pytest.param(guarded(390, 18.9, 6000), Verdict.ROLL_BACK, ("revenue",), (), id="less revenue"),
        pytest.param(guarded(390, 20, 6400), Verdict.ROLL_BACK, ("abandoned",), (), id="more abandoned"),
        pytest.param(guarded(390, 19.6, 6000), Verdict.SHIP, (), (), id="a loss that is known to be tolerable"),
        pytest.param(guarded(390, 19.2, 6000), Verdict.ROLL_BACK, ("revenue",), (), id="a loss perhaps too large"),
        pytest.param(guarded(220, 20, 6000), Verdict.ROLL_BACK, (), (), id="worse on the primary"),
        pytest.param(guarded(390, 20, 6130, final=True), Verdict.SHIP, (), (), id="a little more abandoned"),
        pytest.param(guarded(310, 20, 6000), Verdict.HOLD, (), (), id="no difference"),
    ],
)  # fmt: skip
def test_a_guardrail_can_stop_a_winner(
    given: Evidence, verdict: Verdict, harmed: tuple[str, ...], unproven: tuple[str, ...]
) -> None:
    found = decide(GUARDED, given)
    assert (found.verdict, found.arms[0].harmed, found.arms[0].unproven) == (verdict, harmed, unproven)


def test_a_winner_waits_for_a_guardrail_that_is_not_yet_known_to_hold() -> None:
    narrow = replace(PLAN, guardrails=(Guardrail(ABANDONED, 0.02),))
    arms = {metric: guarded(390, 20, 6080).summaries[metric.name] for metric in (CONVERSION, ABANDONED)}
    found = decide(replace(narrow, units=40_000), evidence(*arms.items(), per_day=1000.0, final=True))
    assert (found.verdict, found.arms[0].better, found.arms[0].unproven) == (Verdict.HOLD, True, ("abandoned",))
    assert found.missing == ("abandoned of bar is not yet known to lose less than 2.0%.",)
    open_still = decide(replace(narrow, units=40_000), evidence(*arms.items(), per_day=1000.0))
    assert open_still.expected == DAY + timedelta(days=20)


def test_a_guardrail_of_which_too_little_is_in_neither_harms_nor_holds() -> None:
    few = (REVENUE, amounts(control=(20.0, 5.0, 60), bar=(10.0, 5.0, 60)))
    given = evidence((CONVERSION, rates(control=(300, 10_000), bar=(390, 10_000))), few)
    found = decide(replace(PLAN, guardrails=(Guardrail(REVENUE, 0.05),)), given)
    assert (found.verdict, found.arms[0].harmed, found.arms[0].unproven) == (Verdict.HOLD, (), ("revenue",))
    assert found.reasons[1] == "Guardrail revenue: too little to compare yet for bar."


def test_arms_of_the_wrong_shares_are_invalid_and_no_figure_is_read() -> None:
    found = decide(PLAN, evidence((CONVERSION, rates(control=(300, 10_000), bar=(500, 9_000)))))
    assert (found.verdict, found.arms, found.rule) == (Verdict.INVALID, (), None)
    assert found.reasons[0] == (
        "The arms did not get the shares that were planned: control has 10,000 of 9,500 expected, "
        "bar has 9,000 of 9,500 expected."
    )
    assert found.reasons[1].startswith("By chance this happens to less than one experiment in 1,000,000, however often")


def test_the_ratio_is_of_exposures_and_not_of_finished_outcomes() -> None:
    given = evidence(
        (CONVERSION, rates(control=(300, 10_000), bar=(310, 9_000))), exposed={"control": 10_000, "bar": 10_010}
    )
    assert decide(PLAN, given).verdict is Verdict.HOLD


def test_a_small_arm_that_had_no_large_order_yet_is_not_called_worse() -> None:
    # Twelve orders of 30, beside 275 of which twelve are of 600: by Welch's error alone 5.1 standard errors apart.
    often = [0.0] * 8725 + [30.0] * 263 + [600.0] * 12
    spent = {"control": Summary.of(often), "bar": Summary.of([0.0] * 988 + [30.0] * 12)}
    plan = Plan("control", ("control", "bar"), (0.9, 0.1), REVENUE, 10_000, monitoring=Monitoring(looks=10))
    found = decide(plan, evidence((REVENUE, spent), previous=(0.5,)))
    assert (found.verdict, found.arms[0].worse) == (Verdict.HOLD, False)


def test_a_ratio_is_read_once_thirty_units_of_each_arm_count_below_it() -> None:
    # Twelve orders of about 20 each, and of about 30: 15 standard errors apart, from which nothing is to be concluded.
    value = Metric("value", Kind.RATIO)

    def arm(mean: float, orders: int, n: int) -> Summary:
        amounts = [mean - 1, mean + 1] * (orders // 2)
        return Summary.of(amounts + [0.0] * (n - orders), None, [1.0] * orders + [0.0] * (n - orders))

    plan = replace(PLAN, primary=value, units=4000)
    few = decide(plan, evidence((value, {"control": arm(20, 12, 400), "bar": arm(30, 12, 400)}), per_day=120.0))
    assert (few.verdict, few.arms, few.expected) == (Verdict.HOLD, (), DAY + timedelta(days=10))
    assert few.missing == tuple(
        f"{each} needs about 600 more units before its figures are read: 30 of them have to count below the ratio."
        for each in ("control", "bar")
    )
    none = decide(plan, evidence((value, {"control": arm(20, 0, 400), "bar": arm(30, 40, 400)}), per_day=120.0))
    assert none.missing == (
        "control has no unit yet that counts below the ratio: 30 of them have to count below the ratio.",
    )
    assert none.expected is None
    enough = decide(plan, evidence((value, {"control": arm(20, 40, 400), "bar": arm(30, 40, 400)})))
    assert enough.verdict is Verdict.SHIP


@pytest.mark.parametrize(
    ("arms", "missing", "days"),
    [
        pytest.param(
            {"control": (0, 0), "bar": (0, 0)},
            ("control needs 100 more units before its figures are read.",
             "bar needs 100 more units before its figures are read."), 2, id="nobody was exposed"),
        pytest.param(
            {"control": (3, 120), "bar": (4, 90)}, ("bar needs 10 more units before its figures are read.",), 1,
            id="one arm is too small"),
    ],
)  # fmt: skip
def test_too_few_units_give_no_figure(arms: dict[str, tuple[int, int]], missing: tuple[str, ...], days: int) -> None:
    found = decide(PLAN, evidence((CONVERSION, rates(**arms)), per_day=100.0))
    assert (found.verdict, found.rule, found.missing) == (Verdict.HOLD, None, missing)
    assert found.expected == DAY + timedelta(days=days)


def test_an_open_experiment_says_what_it_lacks_and_when_to_expect_it() -> None:
    given = evidence((CONVERSION, rates(control=(150, 5000), bar=(180, 5000))), per_day=500.0)
    found = decide(PLAN, given)
    assert (found.verdict, found.share) == (Verdict.HOLD, 0.5)
    assert found.missing == (
        "bar lies 1.68 standard errors from control on conversion, and the rule asks for 3.02 at this look.",
    )
    # Were the lift seen the truth, the arm would lie 2.29 standard errors off at look 26 of 28, which asks for 2.26.
    assert found.expected == DAY + timedelta(days=18)
    assert decide(PLAN, replace(given, per_day=0.0)).expected is None


def test_at_the_end_no_date_is_expected() -> None:
    found = decide(PLAN, evidence((CONVERSION, rates(control=(300, 10_000), bar=(310, 10_000))), per_day=500.0))
    assert (found.verdict, found.expected) == (Verdict.HOLD, None)
    assert found.missing[0].startswith("All planned units are in, and bar was not told apart from control: the effect")


def test_the_rule_of_an_unplanned_look_is_stricter_and_is_named() -> None:
    given = evidence((CONVERSION, rates(control=(300, 10_000), bar=(360, 10_000))))
    planned, unplanned = decide(PLAN, given), decide(PLAN, replace(given, planned=False))
    assert (planned.verdict, unplanned.verdict) == (Verdict.SHIP, Verdict.HOLD)
    assert unplanned.rule is not None
    assert unplanned.rule.rule is Rule.ALWAYS_VALID
    assert "by the always-valid rule for unplanned looks" in unplanned.reasons[0]
    without = replace(PLAN, monitoring=Monitoring(looks=0))
    assert decide(without, given).rule == decide(without, replace(given, planned=False)).rule


def test_a_look_after_the_planned_end_is_unplanned() -> None:
    given = evidence((CONVERSION, rates(control=(300, 10_500), bar=(360, 10_500))), previous=(0.5, 1.0))
    found = decide(PLAN, given)
    assert found.rule is not None
    assert found.rule.rule is Rule.ALWAYS_VALID


def test_without_a_reserve_an_unplanned_look_concludes_nothing() -> None:
    strict = replace(PLAN, monitoring=Monitoring(reserve=0.0))
    given = evidence((CONVERSION, rates(control=(300, 10_000), bar=(900, 10_000))), planned=False)
    found = decide(strict, given)
    assert (found.verdict, found.rule) == (Verdict.HOLD, None)
    assert found.missing == ("No conclusion can be drawn at this look: too early for the rule.",)


def test_one_look_without_a_reserve_is_the_fixed_test() -> None:
    fixed = replace(PLAN, monitoring=Monitoring(looks=1, reserve=0.0))
    found = decide(fixed, evidence((CONVERSION, rates(control=(300, 10_000), bar=(360, 10_000)))))
    assert found.rule is not None
    assert found.rule.alpha == pytest.approx(0.05, abs=1e-12)


def test_a_final_look_may_spend_all_that_is_left() -> None:
    given = evidence((CONVERSION, rates(control=(150, 5000), bar=(194, 5000))))
    open_still, ended = decide(PLAN, given), decide(PLAN, replace(given, final=True))
    assert (open_still.verdict, ended.verdict) == (Verdict.HOLD, Verdict.SHIP)


MANY = replace(PLAN, arms=("control", "a", "b", "c"), weights=(0.25,) * 4)


def test_of_several_arms_the_best_is_shipped_and_the_worse_are_named() -> None:
    arms = rates(control=(150, 5000), a=(230, 5000), b=(250, 5000), c=(90, 5000))
    found = decide(MANY, evidence((CONVERSION, arms)))
    assert (found.verdict, found.arm, found.rolled_back) == (Verdict.SHIP, "b", ("c",))
    assert [each.finding for each in found.arms] == [Finding.WINS, Finding.WINS, Finding.LOSES]


def test_several_arms_share_the_error_by_holms_steps() -> None:
    one_look = replace(MANY, monitoring=Monitoring(looks=1, reserve=0.0))
    arms = rates(control=(150, 5000), a=(230, 5000), b=(192, 5000), c=(190, 5000))
    found = decide(one_look, evidence((CONVERSION, arms)))
    assert [each.rule.alpha for each in found.arms] == pytest.approx([0.05 / 3, 0.05 / 2, 0.05], abs=1e-12)
    assert [each.better for each in found.arms] == [True, True, True]
    for each in found.arms:
        assert each.estimates["conversion"].significant is each.better


def test_an_arm_without_weight_is_not_waited_for() -> None:
    rested = replace(MANY, weights=(0.5, 0.5, 0.0, 0.0))
    arms = rates(control=(300, 10_000), a=(390, 10_000), b=(0, 0), c=(0, 0))
    found = decide(rested, evidence((CONVERSION, arms)))
    assert (found.verdict, found.arm, [each.arm for each in found.arms]) == (Verdict.SHIP, "a", ["a"])
    alone = decide(replace(MANY, weights=(1.0, 0.0, 0.0, 0.0)), evidence((CONVERSION, arms | rates(a=(0, 0)))))
    assert (alone.verdict, alone.missing) == (
        Verdict.HOLD,
        ("No conclusion can be drawn at this look: no treatment is given to anybody.",),
    )
    assert alone.ratio.p_value == 1.0  # of one arm there is no ratio, and JSON knows no NaN


def test_all_arms_worse_is_a_roll_back_and_one_worse_is_not() -> None:
    arms = rates(control=(300, 5000), a=(150, 5000), b=(150, 5000), c=(150, 5000))
    assert decide(MANY, evidence((CONVERSION, arms))).verdict is Verdict.ROLL_BACK
    some = decide(MANY, evidence((CONVERSION, arms | rates(b=(300, 5000), c=(300, 5000)))))
    assert (some.verdict, some.rolled_back) == (Verdict.HOLD, ("a",))


def test_where_less_is_better_less_wins() -> None:
    plan = replace(PLAN, primary=ABANDONED)
    arms = rates(control=(6000, 10_000), bar=(5700, 10_000))
    assert decide(plan, evidence((ABANDONED, arms))).verdict is Verdict.SHIP


def test_nothing_bought_yet_is_not_a_verdict() -> None:
    plan = replace(PLAN, primary=REVENUE)
    found = decide(plan, evidence((REVENUE, {"control": Summary(200), "bar": Summary(200)})))
    assert (found.verdict, found.arms) == (Verdict.HOLD, ())
    assert found.missing == (
        "No conclusion can be drawn at this look: variance: wait until the outcomes of an arm differ from each other.",
    )


@pytest.mark.parametrize(
    ("plan", "given"),
    [
        pytest.param(GUARDED, guarded(390, 20.1, 6020), id="ship"),
        pytest.param(GUARDED, guarded(220, 20.123456789, 6020, per_day=123.4), id="roll back"),
        pytest.param(GUARDED, guarded(330, 19.9, 6050, per_day=321.0, previous=(0.1, 1 / 3)), id="hold"),
        pytest.param(PLAN, evidence((CONVERSION, rates(control=(0, 0), bar=(0, 0)))), id="nobody"),
        pytest.param(PLAN, evidence((CONVERSION, rates(control=(9, 900), bar=(9, 100)))), id="invalid"),
    ],
)
def test_a_decision_is_replayed_to_the_bit_from_its_record(plan: Plan, given: Evidence) -> None:
    found = decide(plan, given)
    stored = json.loads(json.dumps(record(plan, given, found), allow_nan=False))
    assert replay(stored) == found


def test_a_record_that_was_changed_is_not_replayed() -> None:
    given = guarded(390, 20.1, 6020)
    stored = record(GUARDED, given, decide(GUARDED, given))
    stored["evidence"]["summaries"]["conversion"]["bar"] = Summary.of_successes(391, 10_000).as_json()
    with pytest.raises(ExperimentRefused, match=r"decision: arms, reasons came out otherwise"):
        replay(stored)
    with pytest.raises(ExperimentRefused, match=r"format: this version reads records of format 1"):
        replay(stored | {"format": 2})


@pytest.mark.parametrize(
    ("make", "field"),
    [
        pytest.param(lambda: replace(PLAN, arms=("a", "b")), "arms", id="no control"),
        pytest.param(lambda: replace(PLAN, weights=(0.5, 0.6)), "weights", id="weights"),
        pytest.param(lambda: replace(PLAN, units=0), "units", id="no units"),
        pytest.param(lambda: replace(PLAN, least=1), "least", id="one unit"),
        pytest.param(lambda: replace(PLAN, ratio_alpha=0.0), "alpha", id="no error for the ratio"),
        pytest.param(lambda: replace(PLAN, guardrails=(Guardrail(CONVERSION, 0.1),)), "metrics", id="metric twice"),
        pytest.param(lambda: Guardrail(REVENUE, 0.0), "margin", id="no margin"),
        pytest.param(lambda: Monitoring(alpha=1.0), "alpha", id="alpha"),
        pytest.param(lambda: Monitoring(looks=-1), "looks", id="looks"),
        pytest.param(lambda: Monitoring(reserve=1.0), "reserve", id="reserve"),
        pytest.param(lambda: Monitoring(tuned=0.0), "tuned", id="tuned"),
        pytest.param(lambda: evidence((CONVERSION, rates(a=(0, 1))), exposed={"a": -1}), "exposed", id="negative"),
        pytest.param(lambda: evidence((CONVERSION, rates(control=(0, 1))), per_day=-1.0), "per_day", id="per day"),
        pytest.param(lambda: decide(GUARDED, evidence((CONVERSION, rates(control=(0, 1), bar=(0, 1))))), "summaries",
                     id="a metric is missing"),
        pytest.param(lambda: decide(PLAN, evidence((CONVERSION, rates(control=(0, 1), other=(0, 1))))), "exposed",
                     id="another arm"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(make: Any, field: str) -> None:
    with pytest.raises(ExperimentRefused) as refused:
        make()
    assert refused.value.field == field
