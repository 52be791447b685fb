"""A real test with a published conclusion: a game's gate at level 40 instead of 30 loses players within seven days.

Cookie Cats (Tactile Entertainment, published through DataCamp): 90,189 players, retention after 7 days 19.02% with the
gate at 30 and 18.20% at 40. The usual analyses find p = 0.0016, and in 99.9% of bootstrap samples the early gate ahead.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray

from purchase_intent.stats.always_valid import always_valid_p_value
from purchase_intent.stats.bayes import posterior_of_rates
from purchase_intent.stats.boundaries import repeated_p_value
from purchase_intent.stats.evidence import Evidence
from purchase_intent.stats.inference import Kind
from purchase_intent.stats.monitoring import Monitoring, Rule
from purchase_intent.stats.plan import Metric, Plan
from purchase_intent.stats.proportions import compare_rates
from purchase_intent.stats.sample_ratio import sample_ratio
from purchase_intent.stats.summaries import Summary
from purchase_intent.stats.verdict import Decision, Verdict, decide

LOOKS = 14
PLAN = Plan(
    control="gate_30",
    arms=("gate_30", "gate_40"),
    weights=(0.5, 0.5),
    primary=Metric("retention after 7 days", Kind.RATE),
    units=90_189,
    monitoring=Monitoring(looks=LOOKS),
)
Players = dict[str, NDArray[np.bool_]]


@pytest.fixture(scope="module")
def players(real_logs: Path) -> Players:
    table = pq.read_table(real_logs / "experiments" / "cookie_cats.parquet")
    columns = {name: table[name].to_numpy() for name in ("retention_1", "retention_7")}
    return columns | {"late": np.asarray(table["version"].to_pylist()) == "gate_40"}


def arms(players: Players, column: str, until: int | None = None) -> tuple[Summary, Summary]:
    late, kept = players["late"][:until], players[column][:until]
    early = Summary.of_successes(int(kept[~late].sum()), int((~late).sum()))
    return early, Summary.of_successes(int(kept[late].sum()), int(late.sum()))


def test_retention_after_seven_days_is_worse_at_gate_40(players: Players) -> None:
    found = compare_rates(*arms(players, "retention_7"))
    assert (found.control, found.treatment) == pytest.approx((0.1902013, 0.1820000), abs=1e-7)
    assert found.p_value == pytest.approx(0.00155, abs=5e-6)
    assert found.difference.high < 0
    assert posterior_of_rates(*arms(players, "retention_7")).chance_better == pytest.approx(0.0008, abs=5e-5)


def test_retention_after_one_day_is_not_told_apart(players: Players) -> None:
    found = compare_rates(*arms(players, "retention_1"))
    assert found.p_value == pytest.approx(0.0744, abs=5e-5)
    assert posterior_of_rates(*arms(players, "retention_1")).chance_better == pytest.approx(0.037, abs=5e-4)


def test_the_split_is_a_little_uneven_but_not_beyond_chance(players: Players) -> None:
    found = sample_ratio([arm.n for arm in arms(players, "retention_7")], (0.5, 0.5))
    assert found.counts == (44_700, 45_489)
    assert found.p_value == pytest.approx(0.0086, abs=5e-5)
    assert found.sequential_p_value == pytest.approx(0.31, abs=0.005)


def watched(players: Players) -> list[Decision]:
    """The verdicts of fourteen planned looks, in the order of the file: it does not tell when players came."""
    found: list[Decision] = []
    previous: tuple[float, ...] = ()
    for look in range(LOOKS):
        early, late = arms(players, "retention_7", round(PLAN.units * (look + 1) / LOOKS))
        evidence = Evidence(
            exposed={"gate_30": early.n, "gate_40": late.n},
            summaries={PLAN.primary.name: {"gate_30": early, "gate_40": late}},
            day=date(2026, 3, 1 + look),
            previous=previous,
            planned=True,
        )
        found.append(decide(PLAN, evidence))
        previous = (*previous, found[-1].share)
    return found


def test_fourteen_planned_looks_roll_the_late_gate_back(players: Players) -> None:
    decisions = watched(players)
    assert [each.verdict for each in decisions] == [Verdict.HOLD] * 7 + [Verdict.ROLL_BACK] * 7
    last = decisions[-1]
    assert last.rule is not None
    assert (last.rule.rule, last.rule.number, last.rolled_back) == (Rule.GROUP_SEQUENTIAL, LOOKS, ("gate_40",))


def test_the_sequential_p_values_say_how_sure_one_may_be(players: Players) -> None:
    found = compare_rates(*arms(players, "retention_7"))
    z = found.difference.value / found.error
    looks = tuple((look + 1) / LOOKS for look in range(LOOKS))
    assert repeated_p_value(looks, z) == pytest.approx(0.0020, abs=5e-5)
    assert always_valid_p_value(1.0, z) == pytest.approx(0.035, abs=5e-4)
