"""Who enters and leaves a segment night by night, what a kill and an edit leave behind, and what is measured."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from purchase_intent import tasks
from purchase_intent.events import EventName
from purchase_intent.models import Order, Score, Segment, SegmentMembership, SegmentReport, Session, Visitor
from purchase_intent.scoring.pruning import prune
from purchase_intent.segments import filling, people
from purchase_intent.segments.editing import save_rule, switch
from purchase_intent.segments.filling import fill_segments
from purchase_intent.segments.live import segments_of
from purchase_intent.segments.lived import visits_lived
from purchase_intent.segments.presets import install
from purchase_intent.segments.tally import spending
from tests.integration.desk.things import version, walk
from tests.integration.segments.street import CART, CHECKOUT, MONDAY, PURCHASE, SUNDAY, VIEW, Make, rule_of, shopper

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def members(key: str) -> list[str]:
    found = SegmentMembership.objects.open().filter(segment__key=key)
    return sorted(found.values_list("visitor__cookie", flat=True))


def history(key: str) -> list[tuple[Any, ...]]:
    rows = SegmentMembership.objects.filter(segment__key=key).order_by("visitor__cookie", "pk")
    return list(rows.values_list("visitor__cookie", "version__number", "entered_at", "left_at", "why"))


def street() -> None:
    shopper("abandoner", (VIEW, CART))
    shopper("buyer", (VIEW,), (VIEW, CART, PURCHASE))
    shopper("looker", (VIEW,), (VIEW,))
    shopper("newcomer", (VIEW,))
    shopper("robot", (VIEW,), bot="crawler")
    shopper("long-gone", (VIEW,), begin=SUNDAY - 100 * DAY)
    walk(Visitor.objects.create(cookie="here", first_seen=MONDAY, last_seen=MONDAY), "now", (VIEW,), begin=MONDAY)


def test_the_built_in_segments_hold_whom_they_name() -> None:
    install(now=SUNDAY)  # a test before this one may have emptied the tables
    assert install(now=SUNDAY) == []
    assert set(Segment.objects.values_list("origin", flat=True)) == set(Segment.objects.values_list("key", flat=True))
    street()
    Session.objects.filter(visitor__cookie="buyer").update(score=0.9, band="top_1")
    done = fill_segments(MONDAY)
    assert {key: members(key) for key in done.sizes} == {
        "cart-abandoners": ["abandoner"],
        "chance-of-80": ["buyer"],
        "evening-browsers": [],
        "high-value": ["buyer"],
        "new-visitors": ["abandoner", "newcomer"],
        "returning-non-buyers": ["looker"],
        "sure-buyers": ["buyer"],
        "weekend-shoppers": ["abandoner", "buyer", "looker", "newcomer"],
    }
    assert (done.looked_at, done.entered, done.left) == (4, 11, 0)


def test_a_second_run_finds_nothing_to_do(make: Make) -> None:
    make("fresh", ("visits", "=", 1))
    street()
    fill_segments(MONDAY)
    before = history("fresh")
    again = fill_segments(MONDAY)
    assert (again.entered, again.left, again.sizes) == (0, 0, {"fresh": 2})
    assert history("fresh") == before
    later = fill_segments(MONDAY + DAY)  # who was on a visit that night has come in
    assert (later.entered, later.left, later.sizes) == (1, 0, {"fresh": 3})
    assert members("fresh") == ["abandoner", "here", "newcomer"]


def test_who_is_on_a_visit_keeps_what_they_had(make: Make) -> None:
    make("fresh", ("visits", "=", 1))
    owner = shopper("one", (VIEW,))
    fill_segments(MONDAY)
    walk(owner, "back", (VIEW,), begin=MONDAY + DAY)
    assert (fill_segments(MONDAY + DAY).left, members("fresh")) == (0, ["one"])
    fill_segments(MONDAY + 2 * DAY)
    assert history("fresh") == [("one", 1, MONDAY, MONDAY + 2 * DAY, "rule")]


def test_a_run_that_was_killed_goes_on(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    make("fresh", ("visits", "=", 1))
    for number in range(7):
        shopper(f"v{number}", (VIEW,))
    monkeypatch.setattr(people.pages, "__kwdefaults__", {"most": 2})
    calls = []

    def killed(*given: Any) -> Any:
        calls.append(given)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return spending(*given)

    monkeypatch.setattr(filling, "spending", killed)
    with pytest.raises(KeyboardInterrupt):
        fill_segments(MONDAY)
    assert (len(members("fresh")), SegmentReport.objects.count()) == (6, 0)
    done = fill_segments(MONDAY)
    assert (done.entered, done.sizes) == (1, {"fresh": 7})
    assert {row[2] for row in history("fresh")} == {MONDAY}
    assert SegmentReport.objects.get().size == 7


def test_an_edit_is_a_new_version_and_old_memberships_keep_theirs(make: Make) -> None:
    segment = make("choosers", ("visits", ">=", 1))
    street()
    fill_segments(MONDAY)
    assert save_rule(segment, rule_of(("visits", ">=", 2)), who="ada", now=MONDAY)
    assert not save_rule(segment, rule_of(("visits", ">=", 2)), who="ada", now=MONDAY)
    assert [(each.number, each.who) for each in segment.versions.all()] == [(2, "ada"), (1, "test")]
    assert {row[1] for row in history("choosers")} == {1}
    fill_segments(MONDAY + DAY, keys=["choosers"])
    later = MONDAY + DAY
    assert history("choosers")[:3] == [
        ("abandoner", 1, MONDAY, later, "edit"),
        ("buyer", 1, MONDAY, later, "edit"),
        ("buyer", 2, later, None, ""),
    ]
    assert members("choosers") == ["buyer", "looker"]


def test_an_edit_in_the_middle_of_a_run_begins_it_again(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    segment = make("choosers", ("visits", ">=", 1))
    street()

    def edited(*given: Any) -> Any:
        monkeypatch.setattr(filling, "spending", spending)
        save_rule(segment, rule_of(("visits", ">=", 2)), who="ada", now=MONDAY)
        return spending(*given)

    monkeypatch.setattr(filling, "spending", edited)
    assert fill_segments(MONDAY).sizes == {"choosers": 2}
    assert members("choosers") == ["buyer", "looker"]
    assert SegmentReport.objects.get().version.number == 2


def test_who_is_gone_or_turns_out_to_be_a_bot_leaves(make: Make) -> None:
    make("fresh", ("visits", "=", 1))
    shopper("gone", (VIEW,))
    shopper("robot", (VIEW,))
    shopper("stays", (VIEW,), begin=SUNDAY + 60 * DAY)
    fill_segments(MONDAY + 61 * DAY)
    Visitor.objects.filter(cookie="robot").update(bot="crawler")
    done = fill_segments(MONDAY + 95 * DAY)
    assert (done.left, members("fresh")) == (2, ["stays"])
    assert {row[4] for row in history("fresh")} == {"", "away"}


def test_a_segment_switched_off_has_no_members_and_comes_back(make: Make) -> None:
    segment = make("fresh", ("visits", "=", 1))
    shopper("one", (VIEW,))
    fill_segments(MONDAY)
    assert switch(segment, on=False, now=MONDAY + DAY)
    assert not switch(segment, on=False, now=MONDAY + DAY)
    assert history("fresh") == [("one", 1, MONDAY, MONDAY + DAY, "off")]
    assert fill_segments(MONDAY + 2 * DAY).sizes == {}
    switch(segment, on=True, now=MONDAY + 3 * DAY)
    assert fill_segments(MONDAY + 3 * DAY).sizes == {"fresh": 1}


def test_conditions_that_a_later_release_does_not_know_are_left_out_and_logged_once(
    make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    segment = make("fresh", ("visits", "=", 1))
    make("other", ("visits", ">=", 1))
    shopper("one", (VIEW,))
    rule = {"match": "all", "conditions": [{"field": "shoe_size", "operator": "=", "value": 1}]}
    segment.versions.update(rule=rule)
    assert fill_segments(MONDAY).sizes == {"other": 1}
    fill_segments(MONDAY)
    said = (
        "Segment fresh is left out until its conditions are edited: condition 1, field: there is no field “shoe_size”"
    )
    assert [record.getMessage() for record in caplog.records] == [f"{said}: choose one of the list."]


def test_the_figures_are_those_of_members_and_of_the_rest(make: Make) -> None:
    make("returning", ("visits", ">=", 2))
    shopper("a", (VIEW,), (VIEW, CART, PURCHASE), revenue="30.00")
    shopper("b", (VIEW,), (VIEW,), (VIEW, PURCHASE), revenue="10.00")
    shopper("c", (VIEW,), (VIEW,))
    shopper("d", (VIEW, PURCHASE), revenue="60.00")
    for name in "efgh":
        shopper(name, (VIEW,))
    fill_segments(MONDAY)
    report = SegmentReport.objects.get()
    found = report.figures
    assert (report.size, report.looked_at, found["days"]) == (3, 8, 90)
    assert (found["visits"], found["orders"], found["revenue"]) == (7, 2, 40.0)
    shares = {name: found[name]["value"] for name in ("share", "conversion", "conversion_of_rest", "revenue_share")}
    assert shares == pytest.approx(
        {"share": 3 / 8, "conversion": 2 / 7, "conversion_of_rest": 0.2, "revenue_share": 0.4}
    )
    assert found["order_value"]["value"] == 20.0
    assert found["order_value_of_rest"] is None  # of one order there is no interval
    assert all(0 <= found[name]["low"] <= found[name]["value"] <= found[name]["high"] <= 1 for name in shares)
    assert "visits" not in {trait["field"] for trait in found["traits"]}
    assert found["traits"][0]["effect"] > 0.8
    assert found["after"] is None
    # Members brought 30, 10 and nothing, the others 60 and four times nothing.
    each, rest = found["revenue_each"], found["revenue_each_of_rest"]
    assert (each["value"], rest["value"], each["of"]) == (pytest.approx(40 / 3), 12.0, 3)
    assert each["high"] == pytest.approx(40 / 3 + 1.959964 * np.std([30, 10, 0], ddof=1) / 3**0.5)


def test_a_preview_draws_from_those_who_came_first_and_last_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    Visitor.objects.bulk_create(
        Visitor(cookie=f"v{number}", first_seen=SUNDAY, last_seen=SUNDAY + timedelta(seconds=number))
        for number in range(1_000)
    )
    monkeypatch.setattr(people, "_read", lambda keys, moment, *, compiles: keys)

    def drawn_keys(most: int) -> list[int]:
        found: Any = people.drawn_people(MONDAY, most=most)
        return list(found)

    drawn = drawn_keys(100)
    assert len(drawn) == 100
    first = Visitor.objects.order_by("pk").values_list("pk", flat=True)[0]
    tenths = np.bincount([(key - first) // 100 for key in drawn], minlength=10)
    assert tenths.tolist() == pytest.approx([10] * 10, abs=1)
    assert drawn_keys(100) == drawn
    assert len(drawn_keys(2_000)) == 1_000


def test_no_trait_says_what_the_rule_says_nor_means_what_has_no_mean(make: Make) -> None:
    make("hot", ("band", ">=", "top_5"))
    for number in range(8):
        names = (VIEW,) * (1 + number % 3) + ((CART, CHECKOUT) if number < 3 else ())
        shopper(f"v{number}", names)
        band = "top_1" if number < 4 else ""
        Session.objects.filter(visitor__cookie=f"v{number}").update(score=0.9 - number / 10, band=band)
    fill_segments(MONDAY)
    told = {trait["field"] for trait in SegmentReport.objects.get().figures["traits"]}
    assert told
    assert told.isdisjoint({"band", "score", "checkout_step", "weekday"})


def test_orders_after_entering_are_counted_once_a_week_is_over(make: Make) -> None:
    make("fresh", ("visits", "=", 1))
    owner, _ = shopper("one", (VIEW,)), shopper("two", (VIEW,))
    fill_segments(MONDAY)
    Order.objects.create(number="o1", visitor=owner, revenue=5, placed_at=MONDAY + 3 * DAY)
    fill_segments(MONDAY + 8 * DAY)
    after = SegmentReport.objects.latest("moment").figures["after"]
    assert (after["value"], after["of"]) == (0.5, 2)


def test_nobody_at_all(make: Make) -> None:
    make("fresh", ("visits", "=", 1))
    assert fill_segments(MONDAY).sizes == {"fresh": 0}
    report = SegmentReport.objects.get()
    assert (report.size, report.looked_at, report.figures["conversion"], report.figures["traits"]) == (0, 0, None, [])


def test_the_task_says_how_many_and_prune_takes_what_is_old(make: Make) -> None:
    make("fresh", ("visits", "=", 1))
    shopper("one", (VIEW,), begin=SUNDAY)
    assert tasks.fill_segments(["nothing"]) == {}
    fill_segments(MONDAY)
    fill_segments(MONDAY + 100 * DAY)
    assert SegmentMembership.objects.filter(left_at__isnull=False).count() == 1
    prune(MONDAY + 420 * DAY)
    assert (SegmentMembership.objects.count(), SegmentReport.objects.count()) == (0, 1)


def test_visits_of_the_past_are_judged_as_they_were_event_by_event() -> None:
    owner = shopper("buyer", (VIEW,), (VIEW, CART, PURCHASE), (VIEW, EventName.LOGIN, VIEW))
    install(now=SUNDAY)
    visits = list(Session.objects.filter(visitor=owner).order_by("started_at"))
    champion = version()
    said = {"probability": 0.9, "band": "top_1", "model": champion}
    Score.objects.create(session=visits[1], moment=visits[1].started_at + timedelta(seconds=30), **said)
    Score.objects.create(session=visits[0], moment=visits[0].started_at, shadow=True, **said)
    found = {
        visit.key: [segments_of(subject) for subject in subjects]
        for visit, subjects in visits_lived([visit.pk for visit in visits])
    }
    clock = {"weekend-shoppers", "evening-browsers"}
    told = {key: [sorted(set(each) - clock) for each in steps] for key, steps in found.items()}
    scored = ["chance-of-80", "high-value"]
    assert told == {
        "buyer-0": [["new-visitors"]],
        "buyer-1": [["returning-non-buyers"], [*scored, "returning-non-buyers"], [*scored, "sure-buyers"]],
        "buyer-2": [[], [], []],
    }
