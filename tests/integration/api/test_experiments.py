"""Experiments over the API: decided on, started, ramped and stopped by staff, looked at on record, and read."""

from __future__ import annotations

from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from purchase_intent.api.openapi import Document
from purchase_intent.experiments.definition import ArmSpec
from purchase_intent.experiments.looking import look_daily
from purchase_intent.models import Experiment, ExperimentChange, ExperimentLook, Exposure, Holdout, UpliftVersion
from tests.integration.experiments.test_planning import past
from tests.integration.experiments.town import BEGIN, open_town, running, shoppers

pytestmark = pytest.mark.django_db

LIST = "/intent/v1/experiments/"
BAR = f"{LIST}bar/"
SIZING = "/intent/v1/experiment-proposal/"
SENT: dict[str, Any] = {
    "key": "bar",
    "title": "Bar",
    "arms": [{"key": "off", "weight": 0.5}, {"key": "on", "weight": 0.5}],
    "metrics": [{"kind": "conversion", "role": "primary"}],
}


@pytest.fixture(autouse=True)
def shop_in_greenwich(settings: Settings) -> None:
    settings.TIME_ZONE = "UTC"
    settings.PURCHASE_INTENT = {**settings.PURCHASE_INTENT, "TIME_ZONE": "UTC"}


@pytest.fixture
def staff(db: None) -> APIClient:
    user = User.objects.create_user("ada", is_staff=True)
    wanted = Permission.objects.filter(codename__in=("view_experiment", "add_experiment", "change_experiment"))
    user.user_permissions.add(*wanted)
    client = APIClient()
    client.force_login(user)
    return client


def sent(**fields: Any) -> dict[str, Any]:
    return deepcopy(SENT) | fields


def post(client: APIClient, path: str, body: Any = None, *, status: int) -> Any:
    response = client.post(path, body, format="json")
    assert response.status_code == status, response.content
    return response.json()


def test_one_is_made_changed_started_ramped_and_stopped(staff: APIClient) -> None:
    made = post(staff, LIST, sent(traffic=0.1, design={"units": 500, "looks": 4}), status=201)
    assert (made["state"], made["design"]["units"], made["metrics"][0]["window_days"]) == ("draft", 500, 7)
    again = {name: value for name, value in made.items() if name in {*SENT, "traffic", "design", "hypothesis", "group"}}
    assert staff.put(BAR, again | {"title": "A bar"}, format="json").json()["title"] == "A bar"
    moved = staff.put(BAR, again | {"title": "A bar", "design": again["design"] | {"bandit": 0.2}}, format="json")
    assert moved.json()["design"]["bandit"] == 0.2
    staff.put(BAR, again | {"title": "A bar"}, format="json")
    proposal = staff.get(f"{BAR}proposal/").json()
    assert (proposal["units"], proposal["window_days"], proposal["per_day"]) == (None, 7, 0)
    assert proposal["missing"].startswith("Nobody came within the 28 days")
    assert proposal["found_in"] == []
    started = post(staff, f"{BAR}start/", status=200)
    assert (started["state"], started["plan"]["plan"]["units"]) == ("running", 500)
    assert post(staff, f"{BAR}ramp/", {"traffic": 0.5}, status=200)["traffic"] == 0.5
    assert [each["key"] for each in staff.get(f"{LIST}?state=running").json()] == ["bar"]
    assert staff.get(f"{LIST}?state=draft").json() == []
    stopped = post(staff, f"{BAR}stop/", {"ship": "on", "why": "It sells."}, status=200)
    assert (stopped["state"], stopped["shipped"]) == ("stopped", "on")
    changes = staff.get(f"{BAR}changes/").json()
    assert [each["what"] for each in changes] == ["stopped", "ramped", "started", *["changed"] * 3, "made"]
    assert {each["who"] for each in changes} == {"ada, over the API"}
    assert staff.get(BAR).json() == stopped


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        pytest.param({"arms": [{"key": "a", "weight": 0.5}, {"key": "b", "weight": 0.4}]}, "weights", "sum", id="sum"),
        pytest.param({"metrics": []}, "metrics", "exactly one primary metric", id="no metric"),
        pytest.param({"metrics": [{"kind": "conversion"}]}, "metrics", "exactly one primary", id="no primary metric"),
        pytest.param({"segment": "nix"}, "segment", "there is no segment nix: make it first", id="no segment"),
        pytest.param({"holdout": "nix"}, "holdout", "there is no holdout nix", id="no holdout"),
        pytest.param({"design": {"power": 2}}, "power", "give a chance above", id="no power"),
        pytest.param({"design": {"bandit": 0.7}}, "bandit", "give the least share of every arm", id="no floor"),
        pytest.param({"group": {"key": "g", "start": 0.5, "end": 0.2}}, "group", "needs 0 <= start < end", id="range"),
        pytest.param({"titel": "x"}, "titel", "Not a field. Use one of: key, title", id="a slip of the pen"),
        pytest.param({"key": "Bar!"}, "key", "is no key: use small letters, digits and hyphens", id="no key"),
    ],
)
def test_what_makes_no_experiment_is_refused_and_nothing_written(
    staff: APIClient, fields: dict[str, Any], field: str, words: str
) -> None:
    told = post(staff, LIST, sent(**fields), status=400)
    assert told["code"] == "invalid"
    assert field in {each["field"] for each in told["errors"]}
    assert words in told["detail"]
    assert Experiment.objects.count() == 0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        pytest.param(
            {"arms": [{"key": "on", "weight": 1}, {"key": "new", "weight": 0}]}, "arms of", id="an arm removed"
        ),
        pytest.param({"key": "foo"}, "the key stays bar: another key is another experiment", id="another key"),
        pytest.param({"design": {"units": 9}}, "size and looks of an experiment that has begun stand", id="its size"),
        pytest.param({"traffic": 0.5}, "ramp it instead", id="less traffic"),
    ],
)
def test_what_runs_stands(staff: APIClient, change: dict[str, Any], words: str) -> None:
    post(staff, LIST, sent(), status=201)
    post(staff, f"{BAR}start/", status=200)
    before = staff.get(BAR).json()
    response = staff.put(BAR, sent(**change), format="json")
    assert (response.status_code, words in response.json()["detail"]) == (400 if "key" in change else 409, True)
    assert staff.get(BAR).json() == before
    changed = staff.put(BAR, sent(title="Anew", design={"rolls_back": True}), format="json").json()
    assert (changed["title"], changed["design"]["rolls_back"]) == ("Anew", True)


def test_what_does_not_go_with_how_far_it_has_come_is_a_conflict(staff: APIClient) -> None:
    group = {"key": "checkout", "start": 0.0, "end": 0.6}
    post(staff, LIST, sent(group=group), status=201)
    post(staff, LIST, sent(key="foo", group=group | {"start": 0.5, "end": 1.0}), status=201)
    assert post(staff, LIST, sent(), status=409)["code"] == "experiment_refused"
    for act, body in (("ramp", {"traffic": 1}), ("stop", {}), ("looks", None)):
        post(staff, f"{BAR}{act}/", body, status=409)
    post(staff, f"{BAR}start/", status=200)
    post(staff, f"{BAR}start/", status=409)
    assert "overlap" in post(staff, f"{LIST}foo/start/", status=409)["detail"]
    assert Experiment.objects.get(key="foo").state == "draft"
    post(staff, f"{BAR}stop/", {"ship": "foot"}, status=400)
    assert ExperimentChange.objects.count() == 3
    assert not ExperimentLook.objects.exists()


def test_results_are_read_and_looks_go_on_record(staff: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    Holdout.objects.create(key="never", share=0.01)
    experiment = running(design={"units": 400, "looks": 4})
    open_town(experiment, shoppers(400, days=8))
    assert staff.get(f"{BAR}verdict/").json()["code"] == "look_not_found"
    days = [look_daily(experiment, now=BEGIN + timedelta(days=day, hours=4)) for day in (5, 6)]
    results = staff.get(f"{BAR}results/").json()["results"]
    assert [each["day"] for each in results] == ["2026-03-06", "2026-03-07"]
    assert results[1] == days[1].result
    assert staff.get(f"{BAR}results/?day=2026-03-07").json()["results"] == results[1:]
    assert staff.get(f"{BAR}results/?since=2026-03-08").json()["results"] == []
    assert staff.get(f"{BAR}results/?dya=2026-03-07").status_code == 400
    verdict = staff.get(f"{BAR}verdict/").json()
    assert (verdict["verdict"], verdict["day"], verdict["key"]) == ("HOLD", "2026-03-07", "bar")
    assert verdict["reasons"]
    assert (verdict["rule"], verdict["taken_at"]) == (None, "2026-03-08T04:00:00Z")  # an arm has too few yet
    names = ("verdict", "share", "planned", "arm", "rolled_back", "reasons", "missing", "expected", "stands")
    assert {name: verdict[name] for name in names} == {name: days[1].result[name] for name in names}
    with CaptureQueriesContext(connection) as one:
        assert [each["latest_verdict"] for each in staff.get(LIST).json()] == [verdict]
    open_town(running("other", design={"units": 600, "looks": 2}), shoppers(400, days=1), prefix="other")
    post(staff, LIST, sent(key="draft"), status=201)
    look_daily(Experiment.objects.get(key="other"), now=BEGIN + timedelta(days=5))
    with CaptureQueriesContext(connection) as three:
        listed = {each["key"]: each["latest_verdict"] for each in staff.get(LIST).json()}
    assert len(three) == len(one)
    assert sum("experimentlook" in each["sql"] for each in three) == 1
    assert (listed["bar"], listed["draft"]) == (verdict, None)
    assert (listed["other"]["verdict"], listed["other"]["rule"]) == ("HOLD", "group-sequential")
    assert staff.get(BAR).json()["latest_verdict"] == verdict
    assert ExperimentLook.objects.count() == 3  # to read is no look
    monkeypatch.setattr(timezone, "now", lambda: BEGIN + timedelta(days=6, hours=9))
    peek = post(staff, f"{BAR}looks/", status=201)
    assert (peek["kind"], peek["planned"], peek["who"]) == ("asked", False, "ada, over the API")
    looks = staff.get(f"{BAR}looks/").json()
    assert [(each["kind"], each["intact"]) for each in looks] == [("asked", True), ("daily", True), ("daily", True)]
    record = staff.get(f"{BAR}looks/{days[1].pk}/").json()
    assert (record["digest"], record["record"]["decision"]["verdict"]) == (days[1].digest, "HOLD")
    same = {"look": days[1].pk, "verdict": "HOLD", "same": True, "fault": ""}
    assert staff.get(f"{BAR}looks/{days[1].pk}/replay/").json() == same
    with connection.cursor() as cursor:
        cursor.execute("UPDATE purchase_intent_experimentlook SET record = record || ' ' WHERE id = %s", [days[1].pk])
    assert "is not the one that was written" in staff.get(f"{BAR}looks/{days[1].pk}/replay/").json()["fault"]
    assert staff.get(f"{BAR}looks/{days[1].pk + 99}/").json()["code"] == "look_not_found"
    weights = [{"since": "2026-03-02T00:00:00Z", "weights": {"off": 0.5, "on": 0.5}}]
    assert staff.get(f"{BAR}weights/").json() == weights
    assert staff.get(f"{LIST}foo/").json()["code"] == "experiment_not_found"


def test_models_of_uplift_are_told_the_latest_first(staff: APIClient) -> None:
    experiment = running()
    assert staff.get(f"{BAR}uplift/").json() == []
    facts: dict[str, Any] = {"known_at": BEGIN, "treatment": "on", "outcome": "share that ordered", "learner": "x"}
    facts |= {"units": 900, "outcomes": 210, "schema_hash": "-", "verdict": "Refused: it is not told from chance."}
    figures = {"rankings": {"x": {"qini": [0.01, -0.02, 0.03]}}}
    for day, status in enumerate(("archived", "refused")):
        created = BEGIN + timedelta(days=day)
        UpliftVersion.objects.create(experiment=experiment, status=status, created_at=created, figures=figures, **facts)
    found = staff.get(f"{BAR}uplift/").json()
    assert [(each["status"], each["units"], each["outcomes"]) for each in found] == [
        ("refused", 900, 210),
        ("archived", 900, 210),
    ]
    assert found[0]["figures"] == figures
    assert set(found[0]).isdisjoint({"bundle", "bundle_sha256"})


def test_who_may_read_and_who_may_decide(staff: APIClient) -> None:
    running()
    reader = User.objects.create_user("ben", is_staff=True)
    reader.user_permissions.add(Permission.objects.get(codename="view_experiment"))
    shopper, ben = APIClient(), APIClient()
    shopper.force_login(User.objects.create_user("eve"))
    ben.force_login(reader)
    paths = (
        LIST,
        BAR,
        *(f"{BAR}{each}/" for each in ("proposal", "results", "verdict", "looks", "changes", "weights", "uplift")),
    )
    acts = (LIST, SIZING, *(f"{BAR}{each}/" for each in ("start", "ramp", "stop", "looks")))
    assert {APIClient().get(path).status_code for path in paths} == {401}
    assert {shopper.get(path).status_code for path in paths} == {403}
    assert {ben.get(path).status_code for path in paths} == {200, 404}
    assert {each.post(path, {}, format="json").status_code for each in (shopper, ben) for path in acts} == {403}
    assert {staff.post(path, b"x", content_type="text/plain").status_code for path in acts[3:5]} == {415}
    adder = User.objects.create_user("cy", is_staff=True)
    adder.user_permissions.add(Permission.objects.get(codename="add_experiment"))
    cy = APIClient()
    cy.force_login(adder)  # as at the desk: who may add makes drafts, and starts none
    statuses = [cy.post(path, sent(key="new"), format="json").status_code for path in (SIZING, LIST, f"{BAR}stop/")]
    assert statuses == [200, 201, 403]
    assert "add_experiment" in ben.post(LIST, {}, format="json").json()["detail"]
    assert Experiment.objects.get(key="bar").state == "running"


def test_an_experiment_is_sized_before_it_is_saved(staff: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    past(140, 15)
    monkeypatch.setattr(timezone, "now", lambda: BEGIN)
    found = post(staff, SIZING, sent(design={"lift": 0.5}), status=200)
    assert found["units"] > found["expected_units"] > 0
    assert found["fixed_units"] > 0
    assert [each["days"] for each in found["found_in"]] == [7, 14, 21, 28, 42, 56]
    assert found["found_in"][0]["lift"] > found["found_in"][-1]["lift"] > 0
    assert "two or more" in post(staff, SIZING, sent(arms=[{"key": "a", "weight": 1}]), status=400)["detail"]
    assert not Experiment.objects.exists()


def test_a_visitor_is_told_the_arms_and_not_counted_by_asking(client: Any) -> None:
    running(arms=(ArmSpec("off", 0.0), ArmSpec("on", 1.0)))
    answer = client.get("/intent/v1/variants/")
    assert answer.json() == {"variants": {"bar": "off"}}  # of nobody in particular
    assert answer["Cache-Control"] == "no-store, private"
    assert client.get("/intent/v1/variants/?experiment=nix").json() == {"variants": {}}
    assert client.get("/intent/v1/variants/?key=bar").status_code == 400
    assert client.get("/intent/v1/variants/", headers={"sec-fetch-site": "cross-site"}).status_code == 403
    forced = "/intent/v1/variants/?intent_arm=bar:on"
    assert client.get(forced).json() == {"variants": {"bar": "off"}}  # a shopper previews nothing
    client.force_login(User.objects.create_user("robin", is_staff=True))
    assert client.get(forced).json() == {"variants": {"bar": "on"}}
    assert client.get("/intent/v1/variants/?intent_arm=bar:nix").json() == {"variants": {"bar": "off"}}
    assert not Exposure.objects.exists()


def test_the_document_describes_each_with_examples() -> None:
    document = Document().get_schema(public=True)  # type: ignore[no-untyped-call]
    rooms = ("exclusion-groups/", "experiment-proposal/", "holdout", "segment-", "segments/")
    found = {path: methods for path, methods in document["paths"].items() if "experiments/" in path}
    assert len(found) == 14
    more = [methods for path, methods in document["paths"].items() if any(room in path for room in rooms)]
    for methods in [*found.values(), *more]:
        for operation in methods.values():
            bodies = [
                *operation["responses"].values(),
                *([operation["requestBody"]] if "requestBody" in operation else []),
            ]
            assert operation["description"]
            contents = [each for body in bodies for each in body.get("content", {}).values()]
            assert [each for each in contents if not each.get("examples")] == []
