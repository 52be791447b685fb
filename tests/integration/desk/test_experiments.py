"""Experiments at the desk: the list, a page's verdict and what it rests on, each act, and who may do what."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from purchase_intent.admin.experiments.reading import known_of
from purchase_intent.admin.experiments.words import headline
from purchase_intent.experiments.definition import ArmSpec, Definition, GroupRange, MetricSpec
from purchase_intent.experiments.design import Design
from purchase_intent.experiments.editing import make_experiment, start_experiment, stop_experiment
from purchase_intent.experiments.looking import look_daily
from purchase_intent.experiments.results import ArmFigure, MetricResult, Result, Versus
from purchase_intent.models import Experiment, ExperimentChange, ExperimentLook
from purchase_intent.stats.inference import Estimate, Interval, Kind
from purchase_intent.stats.sample_ratio import SampleRatio
from tests.integration.desk.conftest import Clerk
from tests.integration.desk.test_segments import plain, words
from tests.integration.experiments.town import BEGIN, Shopper, open_town, running

pytestmark = pytest.mark.django_db

LIST = "/admin/purchase_intent/experiment/"
CONVERSION = MetricSpec(kind="conversion", role="primary", window_days=1)
GUARDED = (CONVERSION, MetricSpec(kind="cart_abandonment", role="guardrail", margin=0.5, window_days=1))


def draft(key: str = "bar", **fields: Any) -> Experiment:
    arms = (ArmSpec("off", 0.5, "As it is"), ArmSpec("on", 0.5, "With the bar"))
    given: dict[str, Any] = {"title": "Free shipping bar", "arms": arms, "metrics": GUARDED} | fields
    return make_experiment(Definition(key=key, **given), who="ada", now=BEGIN)


def page_of(experiment: Experiment, part: str = "change/") -> str:
    return f"{LIST}{experiment.pk}/{part}"


def decided(*, better: str = "on", buyers: int = 6, days: int = 2) -> Experiment:
    """An experiment of 240 visitors in two days, of whom `buyers` of ten with the better arm buy, else three of ten."""
    experiment = running(metrics=GUARDED, design={"units": 240, "looks": 2})
    people = []
    for number in range(240):
        arm, at = ("off", "on")[number % 2], BEGIN + timedelta(days=1.5) * (number / 240)
        buys = number // 2 % 10 < (buyers if arm == better else 3)
        deeds = [("cart", at + timedelta(minutes=5), 0.0)]
        people.append(Shopper(arm, at, None, [*deeds, ("order", at + timedelta(hours=1), 10.0)] if buys else deeds))
    open_town(experiment, people)
    for day in range(days):
        look_daily(experiment, now=BEGIN + timedelta(days=day + 2, hours=4))
    experiment.refresh_from_db()
    return experiment


def test_the_list_says_how_each_stands_in_as_many_queries_for_all(
    desk: Client, clerk: Clerk, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    empty = desk.get(LIST).content.decode()
    assert '<a href="/admin/purchase_intent/experiment/add/">Make the first one</a>' in empty
    assert "No experiments yet, because none was made." in words(clerk("view_experiment"), LIST)
    draft("first")
    with django_assert_num_queries(5):  # the login (2), the count, the page, arms
        assert "Free shipping bar draft - - 0 - 100%: off 50%, on 50%" in words(desk, LIST)
    start_experiment(draft("fresh", title="Fresh"), who="ada", now=BEGIN)
    experiment = decided()
    Experiment.objects.filter(pk=experiment.pk).update(title="T" * 60)
    with django_assert_num_queries(7):  # the same, looks, and exposures of those never looked at
        text = words(desk, LIST)
    assert re.search(
        r"T{29}… running Ship on \+100\.0% \(\+\d+\.\d% to \+\d+\.\d%\) 240 \d+ 100%: off 50%, on 50%", text
    )
    assert re.search(r"Fresh running not looked at yet - 0 \d+ 100%:", text)
    for query, shown in {
        "state=draft": "bar",
        "verdict=SHIP": "T",
        "verdict=none": "bar Fresh",
        "verdict=HOLD": "",
    }.items():
        found = re.findall(
            r'field-titled"><a [^>]*>(?:<span title=")?(\w+)', desk.get(f"{LIST}?{query}").content.decode()
        )
        assert sorted(found) == sorted(
            {"bar": ["Free"], "T": ["T" * 60], "bar Fresh": ["Free", "Fresh"], "": []}[shown]
        )


def test_a_page_says_the_verdict_first_and_all_that_it_rests_on(
    desk: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    experiment = decided()
    with django_assert_num_queries(9):
        text = words(desk, page_of(experiment))
    assert text.index("Ship “on”: it is better than “off”") < text.index("Share that ordered, the primary metric")
    assert "by all that had come in at the end of 4 March 2026." in text
    assert "“on” is better than “off”: the share that ordered is 60.00% against 30.00%; the change is +100.0% (" in text
    assert "It loses less than the 50% tolerated." in text
    assert "on is better than off on “share that ordered”, by the group-sequential rule at planned look 1" in text
    assert "on loses less than the 50.0% tolerated" in text
    assert "Share that ordered, counted for 1 day after the exposure arm what came of it visitors" in text
    assert re.search(r"off the control 120 30\.00% \(\S+% to \S+%\) - - - - on better 120 60\.00%", text)
    assert re.search(r"on holds: loses less than 50% 120", text)
    assert re.search(r"4 March 2026 \S+ on the daily task planned look", text)
    assert re.search(r"3 March 2026 \S+ the daily task between planned looks", text)  # too few to be compared
    assert "“on”: p = below 0.001 as if looked at once; below 0.001 where all arms are (Holm), below 0.001" in text
    assert "p = 1.000 by a sequential check" in text
    assert "As if looked at once (chi-square) p = 1.000." in text
    assert "The arms have the shares that were planned" in text
    assert "browser: Firefox 96 : 96 0.0% 1.000" in text
    assert f"?intent_arm={experiment.key}:ARM" in text
    assert 'href="/?intent_arm=bar%3Aon"' in desk.get(page_of(experiment)).content.decode()
    assert "Visitors planned 240, as given" in text
    assert "started ada with 100% of the visitors" in text
    assert text.count("the daily task") == 2
    look_daily(experiment, now=BEGIN + timedelta(days=5, hours=4))
    with django_assert_num_queries(9):  # no more with every day
        response = desk.get(page_of(experiment))
    html = response.content.decode()
    assert html.count('<svg class="desk-chart') == 2
    assert "style=" not in html.split('id="content-main"')[1].split("</main>")[0]
    assert "on: change of the share that ordered, day by day" in html
    assert re.search(
        r"on, day by day day visitors with an outcome change \(interval\) look 6 March 2026 240 \+100\.0%",
        plain(response),
    )


def test_a_loser_is_said_as_plainly(desk: Client) -> None:
    text = words(desk, page_of(decided(better="off")))
    assert "Roll back: “off” is better than what was tried Roll back by all that had come in" in text


def test_what_the_planned_look_found_stands_on_the_days_after_it(desk: Client) -> None:
    experiment = decided(buyers=5, days=3)
    assert [(each.planned, each.verdict) for each in experiment.looks.order_by("pk")][1:] == [
        (True, "SHIP"),
        (False, "HOLD"),
    ]
    text = words(desk, page_of(experiment))
    said = "Ship “on”: it is better than “off”, as the planned look of 4 March 2026 found Ship by all that had come in"
    assert said in text
    assert "That was the planned look of 4 March 2026, and it stands" in text
    assert "no difference was found" not in text
    assert "What is missing" not in text
    listed = {each: words(desk, f"{LIST}?verdict={each}") for each in ("SHIP", "HOLD")}
    assert "running Ship on +66.7%" in listed["SHIP"]
    assert "Ship on" not in listed["HOLD"]


@pytest.mark.parametrize(
    ("verdict", "primary", "guardrail", "share", "said"),
    [
        pytest.param("ROLL BACK", "worse", "holds", 1.0, "Roll back: “off” is better than what was tried", id="worse"),
        pytest.param(
            "ROLL BACK",
            "better",
            "harmed",
            1.0,
            "Roll back: what was tried harms the share that left a basket behind",
            id="a guardrail",
        ),
        pytest.param(
            "HOLD",
            "better",
            "unproven",
            0.5,
            "Wait: “on” is better, but not yet proven to do no harm to the share that left a basket behind",
            id="not proven yet",
        ),
        pytest.param(
            "HOLD",
            "better",
            "unproven",
            1.0,
            "Wait no longer: “on” is better, but could not be proven to do no harm to the share that left a basket "
            "behind",
            id="not proven at the end",
        ),
        pytest.param("HOLD", "-", "holds", 1.0, "Wait no longer: no difference was found", id="no difference"),
        pytest.param(
            "HOLD", "", "", 1.0, "Wait: too few visitors have an outcome to compare the arms", id="nothing to compare"
        ),
    ],
)
def test_a_headline_says_what_the_verdict_rests_on(
    verdict: str, primary: str, guardrail: str, share: float, said: str
) -> None:
    figure = Interval(0.0, -0.1, 0.1)
    watched = Estimate("score", 0.01, 0.1, 0.1, figure, figure, 1.0, 0.01) if primary == "-" else None
    arms = tuple(ArmFigure(arm=arm, n=120, value=0.1, low=0.0, high=0.2) for arm in ("off", "on"))
    against = [Versus(arm="on", state=state.strip("-"), watched=watched) for state in (primary, guardrail)]
    metrics = tuple(
        MetricResult(
            name=kind, kind=kind, event="", role=role, margin=None, window_days=1, higher_is_better=True,
            stat=Kind.RATE, cap=None, arms=arms, versus=(versus,),
        )
        for kind, role, versus in zip(
            ("conversion", "cart_abandonment"), ("primary", "guardrail"), against, strict=True
        )
    )  # fmt: skip
    result = Result(
        key="bar", moment=BEGIN, day=BEGIN.date(), who="ada", planned=True, exposed={}, left_out={}, units=240,
        share=share, looks_taken=1, looks=2, control="off", metrics=metrics, ratio=SampleRatio((), (), 1.0, 1.0),
        parts=(), segments=(), verdict=verdict, arm="", rolled_back=(), reasons=(), missing=(), expected=None,
    )  # fmt: skip
    assert headline(Experiment(key="bar", state="running", started_at=BEGIN), result, {}) == said
    missing = known_of(result, {})["missing"]
    assert any("There is none" in each or "there is none" in each for each in missing) is (said.endswith("was found"))


def test_a_bandit_says_that_it_is_one_and_shows_no_plain_figure(
    desk: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    arms = (ArmSpec("off", 0.4), ArmSpec("on", 0.3), ArmSpec("more", 0.3))
    planned = draft("waiting", metrics=(CONVERSION,), arms=arms, design=Design(bandit=0.1, units=900))
    assert "Each night the weights move to what sells" in words(desk, page_of(planned, "start/"))
    experiment = running(metrics=(CONVERSION,), arms=arms, design={"bandit": 0.1, "units": 900})
    people = []
    for day, counts in zip((0, 2), [(144, 108, 108), (36, 36, 288)], strict=True):
        for arm, count in zip(arms, counts, strict=True):
            for number in range(count):
                at = BEGIN + timedelta(days=day, minutes=1 + number)
                buys = number % 10 < (4 if arm.key == "more" else 2)
                people.append(Shopper(arm.key, at, None, [("order", at + timedelta(hours=1), 10.0)] if buys else []))
    open_town(experiment, people[:360])
    for day in (1, 2):
        look_daily(experiment, now=BEGIN + timedelta(days=day))
    open_town(experiment, people[360:], prefix="d")
    look_daily(experiment, now=BEGIN + timedelta(days=4))
    with django_assert_num_queries(10):  # with the moves of the weights; of three arms no uplift is learnt
        response = desk.get(page_of(experiment))
    text, html = plain(response), response.content.decode()
    assert re.search(r"and is ended by hand. So far “more” is the best with a chance of \d+%", text)
    assert "stop it, and ship an arm, when the weights have settled" in text
    assert "each visitor is weighed by how likely the arm was" in text
    assert re.search(r"“more” beside “off”: the share that ordered is \d+\.\d\d% against", text)
    assert "difference, at one look (95%)" in text
    assert "chance to be the best of all" in text
    assert "as if looked at once" not in text.split("By segment")[0]
    assert html.count('<svg class="desk-chart') == 4  # wide and narrow, of either treatment
    assert "difference from the control, points of per cent" in text
    assert re.search(r"2 days\. First 3 March: [+-]\d+\.\d, from [+-]\d+\.\d to [+-]\d+\.\d; last", text)
    assert "The band is right for one look, at the end" in text
    assert "at whatever day one looks" not in text
    assert re.search(r"How the weights moved from off on more .* 10\S*% 10\S*% \d\S*% .* 40% 30% 30%", text)
    assert "share by the weights as they were" in text
    assert "The arms have the shares that the weights as they were gave them" in text
    assert "weights moved the daily task more from 30% to" in text
    assert "moves the weights, 10% at least for each arm" in text
    assert re.search(r"more: \+\d+\.\d\d points \(", words(desk, LIST))  # the better of the two
    assert not ExperimentLook.objects.filter(planned=True).exists()


def test_shares_that_are_off_make_it_invalid_and_show_where(desk: Client) -> None:
    experiment = running(metrics=GUARDED, design={"units": 240, "looks": 2})
    open_town(experiment, [Shopper("off", BEGIN + timedelta(minutes=place + 1), None) for place in range(300)])
    look_daily(experiment, now=BEGIN + timedelta(days=1, hours=4))
    response = desk.get(page_of(experiment))
    text = plain(response)
    assert "Not to be read: visitors are not shared out as was planned Invalid" in text
    assert "off 300 150 100.00% 50.00% on 0 150 0.00% 50.00% p = below 0.001" in text
    assert "<details open><summary>By device, browser and label" in response.content.decode()
    assert "off the control 0 not known - - - -" in text
    assert "on not compared 0 not known - - - -" in text
    assert "No figure is compared: the sequential sample-ratio check comes first." in text


def test_what_has_no_figures_says_why(desk: Client) -> None:
    experiment = draft()
    assert "A draft: nobody takes part yet No figures yet, because it has not begun" in words(desk, page_of(experiment))
    start_experiment(experiment, who="ada", now=BEGIN)
    assert "Running, and not looked at yet No figures yet, because it was not looked" in words(
        desk, page_of(experiment)
    )
    look_daily(experiment, now=BEGIN + timedelta(days=1, hours=4))
    text = words(desk, page_of(experiment))
    assert "Nobody was shown an arm yet" in text
    assert "{% variant &quot;bar&quot; as arm %}?" in text
    assert "Are visitors shared out as planned?" not in text  # of nobody there is nothing to say
    stop_experiment(experiment, shipped="on", who="ada", now=BEGIN + timedelta(days=2), why="It is loved.")
    text = words(desk, page_of(experiment))
    assert "Stopped: everybody is shown “With the bar”" in text
    assert "Nobody was shown an arm while it ran: nothing was measured." in text
    assert "stopped ada everybody is shown “on”; It is loved." in text


def test_a_record_is_replayed_and_one_that_was_changed_is_found(desk: Client) -> None:
    experiment = decided(days=1)
    look = ExperimentLook.objects.get()
    path = page_of(experiment, f"looks/{look.pk}/")
    text = words(desk, path)
    assert "Replayed just now The same verdict, to the last bit." in text
    assert "share that ordered off" in text
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE purchase_intent_experimentlook SET record = %s",
            [look.record.replace('"alpha": 0.05', '"alpha": 0.5')],
        )
    assert "Digest: the record of" in words(desk, path)
    assert desk.get(page_of(experiment, "looks/0/")).status_code == 404


def test_each_act_asks_first_and_is_on_record(desk: Client) -> None:
    experiment = draft(traffic=0.1)
    asked = words(desk, page_of(experiment, "start/"))
    assert "Start it?" in asked
    assert "From now on 10% of the visitors it is for take part." in asked
    stop = ""
    steps: list[tuple[str, dict[str, str], str]] = [
        ("stop/", {}, "Free shipping bar is draft: it cannot be done any more, or not yet."),
        ("start/", {"yes": "1"}, "Free shipping bar runs: 10% of the visitors it is for take part now."),
        ("ramp/", {"traffic": "5"}, "It is 10% now and can only be raised: to end the experiment, stop it."),
        ("ramp/", {"traffic": "many"}, "“many” is no number: write per cent, such as 12.5."),
        ("ramp/", {"traffic": "50,5 %"}, "50.5% of the visitors take part from now on; nobody changed arm."),
        ("look/", {"yes": "1"}, "Looked at now, and kept on record"),
        ("stop/", {"shipped": "on"}, "Say why in a sentence"),
        ("stop/", {"why": "Enough."}, "Choose an arm."),
        ("stop/", {"shipped": "nix", "why": "Enough."}, "Select a valid choice."),
        ("ramp/", {"traffic": "100"}, "100% of the visitors take part from now on; nobody changed arm."),
        ("ramp/", {"traffic": "100"}, "Free shipping bar takes in 100% of its visitors: there is no more."),
        (
            "stop/",
            {"shipped": "on", "why": "Enough."},
            "Free shipping bar is stopped: everybody is shown “With the bar”.",
        ),
        ("start/", {"yes": "1"}, "Free shipping bar is stopped: it cannot be done any more, or not yet."),
    ]
    for part, given, said in steps:
        stop = words(desk, page_of(experiment, part)) if said == "Choose an arm." else stop
        assert said in plain(desk.post(page_of(experiment, part), given, follow=True)), part
    assert "Stop it? Running, and not looked at yet It ends for good" in stop
    changes = ExperimentChange.objects.order_by("pk").values_list("what", "who")
    assert list(changes) == [("made", "ada"), ("started", "desk"), *[("ramped", "desk")] * 2, ("stopped", "desk")]
    assert [each.who for each in ExperimentLook.objects.all()] == ["desk"]
    assert LogEntry.objects.count() == 5
    text = words(desk, page_of(experiment))
    assert "traffic raised desk from 10% to 50.5%" in text


def test_a_range_that_another_holds_is_refused_at_the_start(desk: Client) -> None:
    start_experiment(draft("one", group=GroupRange("checkout", 0, 0.6)), who="ada", now=BEGIN)
    other = draft("two", group=GroupRange("checkout", 0.5, 1))
    assert "One has 0 (0%) to 0.6 (60%) and two has 0.5 (50%) to 1 (100%) of one exclusion group" in plain(
        desk.post(page_of(other, "start/"), {"yes": "1"})
    )
    other.refresh_from_db()
    assert other.state == "draft"
    assert LogEntry.objects.count() == 0


def test_who_may_do_what(clerk: Clerk) -> None:
    experiment = draft()
    client = clerk()
    paths = [LIST, *(page_of(experiment, part) for part in ("change/", "looks/1/", "edit/")), f"{LIST}add/"]
    for named, statuses in (
        (("view_session",), [403] * 6),
        (("view_experiment",), [200, 200, 404, 403, 403, 403]),
        (("view_experiment", "add_experiment"), [200, 200, 404, 403, 200, 403]),
        (("view_experiment", "change_experiment"), [200, 200, 404, 200, 403, 302]),
    ):
        User.objects.get().user_permissions.set(Permission.objects.filter(codename__in=named))
        shown = client.get(page_of(experiment)).content.decode()
        answers = [client.get(path).status_code for path in paths]
        assert [*answers, client.post(page_of(experiment, "start/"), {"yes": "1"}).status_code] == statuses
        assert Experiment.objects.get().state == ("running" if statuses[-1] == 302 else "draft")
        assert ("Start it" in shown) is (statuses[-1] == 302)
