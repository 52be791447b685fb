"""How large an experiment has to be: worked out from the shop's own visits, and frozen by its start."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from purchase_intent.exceptions import ExperimentRefused
from purchase_intent.experiments import past as past_of_experiments
from purchase_intent.experiments.analysing import analyse_unrecorded
from purchase_intent.experiments.definition import ArmSpec, Definition, GroupRange, MetricSpec
from purchase_intent.experiments.design import Design
from purchase_intent.experiments.editing import make_experiment
from purchase_intent.experiments.measuring.measure import measure
from purchase_intent.experiments.planning import NOBODY, planned, proposal
from purchase_intent.experiments.results import SegmentResult
from purchase_intent.models import (
    Experiment,
    Exposure,
    Holdout,
    Merge,
    Order,
    Score,
    Segment,
    SegmentMembership,
    Session,
    Visitor,
)
from purchase_intent.segments.active import forget_segments
from purchase_intent.segments.presets import install
from purchase_intent.stats.inference import Kind
from purchase_intent.stats.monitoring import Monitoring
from purchase_intent.stats.power import sizing, spread_of
from purchase_intent.stats.summaries import Summary
from tests.integration.desk.things import version
from tests.integration.experiments.town import BEGIN, METRICS, open_town, running, shoppers
from tests.integration.segments.street import CART, VIEW, segment_of, shopper

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
CONVERSION = (MetricSpec(kind="conversion", role="primary", window_days=7),)


def definition(**fields: Any) -> Definition:
    arms = (ArmSpec("off", 0.5), ArmSpec("on", 0.5))
    return Definition(**({"key": "bar", "title": "Bar", "arms": arms, "metrics": CONVERSION} | fields))


def past(people: int, buyers: int, *, robots: int = 0) -> None:
    """Visitors of the 28 days before the window, twice each; some order within it, the same number too late."""
    for number in range(people + robots):
        at = BEGIN - 35 * DAY + 27 * DAY * number / (people + robots)
        bot = "crawler" if number >= people else ""
        owner = Visitor.objects.create(cookie=f"p{number}", first_seen=at, last_seen=BEGIN, bot=bot)
        for place, begin in enumerate((at, at + timedelta(hours=9))):
            Session.objects.create(key=f"p{number}-{place}", visitor=owner, started_at=begin, last_at=begin)
        if number < 2 * buyers:
            placed = at + (DAY if number < buyers else 8 * DAY)
            Order.objects.create(number=str(number), visitor=owner, revenue=Decimal(9), placed_at=placed)


def test_the_size_follows_from_the_shops_own_last_weeks() -> None:
    past(280, 30, robots=5)
    Holdout.objects.create(key="never", share=0.1)
    found = proposal(
        definition(traffic=0.5, group=GroupRange("g", 0.2, 0.6), holdout="never", design=Design(lift=0.2)), now=BEGIN
    )
    expected = sizing(
        spread_of(Summary.of_successes(30, 280), Kind.RATE),
        0.2,
        per_day=found.per_day,
        monitoring=Monitoring(),
    )
    assert found.per_day == pytest.approx(280 / 28 * 0.5 * 0.4 * 0.9)
    assert found.baseline == pytest.approx(30 / 280)
    assert (found.sizing, found.missing) == (expected, "")


def test_what_the_stored_scores_foretold_makes_it_shorter() -> None:
    past(280, 30)
    champion, none = version(), definition(design=Design(lift=0.2, adjusted=False))
    first = Session.objects.filter(key__endswith="-0").order_by("pk")
    scores = [0.6 if number < 20 else 0.1 + number % 7 / 50 for number in range(len(first))]
    made = [
        Score(session=visit, model=champion, moment=visit.started_at + timedelta(minutes=2), probability=chance)
        for visit, chance in zip(first, scores, strict=True)
    ]
    made += [  # what was said later, by a challenger, and of a second visit is not what an exposure would have known
        Score(session=visit, model=champion, moment=visit.started_at + timedelta(hours=3), probability=0.5)
        for visit in first
    ]
    made += [Score(session=each.session, model=champion, moment=BEGIN, probability=0, shadow=True) for each in made[:9]]
    Score.objects.bulk_create(made)
    plain, found = proposal(none, now=BEGIN), proposal(definition(design=Design(lift=0.2)), now=BEGIN)
    squared = np.corrcoef(scores, [number < 30 for number in range(280)])[0, 1] ** 2
    assert found.reduction == pytest.approx(1 - (1 - squared) * 279 / 278)
    assert found.spread is not None
    assert plain.spread is not None
    assert found.spread.variance == pytest.approx(plain.spread.variance * (1 - found.reduction))
    assert found.sizing is not None
    assert plain.sizing is not None
    assert found.sizing.units < 0.7 * plain.sizing.units
    assert (found.baseline, found.per_day, plain.reduction) == (plain.baseline, plain.per_day, 0.0)
    assert found.assumed == (
        "Reckoned from the 280 visitors who came from 26 January to 23 February 2026, each from the first visit on.",
        (
            f"The chance to buy is expected to take {found.reduction:.1%} of the noise out, as the scores stored at "
            "the time did for 280 of these visitors."
        ),
    )
    assert plain.assumed[1] == "The chance to buy takes no noise out: it was decided so."
    Score.objects.filter(session__in=list(first[99:])).delete()
    few = proposal(definition(), now=BEGIN)
    assert few.reduction == 0.0
    assert few.assumed[1].endswith("a score was stored of 99 of these visits, and 100 are needed to say how much.")
    frozen = planned(running(begin=BEGIN))
    assert (frozen.reduction, frozen.assumed) == (0.0, proposal(definition(metrics=METRICS), now=BEGIN).assumed)


def street(count: int) -> None:
    """Shoppers a day each, of whom every third fills a basket in a second visit, and every sixth then orders."""
    for number in range(count):
        at = BEGIN - 30 * DAY + 20 * DAY * number / count
        ways = [(VIEW, VIEW)] + ([(VIEW, CART, VIEW)] if number % 3 == 0 else [])
        owner = shopper(f"s{number}", *ways, begin=at)
        if number % 6 == 0:
            Order.objects.create(number=str(number), visitor=owner, revenue=Decimal(9), placed_at=at + DAY)


def test_an_experiment_for_a_segment_is_sized_by_the_segments_own_visits(monkeypatch: pytest.MonkeyPatch) -> None:
    street(60)
    segment_of("fills", ("cart_units", ">=", 1))
    segment_of("fresh", ("visits", "=", 1))
    segment_of("good", ("customer_score", ">=", "50%"))
    own = definition(segment="fills", traffic=0.5)
    found = proposal(own, now=BEGIN)
    assert found.baseline == 0.5
    assert found.per_day == pytest.approx(20 / 28 * 0.5)
    assert found.sizing is not None
    assert found.assumed[0] == (
        "Reckoned from 20 visitors of “fills” from 26 January to 23 February 2026, each from the first moment at which "
        "the visit met the conditions, by what was known then."
    )
    assert proposal(definition(segment="fresh"), now=BEGIN).baseline == pytest.approx(10 / 60)
    # What happened in the window alone may differ: who belonged, and when, is known before.
    Order.objects.all().delete()
    bare = proposal(own, now=BEGIN)
    assert (bare.baseline, bare.per_day, bare.assumed) == (0.0, found.per_day, found.assumed)
    # The nightly scores of then are not kept: their members are.
    owners = list(Visitor.objects.order_by("pk")[:12])
    good = Segment.objects.get(key="good")
    SegmentMembership.objects.bulk_create(
        SegmentMembership(visitor=each, entered_at=BEGIN - 90 * DAY, segment=good, version=good.current)
        for each in owners
    )
    nightly = proposal(definition(segment="good"), now=BEGIN)
    assert nightly.per_day == pytest.approx(12 / 28)
    assert "as members of “good” by the nightly look before" in nightly.assumed[0]
    # Of many visits a part is lived through.
    monkeypatch.setattr(past_of_experiments, "PART", 20)
    monkeypatch.setattr(past_of_experiments, "ENOUGH", 5)
    part = proposal(own, now=BEGIN)
    assert part.assumed[1] == "They were found in 25.0% of all visits, and reckoned up."
    assert part.per_day == pytest.approx(5 * 4 / 28 * 0.5)
    Segment.objects.update(is_active=False)
    forget_segments()
    off = proposal(own, now=BEGIN)
    assert (off.per_day, off.sizing, off.missing) == (0.0, None, NOBODY)


def test_an_arm_that_nobody_gets_makes_it_no_longer() -> None:
    past(280, 30)
    rested = (ArmSpec("off", 0.5), ArmSpec("on", 0.5), ArmSpec("new", 0.0))
    assert proposal(definition(arms=rested), now=BEGIN).sizing == proposal(definition(), now=BEGIN).sizing is not None


@pytest.mark.parametrize(
    ("design", "worked_out"),
    [
        pytest.param({"lift": 0.2}, True, id="from the data"),
        pytest.param({"units": 5_000}, False, id="as it was said"),
    ],
)
def test_a_start_freezes_the_plan(design: dict[str, Any], worked_out: bool) -> None:
    past(280, 30)
    wanted = proposal(definition(design=Design(**design)), now=BEGIN)
    assert wanted.sizing is not None
    experiment = running(metrics=CONVERSION, design={"units": None, **design})
    found = planned(experiment)
    assert found.plan.units == (wanted.sizing.units if worked_out else 5_000)
    assert (found.is_worked_out, found.per_day, found.plan.monitoring.looks) == (worked_out, 10, 28)
    days = -(-found.plan.units // 10) + 7
    assert found.ends == date(2026, 3, 2) + timedelta(days=days)
    past_of = experiment.plan
    Order.objects.all().delete()
    experiment.refresh_from_db()
    assert experiment.plan == past_of


def test_a_draft_is_not_looked_at() -> None:
    draft = make_experiment(definition(), who="ada", now=BEGIN)
    with pytest.raises(ExperimentRefused, match="state: bar has not begun: start it, and then look at it"):
        analyse_unrecorded(draft, moment=BEGIN + DAY)


def test_who_belonged_to_a_segment_is_told_by_the_exposure_that_counts() -> None:
    experiment = running(metrics=CONVERSION)
    owners = open_town(experiment, shoppers(40, days=3))
    fresh, gone = segment_of("fresh", ("visits", "=", 1)), segment_of("gone", ("visits", ">", 1))
    SegmentMembership.objects.bulk_create(
        SegmentMembership(visitor=each, entered_at=BEGIN, segment=fresh, version=fresh.current) for each in owners[20:]
    )
    told = Exposure.listed([fresh.pk, gone.pk])
    assert Exposure.unlisted(told) == [fresh.pk, gone.pk]
    Exposure.objects.filter(visitor__in=owners[:10]).update(segments=told)
    Exposure.objects.filter(visitor__in=owners[10:30]).update(segments="")  # of ten the night says something else
    # One person twice: the later exposure was within the segment, the earlier, which counts, was not.
    later, earlier = owners[30], owners[12]
    Exposure.objects.filter(visitor=later).update(segments=told)
    Merge.objects.create(customer="ada", visitor=later, anonymous=earlier, happened_at=BEGIN + 9 * DAY, sequence=1)
    gone.delete()
    moment = BEGIN + 12 * DAY
    (found,) = analyse_unrecorded(experiment, moment=moment, segments=True).result.segments
    assert (found.key, found.by_night, sum(each.n for each in found.arms)) == ("fresh", 9, 19)
    Exposure.objects.filter(segments=None).update(segments="")
    (found,) = analyse_unrecorded(experiment, moment=moment, segments=True).result.segments
    assert (found.by_night, [each.n for each in found.arms]) == (0, [5, 5])
    assert SegmentResult.from_json(found.as_json()) == found
    older = {name: value for name, value in found.as_json().items() if name != "by_night"}
    assert SegmentResult.from_json(older).by_night is None
    Segment.objects.filter(pk=fresh.pk).update(is_active=False)
    assert analyse_unrecorded(experiment, moment=moment, segments=True).result.segments == ()
    Segment.objects.filter(pk=fresh.pk).update(is_active=True)
    Experiment.objects.filter(pk=experiment.pk).update(segment=fresh)  # whom all belong to
    experiment.refresh_from_db()
    assert analyse_unrecorded(experiment, moment=moment, segments=True).result.segments == ()


def test_the_primary_metric_is_told_within_segments_the_built_in_ones_first() -> None:
    experiment = running(metrics=CONVERSION)
    owners = open_town(experiment, shoppers(300, days=3))
    install(now=BEGIN)  # those that are not there
    segment = Segment.objects.get(origin="new-visitors")
    assert segment.current is not None
    later = {"segment": segment, "version": segment.current}
    SegmentMembership.objects.bulk_create(
        [
            *(SegmentMembership(visitor=each, entered_at=BEGIN, **later) for each in owners[:250]),
            *(SegmentMembership(visitor=each, entered_at=BEGIN + 9 * DAY, **later) for each in owners[250:]),
        ]
    )
    own = segment_of("a-segment-of-the-shop", ("visits", ">=", 1))
    SegmentMembership.objects.bulk_create(
        SegmentMembership(visitor=each, entered_at=BEGIN, segment=own, version=own.current) for each in owners[:100]
    )
    moment = BEGIN + 12 * DAY
    result = analyse_unrecorded(experiment, moment=moment, segments=True).result
    found, beside = result.segments
    assert (beside.key, [each.n for each in beside.arms]) == (own.key, [50, 50])
    inside = measure(experiment, moment=moment, segment=segment.pk).summaries("conversion")
    assert (found.key, [each.n for each in found.arms]) == (segment.key, [125, 125])
    assert [each.value for each in found.arms] == [pytest.approx(inside[each.arm].mean) for each in found.arms]
    assert (found.by_night, beside.by_night) == (250, 100)  # these exposures say nothing
    (versus,) = found.versus
    assert versus.fixed is not None
    assert (versus.watched, versus.state) == (None, "")  # it decides nothing
