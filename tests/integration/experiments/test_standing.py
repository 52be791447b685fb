"""What stands of an experiment whoever writes to its rows: each way of the ORM, refused with nothing written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core import serializers
from django.db import transaction
from django.db.models import ProtectedError, Value

from purchase_intent.exceptions import ExperimentRefused
from purchase_intent.experiments.definition import ArmSpec, Definition
from purchase_intent.experiments.editing import make_experiment
from purchase_intent.models import Experiment, ExperimentArm, ExperimentChange, ExperimentMetric, ExperimentState
from tests.integration.experiments.town import BEGIN, METRICS, running
from tests.integration.segments.street import segment_of

pytestmark = pytest.mark.django_db

ARMS = "arms: the arms of bar stand, since it has begun"
KEY = "key: the key stays"
BEGUN = "state: bar has begun, and what it showed stays on record"
DRAFT = "state: what has begun is no draft again"
STAND = "metrics: the metrics of bar stand, since it has begun"
MOVED = "arms: what is one experiment's stays there"
Way = Callable[[Experiment, ExperimentArm], Any]


def changed(row: Any, **values: Any) -> Any:
    for name, value in values.items():
        setattr(row, name, value)
    return row


def draft(key: str = "draft") -> Experiment:
    arms = (ArmSpec("off", 0.5), ArmSpec("on", 0.5))
    return make_experiment(Definition(key=key, title=key, arms=arms, metrics=METRICS[:1]), who="ada", now=BEGIN)


def stored() -> list[Any]:
    return [
        list(Experiment.objects.order_by("pk").values()),
        list(ExperimentArm.objects.order_by("pk").values()),
        list(ExperimentMetric.objects.order_by("pk").values()),
        ExperimentChange.objects.count(),
    ]


@pytest.mark.parametrize(
    ("way", "said"),
    [
        pytest.param(lambda bar, arm: changed(bar, key="foo").save(), f"{KEY} bar", id="save a key"),
        pytest.param(lambda bar, arm: changed(bar, key="foo").save(update_fields=["key"]), KEY, id="save that alone"),
        pytest.param(
            lambda bar, arm: Experiment(pk=bar.pk, key="foo", title="x", control="off").save(), KEY, id="anew"
        ),
        pytest.param(lambda bar, arm: Experiment.objects.update(key="foo"), KEY, id="update a key"),
        pytest.param(lambda bar, arm: Experiment._base_manager.update(key="foo"), KEY, id="by the base manager"),
        pytest.param(lambda bar, arm: Experiment.objects.bulk_update([changed(bar, key="f")], ["key"]), KEY, id="bulk"),
        pytest.param(
            lambda bar, arm: Experiment.objects.update_or_create(pk=bar.pk, defaults={"key": "foo"}),
            KEY,
            id="made or",
        ),
        pytest.param(
            lambda bar, arm: Experiment.objects.bulk_create(
                [changed(bar, key="foo")], update_conflicts=True, unique_fields=["id"], update_fields=["key"]
            ),
            "key: rows that are there are changed one by one",
            id="make over",
        ),
        pytest.param(
            lambda bar, arm: changed(bar, state="draft", started_at=None).save(), DRAFT, id="save as a draft again"
        ),
        pytest.param(
            lambda bar, arm: Experiment.objects.update(state=ExperimentState.DRAFT, started_at=None),
            DRAFT,
            id="or so",
        ),
        pytest.param(lambda bar, arm: bar.delete(), BEGUN, id="delete the experiment"),
        pytest.param(lambda bar, arm: Experiment.objects.filter(key="bar").delete(), BEGUN, id="delete several"),
        pytest.param(lambda bar, arm: Experiment.objects.all().delete(), BEGUN, id="delete drafts with it"),
        pytest.param(lambda bar, arm: arm.delete(), ARMS, id="delete an arm"),
        pytest.param(lambda bar, arm: bar.arms.all().delete(), ARMS, id="delete its arms"),
        pytest.param(lambda bar, arm: ExperimentArm.objects.all().delete(), ARMS, id="delete all arms"),
        pytest.param(lambda bar, arm: changed(arm, key="foo").save(), ARMS, id="save an arm's key"),
        pytest.param(lambda bar, arm: changed(arm, place=7).save(update_fields=["place"]), ARMS, id="its place"),
        pytest.param(lambda bar, arm: changed(arm, weight=0.1).save(), ARMS, id="its weight"),
        pytest.param(
            lambda bar, arm: changed(arm, experiment=Experiment.objects.get(key="foo")).save(), ARMS, id="away from it"
        ),
        pytest.param(lambda bar, arm: bar.arms.update(key="foo"), ARMS, id="update a key of arms"),
        pytest.param(lambda bar, arm: bar.arms.update(weight=Value(0.3)), ARMS, id="by an expression"),
        pytest.param(
            lambda bar, arm: ExperimentArm.objects.bulk_update([changed(arm, key="foo")], ["key"]),
            ARMS,
            id="bulk arms",
        ),
        pytest.param(
            lambda bar, arm: bar.arms.add(Experiment.objects.get(key="draft").arms.all()[0]), MOVED, id="add another's"
        ),
        pytest.param(lambda bar, arm: bar.arms.create(key="new", weight=0.0, place=2), ARMS, id="create an arm"),
        pytest.param(
            lambda bar, arm: ExperimentArm.objects.bulk_create(
                [ExperimentArm(experiment=bar, key="n", weight=0, place=2)]
            ),
            ARMS,
            id="create several",
        ),
        pytest.param(lambda bar, arm: bar.metrics.all().delete(), STAND, id="delete metrics"),
        pytest.param(lambda bar, arm: bar.metrics.update(window_days=9), STAND, id="update metrics"),
        pytest.param(lambda bar, arm: changed(bar.metrics.first(), kind="revenue").save(), STAND, id="a metric"),
        pytest.param(lambda bar, arm: bar.metrics.create(kind="event", event="view"), STAND, id="one more"),
    ],
)
def test_no_way_of_the_orm_renames_or_takes_arms_from_what_has_begun(way: Way, said: str) -> None:
    bar = running()
    draft()
    draft("foo")
    before = stored()
    with pytest.raises(ExperimentRefused, match=f"^{said}"):
        way(bar, ExperimentArm.objects.get(experiment=bar, key="on"))
    transaction.set_rollback(False)  # deletions would be taken back as a whole: this is what was written until then
    assert stored() == before


def test_a_segment_an_experiment_is_for_takes_nothing_with_it() -> None:
    segment_of("fresh", ("visits", "=", 1))
    bar = running(segment="fresh")
    with pytest.raises(ProtectedError):
        bar.segment.delete()  # type: ignore[union-attr]
    assert bar.arms.count() == 2


def test_what_may_change_changes() -> None:
    bar, other = running(design={"bandit": 0.1}), draft()
    arm = bar.arms.get(key="on")
    changed(arm, title="A bar").save()
    changed(bar, title="Bar").save()
    bar.arms.update(title="x")
    bar.arms.update(weight=0.5)  # as those of a bandit move
    assert ExperimentArm.objects.filter(experiment=bar).values_list("title", flat=True).distinct().get() == "x"
    with pytest.raises(ExperimentRefused, match=f"^{KEY}"):
        changed(other, key="foo").save()  # pages name a draft's key as well
    other.refresh_from_db()
    changed(other.arms.get(key="on"), key="bar", weight=0.4).save()
    other.arms.filter(key="off").delete()
    other.delete()
    assert not Experiment.objects.filter(key="draft").exists()
    for each in serializers.deserialize("json", serializers.serialize("json", [bar, *bar.arms.all()])):
        each.save()  # a backup is put back
    assert Experiment.objects.get().title == "Bar"
