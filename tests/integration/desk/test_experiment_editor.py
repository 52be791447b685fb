"""The editor of experiments, which needs no script: what it makes, refuses and shows; exclusion groups and holdouts."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.utils import timezone

from purchase_intent.experiments.definition import ArmSpec, GroupRange, MetricSpec
from purchase_intent.experiments.design import Design
from purchase_intent.experiments.editing import start_experiment, stop_experiment
from purchase_intent.experiments.stored import definition_of
from purchase_intent.models import (
    ExclusionGroup,
    Experiment,
    ExperimentChange,
    Holdout,
    Order,
    Segment,
    Session,
    Visitor,
)
from purchase_intent.segments.editing import save_rule, switch
from tests.integration.desk.conftest import Clerk
from tests.integration.desk.test_experiments import LIST, draft, page_of
from tests.integration.desk.test_segments import plain, words
from tests.integration.experiments.town import BEGIN
from tests.integration.segments.street import rule_of, segment_of

pytestmark = pytest.mark.django_db

GROUPS = "/admin/purchase_intent/exclusiongroup/"
HOLDOUTS = "/admin/purchase_intent/holdout/"
ARMS = ({"key": "plain", "title": "As it is", "weight": "50"}, {"key": "bar", "title": "", "weight": "50 %"})
METRICS = (
    {"kind": "conversion", "role": "primary", "window_days": "7"},
    {"kind": "order_value", "role": "guardrail", "margin": "2,5", "window_days": "14"},
)
SOUND = {
    "title": "Free shipping bar",
    "key": "free-shipping-bar",
    "hypothesis": "It sells.",
    "traffic": "10",
    "lift": "5",
    "power": "80",
    "looks": "28",
    "adjusted": "on",
}


def sent(act: str = "_save", *, arms: Any = ARMS, metrics: Any = METRICS, **fields: str) -> dict[str, str]:
    """What the editor's form sends."""
    data = {act: "1", **SOUND}
    for prefix, rows in (("a", [*arms, {}]), ("m", [*metrics, {"role": "secondary", "window_days": "7"}])):
        data |= {f"{prefix}-TOTAL_FORMS": str(len(rows)), f"{prefix}-INITIAL_FORMS": "0"}
        data |= {f"{prefix}-{place}-{name}": value for place, row in enumerate(rows) for name, value in row.items()}
    return {name: value for name, value in (data | fields).items() if value != "-"}


def street() -> None:
    """Ninety shoppers of the weeks before, a third of whom ordered."""
    begin = timezone.now() - timedelta(days=10)
    people = Visitor.objects.bulk_create(
        Visitor(cookie=f"s{number}", first_seen=begin, last_seen=begin) for number in range(90)
    )
    Session.objects.bulk_create(
        Session(key=each.cookie, visitor=each, started_at=begin, last_at=begin) for each in people
    )
    later = begin + timedelta(hours=1)
    Order.objects.bulk_create(
        Order(number=each.cookie, visitor=each, revenue=20, placed_at=later) for each in people[::3]
    )


def test_an_experiment_is_made_as_it_was_filled_in_and_changed_while_a_draft(desk: Client) -> None:
    Segment.objects.all().delete()
    segment_of("fresh", ("visits", "=", 1))
    ExclusionGroup.objects.create(key="checkout", title="Checkout tests")
    Holdout.objects.create(key="never", share=0.05)
    whom = {"segment": "fresh", "holdout": "never", "group": "checkout", "group_start": "0", "group_end": "33.3"}
    text = plain(desk.post(f"{LIST}add/", sent(**whom, units="5000", ships="on"), follow=True))
    assert "Free shipping bar is a draft now: preview its arms, then start it." in text
    experiment = Experiment.objects.get()
    found = definition_of(experiment)
    assert (found.key, found.title, found.hypothesis, found.traffic) == (*list(SOUND.values())[1::-1], "It sells.", 0.1)
    assert found.arms == (ArmSpec("plain", 0.5, "As it is"), ArmSpec("bar", 0.5))
    assert found.metrics == (
        MetricSpec(kind="conversion", role="primary"),
        MetricSpec(kind="order_value", role="guardrail", margin=0.025, window_days=14),
    )
    assert (found.segment, found.holdout, found.group) == ("fresh", "never", GroupRange("checkout", 0.0, 0.333))
    assert found.design == Design(units=5000, ships=True)
    page = desk.get(page_of(experiment, "edit/")).content.decode()
    assert all(f'value="{value}"' in page for value in ("10", "2.5", "33.3", "5000", "As it is"))
    assert 'name="key"' not in page
    again = sent(
        bandit="10", title="Another title", arms=[{**each, "weight": ""} for each in (*ARMS, {"key": "big"})], key="-"
    )
    assert "Another title is saved." in plain(desk.post(page_of(experiment, "edit/"), again, follow=True))
    after = definition_of(Experiment.objects.get())
    assert [(arm.key, arm.weight) for arm in after.arms] == [("plain", 1 / 3), ("bar", 1 / 3), ("big", 1 / 3)]
    assert (after.key, after.segment, after.group) == ("free-shipping-bar", "", None)
    assert after.design == Design(bandit=0.1)
    changes = ExperimentChange.objects.order_by("pk").values_list("what", "who")
    assert (list(changes), LogEntry.objects.count()) == ([("made", "desk"), ("changed", "desk")], 2)


def test_what_is_not_fit_is_refused_beside_its_field_and_nothing_is_written(desk: Client) -> None:
    draft("taken")
    ExclusionGroup.objects.create(key="checkout")
    conversion, guardrail = METRICS
    cases: list[tuple[dict[str, Any], str]] = [
        ({"key": "taken"}, "Another experiment has this key, for good"),
        ({"key": "Free Bar"}, "Use small letters, digits and single hyphens"),
        ({"title": ""}, "This field is required."),
        ({"traffic": "150"}, "Write a number from 0 and up to 100 per cent, not 150."),
        ({"traffic": "nan"}, "Write a number from 0 and up to 100 per cent"),
        ({"lift": "0"}, "Write a number above 0"),
        ({"power": "3"}, "Give a chance above 0.05 (5%) and below 1, not 0.03 (3%)"),
        ({"looks": "-1"}, "greater than or equal to 0"),
        ({"units": "100", "days": "7"}, "Give the number of visitors or the days, not both."),
        ({"days": "7"}, "Nobody it is for has come in the last 28 days"),
        ({"bandit": "60"}, "Give the least share of every arm, above 0 and up to 0.5 (50%), not 0.6 (60%)"),
        ({"bandit": "10", "ships": "on"}, "A bandit is ended by hand"),
        ({"group_start": "10"}, "Choose the group that the range is of"),
        ({"group": "checkout"}, "Say which range of the group it gets"),
        ({"group": "checkout", "group_start": "50", "group_end": "40"}, "The range ends above where it begins."),
        ({"arms": [ARMS[0]]}, "Arms: Name two or more different arms"),
        ({"arms": [ARMS[0], {**ARMS[1], "weight": "40"}]}, "The weights add up to 90%: change them so that"),
        ({"arms": [ARMS[0], {**ARMS[1], "key": ""}]}, "Give it a key, such as bar"),
        ({"arms": [ARMS[0], {**ARMS[1], "key": "plain"}]}, "Arms: Name two or more different arms"),
        ({"metrics": []}, "Metrics: An experiment has exactly one primary metric"),
        (
            {"metrics": [conversion, {**guardrail, "margin": ""}]},
            "Say how much may be lost at most, in per cent of what it is, such as 2.",
        ),
        ({"metrics": [{**conversion, "margin": "2"}]}, "Only a guardrail tolerates a loss"),
        ({"metrics": [{**conversion, "kind": "event"}]}, "A metric of kind event names one of"),
        ({"metrics": [{**conversion, "window_days": "100"}]}, "less than or equal to 90"),
        ({"metrics": [conversion, {"event": "search", "role": "secondary"}]}, "Choose what is counted."),
        ({"metrics": [conversion, {"kind": "conversion", "role": "secondary"}]}, "Name each metric once"),
        ({"a-TOTAL_FORMS": "x"}, "ManagementForm data is missing"),
    ]
    for changed, said in cases:
        text = plain(desk.post(f"{LIST}add/", sent(**changed)))
        assert said in text, (changed, text)
        assert "Nothing is saved: mend what is marked below." in text
    assert (Experiment.objects.count(), ExperimentChange.objects.count(), LogEntry.objects.count()) == (1, 1, 0)


def test_the_plan_is_shown_from_the_shops_own_data_and_saves_nothing(desk: Client) -> None:
    text = plain(desk.post(f"{LIST}add/", sent("_plan")))
    assert "The plan: nothing is saved yet How long it takes cannot be said yet" in text
    street()
    text = plain(desk.post(f"{LIST}add/", sent("_plan", lift="20", traffic="100")))
    assert "In the last 28 days the share that ordered was 33.33%." in text
    assert "visitors at 3 a day" in text
    assert "The smallest change that is found, by how long it runs runs for visitors smallest change 7 days 22" in text
    assert "They add up to 100% now." in text
    text = plain(desk.post(f"{LIST}add/", sent("_plan", traffic="100", days="100")))
    assert "About 100 days: 321 visitors at 3 a day" in text
    assert Experiment.objects.count() == 0
    assert "About 100 days" not in plain(desk.get(f"{LIST}add/"))
    desk.post(f"{LIST}add/", sent(traffic="100", days="100"))
    assert definition_of(Experiment.objects.get()).design.units == 321
    assert "321 visitors at 3 a day" in words(desk, page_of(Experiment.objects.get(), "start/"))


def test_of_two_who_edit_at_once_the_later_is_told_and_nothing_of_theirs_is_lost(desk: Client) -> None:
    desk.post(f"{LIST}add/", sent())
    experiment = Experiment.objects.get()
    path = page_of(experiment, "edit/")
    seen = hidden(desk, path)
    desk.post(path, sent(key="-", seen=seen, traffic="20"))
    for act in ("_plan", "_more_arms"):
        assert f'name="seen" value="{seen}"' in desk.post(path, sent(act, key="-", seen=seen)).content.decode()
    refused = desk.post(path, sent(key="-", seen=seen, traffic="30"))
    assert "Desk changed it meanwhile: nothing was saved. See how it stands now" in plain(refused)
    assert definition_of(Experiment.objects.get()).traffic == 0.2
    (newest,) = re.findall(r'name="seen" value="(\d+)"', refused.content.decode())
    desk.post(path, sent(key="-", seen=newest, traffic="30"))
    assert definition_of(Experiment.objects.get()).traffic == 0.3
    start = page_of(experiment, "start/")
    read = hidden(desk, start)
    desk.post(path, sent(key="-", traffic="40"))
    assert "It was changed meanwhile, and is not started" in plain(desk.post(start, {"seen": read}))
    assert Experiment.objects.get().state == "draft"
    begun = hidden(desk, path)
    start_experiment(Experiment.objects.get(), who="ada", now=BEGIN)
    data = {"title": "Hers", "hypothesis": ""}
    assert "Ada started it meanwhile: nothing was saved." in plain(desk.post(path, data | {"seen": begun}))
    assert "Hers is saved." in plain(desk.post(path, data | {"seen": hidden(desk, path)}, follow=True))
    assert "Desk changed it meanwhile" in plain(desk.post(path, {"title": "His", "hypothesis": "", "seen": newest}))
    assert Experiment.objects.get().title == "Hers"


def hidden(client: Client, path: str) -> str:
    """What an editor's form sends along, unseen."""
    (found,) = re.findall(r'name="seen" value="([^"]*)"', client.get(path).content.decode())
    return str(found)


def test_an_experiment_may_have_fifty_arms(desk: Client) -> None:
    arms = [{"key": f"arm-{number}", "title": "", "weight": ""} for number in range(50)]
    desk.post(f"{LIST}add/", sent(arms=arms, units="90000"))
    experiment = Experiment.objects.get()
    page = desk.get(page_of(experiment, "edit/")).content.decode()
    assert 'value="arm-49"' in page
    desk.post(page_of(experiment, "edit/"), sent(arms=arms, units="90000", key="-", title="As before"), follow=True)
    found = definition_of(Experiment.objects.get())
    assert (found.title, [arm.weight for arm in found.arms]) == ("As before", [0.02] * 50)


def test_what_becomes_of_the_segment_of_a_running_experiment_is_told(desk: Client) -> None:
    Segment.objects.all().delete()
    segment = segment_of("fresh", ("visits", "=", 1))
    experiment = draft(segment="fresh")
    path = f"/admin/purchase_intent/segment/{segment.pk}/"
    assert "Running experiments are for it" not in words(desk, f"{path}change/")
    start_experiment(experiment, who="ada", now=BEGIN)
    for page in ("change/", "edit/"):
        assert "Running experiments are for it: “Free shipping bar”." in words(desk, f"{path}{page}")
    assert "Whom it is for Fresh Exclusion" in words(desk, page_of(experiment))
    save_rule(segment, rule_of(("visits", "<=", 2)), who="ada", now=BEGIN + timedelta(days=1))
    assert "Whom it is for Fresh, whose conditions were changed while it ran" in words(desk, page_of(experiment))
    switch(segment, on=False, now=BEGIN + timedelta(days=2))
    assert "Fresh, which is switched off: nobody new is taken in" in words(desk, page_of(experiment))
    assert "Switched off, they take in nobody new." in words(desk, f"{path}change/")
    stop_experiment(experiment, who="ada", now=BEGIN + timedelta(days=3))
    switch(segment, on=True, now=BEGIN + timedelta(days=4))
    save_rule(segment, rule_of(("visits", "<=", 3)), who="ada", now=BEGIN + timedelta(days=5))
    assert "Running experiments" not in words(desk, f"{path}change/")
    assert "Fresh, whose conditions were changed while it ran" in words(desk, page_of(experiment))


def test_more_rows_keep_what_was_filled_in(desk: Client) -> None:
    for act, legend in (("_more_arms", "desk-arm"), ("_more_metrics", "desk-metric")):
        page = desk.post(f"{LIST}add/", sent(act, title="", arms=[{"key": "Half typed"}])).content.decode()
        assert page.count(legend) == (3 if legend == "desk-arm" else 5)
        assert 'value="Half typed"' in page
        assert "2,5" in page
        assert "Nothing is saved" not in page


def test_of_one_that_has_begun_only_words_and_what_it_does_by_itself_are_changed(desk: Client) -> None:
    experiment = draft()
    start_experiment(experiment, who="ada", now=BEGIN)
    before = definition_of(experiment)
    path = page_of(experiment, "edit/")
    page = desk.get(path).content.decode()
    assert ('name="traffic"' in page, 'name="a-0-weight"' in page) == (False, False)
    given = {"title": "New words", "hypothesis": "Why.", "rolls_back": "on", "traffic": "100", "a-0-weight": "90"}
    assert "New words is saved." in plain(desk.post(path, given, follow=True))
    after = definition_of(Experiment.objects.get())
    assert (after.title, after.hypothesis, after.design.rolls_back) == ("New words", "Why.", True)
    assert (after.arms, after.traffic, after.metrics) == (before.arms, before.traffic, before.metrics)
    assert "This field is required." in plain(desk.post(path, {"title": ""}))
    assert "rolls back" in words(desk, page_of(experiment))
    stop_experiment(experiment, who="ada", now=BEGIN + timedelta(days=1))
    assert "Last words is saved." in plain(desk.post(path, {"title": "Last words"}, follow=True))


def test_exclusion_groups_show_who_has_what_and_what_is_free(desk: Client, clerk: Clerk) -> None:
    assert "No exclusion groups yet, because none was made" in words(desk, GROUPS)
    assert "Use small letters" in plain(desk.post(f"{GROUPS}add/", {"title": "T", "key": "Not a key"}))
    text = plain(desk.post(f"{GROUPS}add/", {"title": "Checkout tests", "key": "checkout"}, follow=True))
    assert "Checkout is made: experiments can name it now." in text
    assert "Free: 0% to 100%" in text
    assert "Another one has this key" in plain(desk.post(f"{GROUPS}add/", {"title": "T", "key": "checkout"}))
    group = ExclusionGroup.objects.get()
    start_experiment(draft("one", group=GroupRange("checkout", 0.25, 0.5)), who="ada", now=BEGIN)
    draft("two", group=GroupRange("checkout", 0.4, 1), title="A draft")
    own = f"{GROUPS}{group.pk}/"
    text = words(desk, f"{own}change/")
    assert "Free: 0% to 25%, 50% to 100%" in text
    assert "A draft draft 40% to 100% Free shipping bar running 25% to 50%" in text
    assert "Checkout tests checkout Free shipping bar (25% to 50%) 0% to 25%, 50% to 100%" in words(desk, GROUPS)
    assert "Checkout tests: 0% to 25%, 50% to 100%." in words(desk, f"{LIST}add/")
    assert "The title is changed." in plain(desk.post(f"{own}change/", {"title": "Till", "key": "x"}, follow=True))
    group.refresh_from_db()
    assert (group.key, group.title) == ("checkout", "Till")
    assert "This field is required." in plain(desk.post(f"{own}change/", {"title": ""}))
    assert desk.post(f"{own}delete/", {"post": "yes"}).status_code == 403
    reader = clerk("view_exclusiongroup")
    assert "Another title" not in words(reader, f"{own}change/")
    assert (reader.get(f"{GROUPS}add/").status_code, reader.post(f"{own}change/", {"title": "No"}).status_code) == (
        403,
        403,
    )
    Experiment.objects.update(group=None, group_start=None, group_end=None)
    desk.post(f"{own}delete/", {"post": "yes"})
    assert not ExclusionGroup.objects.exists()


def test_holdouts_are_made_once_with_their_share_for_good(desk: Client, clerk: Clerk) -> None:
    assert "No holdouts yet, because none was made" in words(desk, HOLDOUTS)
    for share, said in (("0", "above 0 and below 100"), ("100", "above 0 and below 100"), ("", "required")):
        assert said in plain(desk.post(f"{HOLDOUTS}add/", {"key": "never", "share": share}))
    assert not Holdout.objects.exists()
    text = plain(desk.post(f"{HOLDOUTS}add/", {"key": "never", "share": "5%"}, follow=True))
    assert "5% of all visitors are held out" in text
    holdout = Holdout.objects.get()
    assert (holdout.share, LogEntry.objects.count()) == (0.05, 1)
    draft(holdout="never", traffic=0.5)
    assert "never 5% 1" in words(desk, HOLDOUTS)
    assert "Free shipping bar draft 50%" in words(desk, f"{HOLDOUTS}{holdout.pk}/change/")
    desk.post(f"{HOLDOUTS}{holdout.pk}/change/", {"share": "50"})
    holdout.refresh_from_db()
    assert holdout.share == 0.05
    assert clerk("view_holdout").get(f"{HOLDOUTS}add/").status_code == 403
