"""The visits of a plan, before anybody walks them."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from itertools import pairwise

import pytest

from demo_shop.simulator import Plan
from demo_shop.walking import Visit, visits
from demo_shop.walking.people import AGENTS, arrival, person
from purchase_intent.events.names import EventName

PLAN = Plan(start=date(2026, 3, 2), days=7, seed=5)


@pytest.fixture(scope="module")
def found() -> list[Visit]:
    return visits(PLAN, 400)


def test_there_are_as_many_as_asked_and_they_begin_in_order(found: list[Visit]) -> None:
    assert len(found) == 400
    assert [visit.start for visit in found] == sorted(visit.start for visit in found)
    assert all(one.at <= other.at for visit in found for one, other in pairwise(visit.steps))


def test_the_same_plan_gives_the_same_visits_and_another_seed_others(found: list[Visit]) -> None:
    assert visits(PLAN, 400) == found
    assert visits(Plan(start=PLAN.start, days=7, seed=6), 400) != found


def test_every_visitor_begins_with_the_first_visit(found: list[Visit]) -> None:
    numbers = defaultdict(list)
    for visit in found:
        numbers[visit.visitor].append(visit.number)
    assert all(each == list(range(len(each))) for each in numbers.values())
    assert max(map(len, numbers.values())) > 1


def test_an_order_is_one_step_however_many_lines(found: list[Visit]) -> None:
    orders = [step.at for visit in found for step in visit.steps if step.kind is EventName.PURCHASE]
    assert len(orders) == len(set(orders)) > 0


def test_nobody_is_signed_in_who_signed_out_on_that_device(found: list[Visit]) -> None:
    chains = defaultdict(list)
    for visit in found:
        chains[visit.visitor, visit.device].append(visit)
    pairs = [pair for chain in chains.values() for pair in pairwise(chain)]
    assert not [1 for one, other in pairs if one.signs_out and other.known]
    assert any(visit.signs_out for visit in found)
    assert all(
        visit.known or any(step.kind is EventName.LOGIN for step in visit.steps) for visit in found if visit.signs_out
    )


def test_each_visitor_is_somebody_and_comes_from_somewhere(found: list[Visit]) -> None:
    people = {visit.visitor: person(visit.visitor, visit.country, seed=5) for visit in found}
    assert len({each.email for each in people.values()}) == len(people)
    assert person(7, "Poland", seed=5).address["country"] == "DE"
    assert person(7, "France", seed=5) != person(7, "France", seed=6)
    assert {arrival(visit.channel).referer for visit in found} > {"", "https://www.google.com/"}
    assert {visit.device for visit in found} == set(AGENTS)
