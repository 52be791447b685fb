"""Arms on a page: who gets which, what is counted once, what it asks the database, and that no page fails by it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.http import HttpRequest, QueryDict
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from purchase_intent import shortcuts, tasks
from purchase_intent.experiments import active, exposing, showing
from purchase_intent.experiments.assigning import shown_before
from purchase_intent.experiments.definition import ArmSpec, Definition, MetricSpec
from purchase_intent.experiments.design import Design
from purchase_intent.experiments.editing import make_experiment, ramp_experiment, start_experiment, stop_experiment
from purchase_intent.models import Experiment, ExperimentArm, Exposure, Holdout, Merge, Segment, Session, Visitor
from purchase_intent.scoring.pruning import prune
from purchase_intent.segments import visiting
from purchase_intent.segments.presets import install
from purchase_intent.shortcuts import segments, variant_for
from purchase_intent.stats.bucketing import Allocation
from purchase_intent.tracking.sinks.foreseeing import foresee
from tests.integration.scoring.conftest import Act
from tests.integration.scoring.host import Host, render
from tests.integration.segments.street import segment_of

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
TEXT = "{% variant 'bar' as arm %}{% if arm == 'on' %}bar{% else %}plain{% endif %}"


def running(key: str = "bar", **fields: Any) -> Experiment:
    arms = fields.pop("arms", (ArmSpec("off", 0.0), ArmSpec("on", 1.0)))
    metrics = (MetricSpec(kind="conversion", role="primary"),)
    made = make_experiment(Definition(key=key, title=key, arms=arms, metrics=metrics, **fields), who="a", now=NOW)
    start_experiment(made, who="a", now=NOW)
    active.look_again()
    return made


@contextmanager
def asked_of(tables: str) -> Iterator[list[str]]:
    found: list[str] = []
    with CaptureQueriesContext(connection) as captured:
        yield found
    found += [each["sql"] for each in captured if tables in each["sql"]]


def test_an_arm_is_shown_and_its_exposure_counted_once(act: Act) -> None:
    install(now=timezone.now())  # a test before this one may have emptied the tables
    experiment = running()
    for _ in range(3):
        assert act(lambda request: render(TEXT * 2, request)) == "barbar"
    exposure = Exposure.objects.get()
    visitor = Visitor.objects.get()
    assert (exposure.experiment, exposure.arm.key, exposure.visitor) == (experiment, "on", visitor)
    assert (exposure.unit, exposure.device) == (visitor.cookie, "desktop")
    assert exposure.score is not None  # of the moment before it was shown
    fresh = Segment.objects.get(key="new-visitors")
    assert fresh.pk in Exposure.unlisted(exposure.segments or "")  # as live, where the night knows nobody new


def test_a_first_exposure_looks_at_the_visit_once(act: Act, monkeypatch: pytest.MonkeyPatch) -> None:
    running()
    asked = []

    def counted(*given: Any, **named: Any) -> Any:
        asked.append(given)
        return foresee(*given, **named)

    monkeypatch.setattr(visiting, "foresee", counted)
    act(lambda request: variant_for(request, "bar") + str(shortcuts.score(request)) + str(segments(request)))
    assert (len(asked), Exposure.objects.exclude(segments=None).count()) == (1, 1)


def test_segments_are_asked_for_where_an_exposure_is_written_and_a_fault_says_nothing_of_them(
    act: Act, monkeypatch: pytest.MonkeyPatch
) -> None:
    running()
    running("foot", traffic=0.0)
    asked = []

    def faulty(subject: Any) -> tuple[int, ...]:
        asked.append(subject)
        return (1 // 0,)

    monkeypatch.setattr(showing, "segment_rows_of", faulty)
    act(lambda request: variant_for(request, "foot"))
    assert asked == []
    act(lambda request: variant_for(request, "foot") + variant_for(request, "bar"))
    act(lambda request: variant_for(request, "bar"))
    assert len(asked) == 1
    assert [each.segments for each in Exposure.objects.all()] == [None]


def test_the_arm_is_that_of_the_hash_of_the_visitors_id(act: Act) -> None:
    running(arms=(ArmSpec("off", 0.5), ArmSpec("on", 0.5)))
    arm = act(lambda request: variant_for(request, "bar"))
    unit = Visitor.objects.get().cookie
    assert arm == Allocation(salt="bar", arms=("off", "on"), weights=(0.5, 0.5)).arm(unit)


def test_later_pages_write_nothing_and_ask_for_no_exposure(act: Act) -> None:
    running()
    act(lambda request: variant_for(request, "bar"))
    with asked_of("purchase_intent_expo") as asked:
        assert act(lambda request: variant_for(request, "bar")) == "on"
    assert asked == []
    exposing.forget_exposures()  # another process
    with asked_of("purchase_intent_expo") as asked:
        assert act(lambda request: variant_for(request, "bar")) == "on"
    assert [sql.split()[0] for sql in asked] == ["INSERT"]  # which finds it there
    assert Exposure.objects.count() == 1


def test_first_exposures_cost_a_page_one_statement(act: Act) -> None:
    running(traffic=0.0)
    running("foot", traffic=0.0)
    for _ in range(2):  # what is read once a process is read
        act(lambda request: variant_for(request, "bar") + str(shortcuts.score(request)) + str(segments(request)))
    with asked_of("") as before:
        act(lambda request: variant_for(request, "bar") + variant_for(request, "foot") + str(shortcuts.score(request)))
    Experiment.objects.update(traffic=1.0)
    active.look_again()
    active.experiments()
    with asked_of("") as after:
        act(lambda request: variant_for(request, "bar") + variant_for(request, "foot") + str(shortcuts.score(request)))
    (written,) = [sql for sql in after if "purchase_intent_exposure" in sql]
    counts = [sum("SAVEPOINT" not in sql for sql in page) for page in (before, after)]  # those are the test's own
    assert (counts[1], written.split()[0]) == (counts[0] + 1, "INSERT")
    visitor = Visitor.objects.get()
    assert sorted(Exposure.objects.values_list("experiment__key", "visitor")) == [
        ("bar", visitor.pk),
        ("foot", visitor.pk),
    ]


def test_a_page_that_shows_no_arm_exposes_nobody(act: Act) -> None:
    running()
    assert act(lambda request: render("{% if False %}" + TEXT + "{% endif %}plain", request)) == "plain"
    assert not Exposure.objects.exists()


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"traffic": 0.0}, id="no traffic"),
        pytest.param({"segment": "old"}, id="another segment"),
    ],
)
def test_who_is_left_alone_gets_the_control_and_is_not_counted(fields: dict[str, Any], act: Act) -> None:
    Segment.objects.all().delete()
    segment_of("old", ("visits", ">", 1))
    running(**fields)
    assert act(lambda request: variant_for(request, "bar")) == "off"
    assert not Exposure.objects.exists()


def test_who_was_shown_an_arm_keeps_it_when_they_leave_the_segment(act: Act) -> None:
    Segment.objects.all().delete()
    segment_of("first-page", ("events", "<=", 1))
    running(segment="first-page")
    assert [act(lambda request: variant_for(request, "bar")) for _ in range(2)] == ["on"] * 2
    with asked_of("purchase_intent_expo") as asked:
        assert act(lambda request: variant_for(request, "bar")) == "on"
    assert asked == []  # this process knows
    exposing.forget_exposures()  # another process
    with asked_of("purchase_intent_expo") as asked:
        assert act(lambda request: variant_for(request, "bar")) == "on"
    assert [sql.split()[0] for sql in asked] == ["SELECT", "INSERT"]
    assert Exposure.objects.count() == 1


def test_a_ramp_takes_in_more_and_moves_nobody(act: Act) -> None:
    experiment = running(traffic=0.0)
    assert act(lambda request: variant_for(request, "bar")) == "off"
    ramp_experiment(experiment, 1.0, who="a", now=NOW)
    active.look_again()
    assert act(lambda request: variant_for(request, "bar")) == "on"


def test_a_stopped_experiment_shows_what_was_shipped_and_counts_nothing(act: Act) -> None:
    experiment = running(arms=(ArmSpec("off", 1.0), ArmSpec("on", 0.0)))
    assert act(lambda request: variant_for(request, "bar")) == "off"
    stop_experiment(experiment, shipped="on", who="a", now=NOW)
    active.look_again()
    Exposure.objects.all().delete()
    assert act(lambda request: variant_for(request, "bar")) == "on"
    assert not Exposure.objects.exists()


def test_whom_a_holdout_keeps_out_is_shown_the_shop_as_it_was_also_once_an_arm_is_shipped(act: Act) -> None:
    Holdout.objects.create(key="never", share=0.9999999)
    Holdout.objects.create(key="hardly", share=0.0000001)
    for key, holdout in (("bar", "never"), ("foot", "hardly")):
        experiment = running(key, holdout=holdout, traffic=0.5)
        stop_experiment(experiment, shipped="on", who="a", now=NOW)
    active.look_again()
    assert act(lambda request: " ".join(variant_for(request, key) for key in ("bar", "foot"))) == "off on"
    facts = json.loads(act(lambda request: json.dumps(shortcuts.experiment_facts(request))))
    assert facts["experiments"] == {"bar": {"default": "on"}, "foot": {"default": "on"}}
    assert facts["given"] == {"bar": {"arm": "off", "counts": False}}  # of nobody but who is held out
    assert not Exposure.objects.exists()


def test_an_arm_seen_before_a_login_is_kept_after_it(act: Act) -> None:
    experiment = running(arms=(ArmSpec("off", 0.5), ArmSpec("on", 0.5)))
    arm = act(lambda request: variant_for(request, "bar"))
    anonymous = Visitor.objects.get()
    other = next(
        f"c{number}" for number in range(50) if active.experiments()["bar"].allocation.arm(f"c{number}") != arm
    )
    customer = Visitor.objects.create(cookie=other, known=True, first_seen=NOW, last_seen=NOW)
    merge = Merge.objects.create(customer="ada", visitor=customer, anonymous=anonymous, happened_at=NOW, sequence=1)
    assert shown_before(customer) == {experiment.pk: arm}
    Session.objects.update(visitor=customer)  # as a login leaves it
    assert act(lambda request: variant_for(request, "bar")) == arm
    merge.undone_at = NOW
    merge.save()
    assert shown_before(customer) == {}


def test_an_exposure_stored_before_its_visitor_is_given_one(act: Act) -> None:
    running()
    act(lambda request: variant_for(request, "bar"))
    Exposure.objects.update(visitor=None)
    assert tasks.close_sessions()["left"] == 0
    assert Exposure.objects.get().visitor == Visitor.objects.get()
    Exposure.objects.update(visitor=None, unit="nobody on record")
    assert exposing.attach_visitors() == 0
    prune(timezone.now() + timedelta(days=394))
    assert Exposure.objects.count() == 1
    prune(timezone.now() + timedelta(days=396))
    assert Exposure.objects.count() == 0


def test_staff_see_the_arm_they_ask_for_and_are_not_counted(
    act: Act, monkeypatch: pytest.MonkeyPatch, db: None
) -> None:
    running(arms=(ArmSpec("off", 1.0), ArmSpec("on", 0.0)))
    monkeypatch.setattr(Host, "is_staff", lambda self, request: True)

    def forced(request: HttpRequest) -> str:
        request.GET = QueryDict("intent_arm=bar:on")
        return variant_for(request, "bar")

    assert act(forced) == "on"
    assert act(lambda request: variant_for(request, "bar")) == "off"
    monkeypatch.setattr(Host, "agreed", False)
    assert act(forced) == "on"
    assert not Exposure.objects.exists()
    monkeypatch.setattr(Host, "is_staff", lambda self, request: False)
    assert act(forced) == "off"
    assert User.objects.count() == 0


def test_without_consent_or_with_a_fault_the_page_is_shown(
    act: Act, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    running()
    monkeypatch.setattr(Host, "agreed", False)
    assert act(lambda request: render(TEXT, request)) == "plain"
    monkeypatch.setattr(Host, "agreed", True)
    with monkeypatch.context() as patch:
        patch.setattr(shortcuts, "showing_of", lambda *args, **kwargs: 1 / 0)
        assert act(lambda request: render(TEXT, request)) == "plain"
    assert [record.getMessage() for record in caplog.records] == [
        "No arm was given: ZeroDivisionError: mend what the traceback ends with."
    ]
    assert not Exposure.objects.exists()
    assert render(TEXT, None) == "plain"


def test_an_unknown_experiment_shows_nothing_and_is_logged_once(act: Act, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(2):
        assert act(lambda request: variant_for(request, "nix")) == ""
    assert [record.getMessage() for record in caplog.records] == [
        "No experiment has the key 'nix': nobody is shown an arm of it."
    ]


def test_a_fault_while_writing_an_exposure_costs_neither_page_nor_cookie(
    act: Act, monkeypatch: pytest.MonkeyPatch
) -> None:
    running()
    with monkeypatch.context() as patch:
        patch.setattr("purchase_intent.experiments.showing.write_exposures", lambda *args, **kwargs: 1 / 0)
        assert act(lambda request: variant_for(request, "bar")) == "on"
    assert (Visitor.objects.count(), Exposure.objects.count()) == (1, 0)
    assert act(lambda request: variant_for(request, "bar")) == "on"
    assert (Visitor.objects.count(), Exposure.objects.count()) == (1, 1)


@pytest.mark.parametrize("has_row", [pytest.param(True, id="known"), pytest.param(False, id="not on record yet")])
def test_who_was_shown_an_arm_of_a_bandit_keeps_it_when_its_weights_move(act: Act, has_row: bool) -> None:
    arms = (ArmSpec("off", 0.5), ArmSpec("on", 0.5))
    experiment = running(arms=arms, design=Design(bandit=0.1))
    act(lambda request: variant_for(request, "bar"))
    allocation = Allocation(salt="bar", arms=("off", "on"), weights=(0.1, 0.9))
    other = allocation.arm(Visitor.objects.get().cookie)  # what its hash will say by then
    arm = "off" if other == "on" else "on"
    Exposure.objects.update(arm=ExperimentArm.objects.get(experiment=experiment, key=arm))
    ExperimentArm.objects.filter(experiment=experiment, key="off").update(weight=0.1)
    ExperimentArm.objects.filter(experiment=experiment, key="on").update(weight=0.9)
    if not has_row:
        Exposure.objects.update(visitor=None)
        Visitor.objects.all().delete()
    active.forget_experiments()
    exposing.forget_exposures()
    assert act(lambda request: variant_for(request, "bar")) == arm
    assert Exposure.objects.count() == 1
