"""Uplift on a page and by command: who is persuadable, what it asks the database, and that no page fails by it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.files.storage import storages
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from purchase_intent.exceptions import TrainingRefused
from purchase_intent.experiments.definition import ArmSpec
from purchase_intent.experiments.editing import make_experiment
from purchase_intent.experiments.looking import look_daily
from purchase_intent.experiments.stored import definition_of
from purchase_intent.experiments.uplift import serving
from purchase_intent.experiments.uplift.cases import Cases, gather
from purchase_intent.experiments.uplift.relearning import keep_refusal
from purchase_intent.experiments.uplift.serving import Persuasion
from purchase_intent.experiments.uplift.training import learn, register
from purchase_intent.experiments.uplift.words import card_lines
from purchase_intent.experiments.weighing import WEIGHED
from purchase_intent.learning import Calibration, Table
from purchase_intent.learning.forks import _process
from purchase_intent.learning.uplift import Figure, Judged, Learner, Ranking, Trial, UpliftModel, learn_uplift
from purchase_intent.learning.uplift.model import CONTROL, TREATED, Part
from purchase_intent.models import Event, Experiment, Exposure, Session, UpliftStatus, UpliftVersion, Visitor
from purchase_intent.scoring.pruning import ORPHANED, prune
from purchase_intent.shortcuts import is_persuadable, persuasion
from tests.integration.desk.test_segments import words
from tests.integration.experiments.town import BEGIN, METRICS, Shopper, events, exposed, open_town, orders, running
from tests.integration.scoring.conftest import Act
from tests.integration.scoring.host import render
from tests.integration.scoring.test_variants import asked_of
from tests.trained import Trained
from tests.unit.learning.uplift.trials import QUICK

pytestmark = pytest.mark.django_db

TEXT = "{% ifpersuadable 'bar' %}offer{% else %}plain{% endifpersuadable %}"
ABANDONED = replace(METRICS[4], role="primary", margin=None)
THREE = (ArmSpec("off", 0.5), ArmSpec("on", 0.3, "A bar"), ArmSpec("gift", 0.2))
MOVED = 0.7
"""By how much the treatment of these tests raises the log-odds."""


def quiet(step: str) -> None:
    """Tell nobody."""


def keep(answers: list[Persuasion], found: Persuasion | None) -> str:
    """What a view says that keeps its answer."""
    answers += [] if found is None else [found]
    return ""


def model_of(trained: Trained, *, money: dict[str, float] | None = None, moved: float = MOVED) -> UpliftModel:
    """Two models that are one, the second moved: what it answers is known."""
    plain = Part({"lightgbm": trained.ensemble.members["lightgbm"]})
    figures: dict[str, Any] = {"cuts": {"gain": 0.0, "chance": 0.5}, "rankings": {}, "groups": []}
    return UpliftModel(
        learner=Learner.TWO_MODEL,
        names=trained.ensemble.names,
        categorical=trained.ensemble.categorical,
        encoder=trained.ensemble.encoder,
        parts={CONTROL: plain, TREATED: replace(plain, calibration=Calibration(1.0, moved))},
        share=0.5,
        figures=figures | ({"money": money} if money is not None else {}),
    )


def judged(model: UpliftModel, *, low: float = 0.01) -> Judged:
    figure = Figure(0.05, low, 0.09)
    return Judged(model, {model.learner: Ranking(figure, figure, figure)})


def trial_of(trained: Trained) -> Trial:
    values = np.zeros((4, len(trained.ensemble.names)), np.float32)
    table = Table(values, trained.ensemble.names)
    return Trial(table, np.array([0, 1, 0, 1]), np.array([0, 1, 1, 0]), np.arange(4))


@pytest.fixture
def put(trained: Trained, bundle_folder: Path) -> Callable[..., UpliftVersion]:
    """Puts a model of uplift on record for the experiment `bar`."""

    def registered(
        *,
        low: float = 0.01,
        force: bool = False,
        money: dict[str, float] | None = None,
        arm: str = "on",
        moved: float = MOVED,
    ) -> UpliftVersion:
        experiment = Experiment.objects.filter(key="bar").first() or running()
        cases = Cases(trial_of(trained), "share that ordered", "off", arm, 0)
        found = judged(model_of(trained, money=money, moved=moved), low=low)
        version = register(experiment, cases, found, seed=1, force=force, now=timezone.now())
        serving.look_again()
        return version

    return registered


def test_a_visitor_is_told_what_the_treatment_adds(
    put: Callable[..., UpliftVersion], trained: Trained, act: Act
) -> None:
    assert act(lambda request: render(TEXT, request)) == "plain"  # no experiment, and no model
    version = put()
    answers: list[Persuasion] = []
    act(lambda request: keep(answers, persuasion(request, "bar")))
    (found,) = answers
    odds = found.chance / (1 - found.chance) * np.exp(MOVED)
    assert found.uplift == pytest.approx(odds / (1 + odds) - found.chance, rel=1e-9)
    assert (found.group, found.pays, found.model) == ("persuadable", True, version.pk)
    assert act(lambda request: render(TEXT, request)) == "offer"
    assert act(lambda request: render(TEXT.replace("'bar'", "'other'"), request)) == "plain"
    session = Session.objects.get()
    assert persuasion(session, "bar", as_of=session.last_at) is not None


def test_where_the_costs_are_known_the_expected_profit_decides(put: Callable[..., UpliftVersion], act: Act) -> None:
    put(money={"margin": 20.0, "cost": 0.0, "contact": 0.0})
    assert act(lambda request: str(is_persuadable(request, "bar"))) == "True"
    put(money={"margin": 20.0, "cost": 19.9, "contact": 0.0})
    assert act(lambda request: str(is_persuadable(request, "bar"))) == "False"
    assert list(UpliftVersion.objects.order_by("pk").values_list("status", flat=True)) == ["archived", "serving"]


def test_it_asks_the_database_once_in_a_while(
    put: Callable[..., UpliftVersion], act: Act, monkeypatch: pytest.MonkeyPatch
) -> None:
    put()
    now = [0.0]
    monkeypatch.setattr(serving, "clock", lambda: now[0])
    with asked_of("purchase_intent_uplift") as asked:
        for _ in range(3):
            act(lambda request: render(TEXT * 2, request))
    assert len(asked) == 1
    now[0] += serving.LOOK_EVERY
    with asked_of("purchase_intent_uplift") as asked:
        act(lambda request: render(TEXT, request))
    assert len(asked) == 1


def test_a_ranking_no_better_than_chance_is_refused_unless_forced(put: Callable[..., UpliftVersion], act: Act) -> None:
    refused = put(low=-0.01)
    assert (refused.status, refused.bundle) == (UpliftStatus.REFUSED, "")
    assert "not told from chance, Qini 0.050 (-0.010 to 0.090). Let the experiment run on." in refused.verdict
    assert act(lambda request: render(TEXT, request)) == "plain"
    forced = put(low=-0.01, force=True)
    assert (forced.status, forced.forced) == (UpliftStatus.SERVING, True)
    assert act(lambda request: render(TEXT, request)) == "offer"
    assert any("must set no price" in line for line in card_lines(forced))


def test_a_bundle_that_was_changed_moves_nobody_and_is_logged_once(
    put: Callable[..., UpliftVersion], act: Act, caplog: pytest.LogCaptureFixture
) -> None:
    version = put()
    path = Path(storages["purchase_intent"].path(version.bundle))
    path.write_bytes(path.read_bytes()[:-10])
    with caplog.at_level(logging.ERROR):
        assert [act(lambda request: render(TEXT, request)) for _ in range(3)] == ["plain"] * 3
    assert [f"Uplift model {version.pk} of bar cannot serve" in line for line in caplog.messages] == [True]


def test_a_child_of_a_process_that_has_scored_answers_nothing(
    put: Callable[..., UpliftVersion], act: Act, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    put()
    monkeypatch.setattr(_process, "forked_too_late", True)
    assert act(lambda request: render(TEXT, request)) == "plain"
    assert "No answer about bar was given: This process was forked" in caplog.text


def test_of_several_treatments_each_has_a_model_and_the_best_answers(
    put: Callable[..., UpliftVersion], act: Act
) -> None:
    running(arms=THREE)
    weak, strong = put(arm="on", moved=0.2), put(arm="gift", moved=0.9)
    assert list(UpliftVersion.objects.serving().order_by("pk")) == [weak, strong]
    answers: list[Persuasion] = []
    for arm in ("", "on", "gift", "off"):
        act(lambda request, arm=arm: keep(answers, persuasion(request, "bar", arm=arm)))  # type: ignore[misc]
    assert [(each.arm, each.model) for each in answers] == [
        ("gift", strong.pk),
        ("on", weak.pk),
        ("gift", strong.pk),
    ]
    assert act(lambda request: render(TEXT.replace("'bar'", "'bar:on'"), request)) == "offer"
    assert act(lambda request: render(TEXT.replace("'bar'", "'bar:off'"), request)) == "plain"
    put(arm="on", moved=0.2, money={"margin": 20.0, "cost": 0.0, "contact": 0.0})
    put(arm="gift", moved=0.9, money={"margin": 20.0, "cost": 19.9, "contact": 0.0})
    assert act(lambda request: str(is_persuadable(request, "bar"))) == "True"  # by the arm that pays
    assert act(lambda request: str(is_persuadable(request, "bar", arm="gift"))) == "False"


def test_the_desk_has_a_card_for_each_treatment(put: Callable[..., UpliftVersion], admin_client: Client) -> None:
    experiment = running(arms=THREE, design={"uplift": True})
    page = f"/admin/purchase_intent/experiment/{experiment.pk}/change/"
    put(arm="gift")
    keep_refusal(experiment, "on", "control: 2 units, 500 needed", now=BEGIN)
    card = words(admin_client, page).split("Who is moved by it")[1].split("See it for yourself")[0]
    bar, gift = card.split(" gift ", 1)
    assert "A bar Not learnt yet." in bar
    assert "it is tried every week." in bar
    assert "Not learnt: control: 2 units, 500 needed." in bar
    assert "Nobody stands out as moved by “gift”" in gift
    assert 'ifpersuadable "bar:gift"' in gift.replace("&quot;", '"')


def test_a_treatment_is_held_against_the_control_alone() -> None:
    at = BEGIN + timedelta(days=1)
    people = [Shopper(("off", "on", "gift")[n % 3], at, None) for n in range(9)]
    experiment = stored(people, arms=THREE, design={"bandit": 0.1})
    now = BEGIN + timedelta(days=10)
    found = gather(experiment, treatment="gift", now=now, progress=quiet)
    assert (found.control, found.treatment, len(found.trial)) == ("off", "gift", 6)
    assert found.trial.treated.tolist() == [0, 1] * 3
    assert found.trial.chance is None  # the weights have never moved
    before = {arm.key: arm.weight for arm in THREE}
    facts = {"before": before, "after": {"off": 0.2, "on": 0.2, "gift": 0.6}}
    experiment.changes.create(at=BEGIN + timedelta(hours=1), who="x", what=WEIGHED, facts=facts)
    again = gather(experiment, treatment="gift", now=now, progress=quiet)
    assert again.trial.chance is not None
    assert again.trial.chance.tolist() == pytest.approx([0.75] * 6)
    for treatment, said in (("", "has several treatments; name one of on, gift"), ("off", "“off” is none of its")):
        with pytest.raises(TrainingRefused, match=said):
            gather(experiment, treatment=treatment, now=now, progress=quiet)


def test_its_bundle_outlives_pruning(put: Callable[..., UpliftVersion]) -> None:
    version = put()
    prune(timezone.now() + 2 * ORPHANED)
    assert storages["purchase_intent"].exists(version.bundle)


def test_an_experiment_whose_arms_did_not_get_their_shares_is_not_learnt_from(bundle_folder: Path) -> None:
    experiment = running(metrics=METRICS[:1])
    open_town(experiment, [Shopper("off", BEGIN + timedelta(minutes=1 + place), None) for place in range(200)])
    assert look_daily(experiment, now=BEGIN + timedelta(days=2)).verdict == "INVALID"
    options: dict[str, Any] = {"now": BEGIN + timedelta(days=2), "progress": quiet}
    with pytest.raises(TrainingRefused, match="the look of 2026-03-03 found the arms without their shares"):
        learn("bar", **options)
    with pytest.raises(TrainingRefused, match="nobody's window of 3 days is over yet"):
        learn("bar", force=True, **options)
    assert not UpliftVersion.objects.exists()


def stored(people: list[Shopper], **fields: Any) -> Experiment:
    """A visit of some pages before each exposure and one after, and the orders that people placed."""
    experiment = running(metrics=METRICS[:1], **fields)
    owners = Visitor.objects.bulk_create(
        Visitor(cookie=f"u{place}", first_seen=BEGIN, last_seen=BEGIN) for place in range(len(people))
    )
    told = list(zip(people, owners, strict=True))
    exposed(experiment, told)
    orders(told)
    visits = []
    for place, (who, owner) in enumerate(told):
        pages = [("view", who.at - timedelta(minutes=place % 4 + step), 0.0) for step in range(1 + place % 5)]
        visits.append(
            (Shopper(who.arm, who.at, None, [*reversed(pages), ("cart", who.at + timedelta(minutes=1), 0.0)]), owner)
        )
    events(visits)
    return experiment


def test_a_visitor_is_known_as_they_stood_when_they_were_exposed() -> None:
    at = BEGIN + timedelta(days=1, hours=12)
    late, in_time, before = at + timedelta(days=3, seconds=1), at + timedelta(days=3), at - timedelta(hours=1)
    deeds = [[("order", moment, 9.0)] for moment in (late, in_time, before)] + [[] for _ in range(9)]
    people = [Shopper(("off", "on")[n % 2], at, None, deed) for n, deed in enumerate(deeds)]
    experiment = stored([*people, Shopper("on", BEGIN + timedelta(days=9), None)])
    now = BEGIN + timedelta(days=10)  # the last one's window is open
    found = gather(experiment, now=now, progress=quiet)
    assert (found.control, found.treatment, found.without_visit, len(found.trial)) == ("off", "on", 0, 12)
    assert found.trial.treated.tolist() == [0, 1] * 6
    assert found.trial.labels.tolist() == [0, 1, *[0] * 10]
    events_so_far = found.trial.table.values[:, found.trial.table.names.index("events")]
    assert events_so_far.tolist() == [1 + n % 5 for n in range(12)]
    Event.objects.filter(occurred_at__gt=at, occurred_at__lt=at + timedelta(days=1)).delete()
    again = gather(experiment, now=now, progress=quiet)
    np.testing.assert_array_equal(again.trial.table.values, found.trial.table.values)
    Exposure.objects.filter(unit="u3").update(at=at - timedelta(days=1))  # shown by a script, before any page
    assert gather(experiment, now=now, progress=quiet).without_visit == 1


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        pytest.param(
            {"metrics": (replace(METRICS[4], role="primary", margin=None),)}, "nothing to be moved to", id="x"
        ),
        pytest.param({}, "nobody's window of 3 days is over yet", id="nobody"),
    ],
)
def test_what_gives_no_trial_is_refused(fields: dict[str, Any], words: str) -> None:
    experiment = running(**fields)
    with pytest.raises(TrainingRefused, match=words):
        gather(experiment, now=datetime(2026, 4, 1, tzinfo=UTC), progress=quiet)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(["nothing"], "there is no experiment nothing", id="unknown"),
        pytest.param(["draft"], "draft has not begun", id="draft"),
        pytest.param(["bar"], "control: 2 units, 500 needed", id="too few"),
        pytest.param(["bar", "--cost", "2"], "--cost and --contact go with --margin", id="cost alone"),
        pytest.param(["bar", "--margin", "-1"], "margin: -1.0 is out of range", id="no margin"),
        pytest.param(["bar", "--seed", "-1"], "seed: -1 is out of range", id="seed"),
        pytest.param(["bar", "--card"], "No uplift model serves bar", id="no card"),
    ],
)
def test_the_command_says_what_is_missing_and_writes_nothing(words: list[str], said: str, bundle_folder: Path) -> None:
    experiment = stored([Shopper(("off", "on")[n % 2], BEGIN + timedelta(days=1), None) for n in range(4)])
    make_experiment(replace(definition_of(experiment), key="draft"), who="ada", now=BEGIN)
    with pytest.raises(CommandError, match=said):
        call_command("intent_uplift", *words, verbosity=0)
    assert not UpliftVersion.objects.exists()
    assert not list(bundle_folder.glob("*.zip"))


def test_the_card_is_printed(put: Callable[..., UpliftVersion], capsys: pytest.CaptureFixture[str]) -> None:
    version = put()
    call_command("intent_uplift", "bar", "--card")
    said = capsys.readouterr().out
    assert f"Uplift model {version.pk}: Serves" in said
    assert "learnt by two models from 4 visitors, 2 of them with the outcome" in said


def test_the_desk_shows_who_is_moved_and_says_where_nobody_was_measured(
    put: Callable[..., UpliftVersion], admin_client: Client
) -> None:
    experiment = running()
    page = f"/admin/purchase_intent/experiment/{experiment.pk}/change/"

    def card() -> str:
        return words(admin_client, page).split("Who is moved by it")[1].split("See it for yourself")[0]

    assert "Not learnt yet." in card()
    assert "manage.py intent_uplift bar" in card()
    put(low=-0.01)
    assert "Not known: visitors cannot be told apart by what it does to them Refused: its ranking" in card()
    version = put()
    assert "Nobody stands out as moved by “on”" in card()
    nobody = dict.fromkeys(("control_rate", "treated_rate", "uplift", "low", "high"))
    measured = {"control_rate": 0.1, "treated_rate": 0.16, "uplift": 0.06, "low": 0.05, "high": 0.07, "predicted": 0.06}
    version.figures["groups"] = [
        {"group": "persuadable", "units": 6_300, "share": 0.63, **measured},
        {"group": "put_off", "units": 0, "share": 0.0, "predicted": 0.0, **nobody},
        # As models of before the groups were told apart from nothing have it.
        {"group": "lost", "units": 0, "share": 0.0, **dict.fromkeys(measured, 0.0), "low": -1.0, "high": 1.0},
    ]
    version.figures["rankings"] = {"two_model": {"qini": [0.062, 0.045, 0.077], "auuc": [0.05, 0.04, 0.06]}}
    version.figures["profit"] = {
        "chosen": {"share": 0.5, "profit": 128.0, "low": 72.0, "high": 172.0},
        "points": [{"share": 1.0, "profit": -48.0, "low": -123.0, "high": 7.0}],
    }
    version.save()
    said = card()
    assert "63% of the visitors are persuadable by “on”" in said
    assert "Qini, chance has 0 0.062 (0.045 to 0.077)" in said
    assert "persuadable, buy because of it 6,300 63.0% 10.00% 16.00% +6.00 (+5.00 to +7.00)" in said
    assert "put off, buy less because of it 0 0.0% - - nobody to measure it on" in said
    assert "lost, do not buy with it either 0 0.0% - - nobody to measure it on" in said
    assert "100.00" not in said.split("The four groups")[1].split("By the costs")[0]
    assert "it should pay for 50% of the visitors. In the experiment 1,000 visitors earned 128.00" in said
    lines = list(card_lines(version))
    assert any(
        "lost, do not buy with it either: 0% of the visitors, too few to measure it on" in line for line in lines
    )


def test_from_stored_visits_to_an_answer_on_a_page(
    trained: Trained, bundle_folder: Path, act: Act, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """All of it but the size: one member with small trees, of visitors whom the treatment moves if they looked long."""
    chance = np.random.default_rng(3)
    people = []
    for place in range(1_500):  # the page views before the exposure are one to five, as `stored` has them
        arm, at = ("off", "on")[place // 5 % 2], BEGIN + timedelta(days=1, seconds=place)
        likely = 0.7 if arm == "on" and place % 5 > 2 else 0.25
        people.append(Shopper(arm, at, None, [("order", at + timedelta(hours=1), 9.0)] * (chance.random() < likely)))
    stored(people)
    small = partial(learn_uplift, members=("lightgbm",), params=QUICK, learners=(Learner.TWO_MODEL,))
    monkeypatch.setattr("purchase_intent.experiments.uplift.training.learn_uplift", small)
    call_command("intent_uplift", "bar", "--margin", "20", "--cost", "2", "--seed", "5")
    version = UpliftVersion.objects.get()
    said = capsys.readouterr().out
    assert (version.status, version.units, version.seed) == (UpliftStatus.SERVING, 1_500, 5)
    assert f"Uplift model {version.pk}: Serves" in said
    assert "learnt by two models from 1,500 visitors" in said
    assert "For " in said
    groups = {group["group"]: group for group in version.figures["groups"]}
    assert groups["persuadable"]["low"] > 0.4 * 0.45  # more than all of them gain on average
    assert groups["persuadable"]["high"] > 0.35
    assert sum(group["units"] for group in groups.values()) == 1_500
    serving.look_again()
    answers: list[Persuasion] = []
    act(lambda request: keep(answers, persuasion(request, "bar")))  # on the first page of a visit
    assert [answer.model for answer in answers] == [version.pk]
    assert answers[0].uplift < 0.2
    assert list(bundle_folder.glob("**/*.zip")) != []
