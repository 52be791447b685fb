"""What is measured of an experiment, from rows to figures, against plain Python and other libraries."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tea_tasting
from scipy.stats import ttest_ind
from statsmodels.stats import proportion as oracle

from purchase_intent.experiments.analysing import analyse_unrecorded
from purchase_intent.experiments.definition import MetricSpec
from purchase_intent.experiments.editing import stop_experiment
from purchase_intent.experiments.measuring.measure import exposed_units, measure
from purchase_intent.models import Experiment, Exposure, Merge, Visitor
from purchase_intent.stats.summaries import Summary
from tests.integration.experiments.town import BEGIN, METRICS, Shopper, open_town, running, shoppers

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
MOMENT = BEGIN + 12 * DAY
SAME = 1e-9
DEEDS = [
    (timedelta(0), 1.0),  # in the same moment: no arm has worked yet
    (timedelta(microseconds=1), 2.0),
    (3 * DAY, 4.0),
    (3 * DAY + timedelta(microseconds=1), 8.0),
]


def frame(people: list[Shopper], caps: Any, fill: float) -> dict[str, pd.DataFrame]:
    """A line each person whose window is over, for every metric."""
    found = {}
    for metric in METRICS:
        lines = []
        for who in people:
            if who.at >= MOMENT - metric.window_days * DAY:
                continue
            within = [each for each in who.deeds if who.at < each[1] <= who.at + metric.window_days * DAY]
            names = [name for name, _, _ in within]
            spent = [amount for name, _, amount in within if name == "order"]
            cap = caps.get(metric.name) or np.inf
            y, d = {
                "conversion": (float(bool(spent)), 1.0),
                "revenue": (min(sum(spent), cap), 1.0),
                "order_value": (sum(min(each, cap) for each in spent), float(len(spent))),
                "add_to_cart": (float("cart" in names), 1.0),
                "cart_abandonment": (float("cart" in names and not spent), float("cart" in names)),
                "event:search": (float("search" in names), 1.0),
            }[metric.name]
            lines.append((int(who.arm == "on"), fill if who.score is None else who.score, y, d))
        found[metric.name] = pd.DataFrame(lines, columns=["arm", "x", "y", "d"])
    return found


def test_figures_from_rows_are_those_of_other_libraries_on_the_same_people() -> None:
    experiment = running(design={"units": 2_000, "quantile": 0.9})
    people = shoppers(900, days=11)
    open_town(experiment, people)
    found = measure(experiment, moment=MOMENT)
    known = [who.score for who in people if who.score is not None and who.at < MOMENT]
    assert found.fill == pytest.approx(np.mean(known), rel=SAME)
    frames = frame(people, found.caps, found.fill)
    for name, data in frames.items():
        sums = found.summaries(name)
        for place, arm in enumerate(("off", "on")):
            part = data[data["arm"] == place]
            expected = Summary.of(part["y"], part["x"], part["d"])
            got, wanted = sums[arm].as_json(), expected.as_json()
            assert sums[arm].n == len(part) > 100, name
            assert {each: got.get(each, 0) for each in ("y", "yy", "x", "xx", "xy")} == pytest.approx(
                {each: wanted.get(each, 0) for each in ("y", "yy", "x", "xx", "xy")}, rel=SAME
            )
    result = {each.name: each for each in analyse_unrecorded(experiment, moment=MOMENT).result.metrics}
    for name, data in frames.items():
        theirs = data.rename(columns={"arm": "variant"})
        is_ratio = name in ("order_value", "cart_abandonment")
        how = tea_tasting.RatioOfMeans("y", "d", "x") if is_ratio else tea_tasting.Mean("y", "x")
        its = tea_tasting.Experiment(m=how).analyze(theirs)["m"]
        mine = result[name].versus[0].fixed
        assert mine is not None
        assert mine.method == "CUPED"
        assert [mine.difference.value, mine.difference.low, mine.difference.high, mine.p_value] == pytest.approx(
            [its.effect_size, its.effect_size_ci_lower, its.effect_size_ci_upper, its.pvalue], rel=SAME
        )
    assert 0 < result["conversion"].versus[0].variance_cut < 1


def test_without_the_scores_the_figures_are_those_of_the_plain_tests() -> None:
    experiment = running(design={"adjusted": False})
    people = shoppers(900, days=11, seed=2)
    open_town(experiment, people)
    found = analyse_unrecorded(experiment, moment=MOMENT).result
    frames = frame(people, {each.name: each.cap for each in found.metrics}, 0.0)
    result = {each.name: each for each in found.metrics}
    revenue = frames["revenue"]
    off, on = (revenue[revenue["arm"] == arm]["y"] for arm in (0, 1))
    mine, its = result["revenue"].versus[0].fixed, ttest_ind(on, off, equal_var=False)
    assert mine is not None
    low, high = its.confidence_interval()
    assert (mine.p_value, mine.difference.low, mine.difference.high) == pytest.approx((its.pvalue, low, high), rel=SAME)
    counts = frames["conversion"].groupby("arm")["y"].agg(["sum", "count"])
    (b, m), (a, n) = counts.to_numpy().tolist()
    conversion = result["conversion"].versus[0].fixed
    assert conversion is not None
    assert conversion.method == "score"
    assert conversion.p_value == pytest.approx(
        oracle.test_proportions_2indep(a, n, b, m, compare="diff", method="score", correction=True).pvalue, rel=SAME
    )
    figure = result["conversion"].arms[1]
    assert (figure.low, figure.high) == pytest.approx(oracle.proportion_confint(a, n, method="wilson"), rel=SAME)
    assert figure.n == n


def test_each_person_counts_once_by_the_earliest_exposure_and_bots_never() -> None:
    experiment = running()
    at = BEGIN + 2 * DAY
    people = [
        Shopper("off", at, 0.1),  # who logs in later ...
        Shopper("on", at + DAY, 0.2, [("order", at + 2 * DAY, 10.0)]),  # ... as this one
        Shopper("on", at, 0.3, [("order", at + DAY, 20.0)]),
        Shopper("on", at, 0.4, [("order", at + DAY, 40.0)]),
        Shopper("off", at, 0.5, [("order", at + DAY, 80.0)]),
    ]
    anonymous, customer, labelled, staff, joined_back = open_town(experiment, people)
    Visitor.objects.filter(pk=labelled.pk).update(bot="scriptless")
    Visitor.objects.filter(pk=staff.pk).update(bot="staff")
    merge = Merge.objects.create(customer="ada", visitor=customer, anonymous=anonymous, happened_at=at, sequence=1)
    Merge.objects.create(
        customer="eve", visitor=customer, anonymous=joined_back, happened_at=at, sequence=1, undone_at=at, undone_by="x"
    )
    Exposure.objects.create(experiment=experiment, arm=experiment.arms.get(key="on"), unit="not on record yet", at=at)

    def sums() -> tuple[dict[str, int], dict[str, float]]:
        found = measure(experiment, moment=MOMENT)
        return found.exposed(), {arm: each.y for arm, each in found.summaries("revenue").items()}

    assert sums() == ({"off": 2, "on": 0}, {"off": 90.0, "on": 0.0})  # one person, shown "off" first, and one alone
    assert analyse_unrecorded(experiment, moment=MOMENT).result.left_out == {"bots": 2, "twice": 1, "waiting": 1}
    assert [(each.visitor, each.arm, each.at, each.score) for each in exposed_units(experiment, moment=MOMENT)] == [
        (customer.pk, "off", at, 0.1),
        (joined_back.pk, "off", at, 0.5),
    ]
    Merge.objects.filter(pk=merge.pk).update(undone_at=at, undone_by="x")
    assert sums() == ({"off": 2, "on": 1}, {"off": 80.0, "on": 10.0})
    Visitor.objects.filter(pk=customer.pk).update(bot="crawler")
    Merge.objects.filter(pk=merge.pk).update(undone_at=None)
    assert sums() == ({"off": 1, "on": 0}, {"off": 80.0, "on": 0.0})


def test_what_counts_lies_after_the_exposure_and_within_the_window_to_the_microsecond() -> None:
    experiment = running(
        metrics=(MetricSpec(kind="revenue", role="primary", window_days=3),), design={"quantile": 0.999}
    )
    at, tick = BEGIN + DAY, timedelta(microseconds=1)
    deeds = [("order", at + after, amount) for after, amount in DEEDS]
    open_town(experiment, [Shopper("off", at, None, deeds), Shopper("on", at + 3 * DAY, None, [])])
    found = measure(experiment, moment=at + 6 * DAY)
    assert found.exposed() == {"off": 1, "on": 1}
    assert found.summaries("revenue")["off"].as_json() == {"n": 1, "y": 6.0, "yy": 36.0}
    assert measure(experiment, moment=at + 3 * DAY).summaries("revenue")["off"].n == 0  # that window is not over
    assert measure(experiment, moment=at + 3 * DAY + tick).summaries("revenue")["off"].n == 1


def test_batches_add_up_whatever_they_are() -> None:
    experiment = running()
    open_town(experiment, shoppers(200, days=9, seed=3))
    whole = measure(experiment, moment=MOMENT)
    cut = measure(experiment, moment=MOMENT, edges=(BEGIN, BEGIN + 1.3 * DAY, BEGIN + 5 * DAY))
    for metric in METRICS:
        assert cut.summaries(metric.name)["on"].as_json() == pytest.approx(
            whole.summaries(metric.name)["on"].as_json(), rel=SAME
        )
    first, rest = cut.summaries("revenue", last=2)["on"], cut.summaries("revenue", first=2)["on"]
    assert (first + rest).as_json() == pytest.approx(whole.summaries("revenue")["on"].as_json(), rel=SAME)
    assert sum(cut.exposed(last=1).values()) == sum(who.at < BEGIN + 1.3 * DAY for who in shoppers(200, days=9, seed=3))
    assert stopped_counts(experiment) == {"off": 45, "on": 44}


def stopped_counts(experiment: Experiment) -> dict[str, int]:
    """From its stop on, all are shown the same: nobody whose window was open then is counted."""
    stop_experiment(experiment, who="ada", now=BEGIN + 7 * DAY)
    return {arm: each.n for arm, each in measure(experiment, moment=MOMENT).summaries("revenue").items()}
