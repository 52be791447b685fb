"""Model versions: what the querysets mean, and what the database itself forbids."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from purchase_intent.exceptions import ModelNotFound, TrainingRefused
from purchase_intent.models import Horizon, ModelVersion, Status
from tests.integration.models.conftest import Register

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def statuses() -> dict[int, str]:
    return dict(ModelVersion.objects.values_list("pk", "status"))


def test_a_new_version_is_a_candidate_of_the_session_horizon(register: Register) -> None:
    version = register()
    version.refresh_from_db()
    assert (version.status, version.horizon, version.forced, version.seed) == ("candidate", "session", False, 0)
    assert (version.figures, version.reasons, version.verdict) == ({}, [], "")
    assert version.promoted_at is None
    assert str(version) == f"this session model {version.pk} (candidate)"


def test_promotion_archives_the_champion_of_the_same_horizon_only(register: Register) -> None:
    old = register(status=Status.CHAMPION)
    other = register(status=Status.CHAMPION, horizon=Horizon.WEEK)
    challenger = register(status=Status.CHALLENGER)
    new = register()
    new.promote()
    assert statuses() == {
        old.pk: "archived",
        other.pk: "champion",
        challenger.pk: "challenger",
        new.pk: "champion",
    }
    assert new.status == Status.CHAMPION
    assert new.promoted_at is not None
    assert ModelVersion.objects.champion("session") == new
    assert ModelVersion.objects.champion("week") == other
    assert set(ModelVersion.objects.champions()) == {new, other}


def test_promoting_the_champion_again_changes_nothing(register: Register) -> None:
    version = register()
    version.promote()
    first = version.promoted_at
    version.promote()
    version.refresh_from_db()
    assert (version.status, version.promoted_at) == (Status.CHAMPION, first)


def test_an_archived_version_can_be_promoted_back(register: Register) -> None:
    first, second = register(), register()
    first.promote()
    second.promote()
    first.promote()
    assert statuses() == {first.pk: "champion", second.pk: "archived"}


@pytest.mark.parametrize(
    "fields",
    [pytest.param({"status": Status.REFUSED}, id="refused"), pytest.param({"bundle": ""}, id="without a bundle")],
)
def test_a_version_that_cannot_serve_is_not_promoted(register: Register, fields: dict[str, object]) -> None:
    champion = register(status=Status.CHAMPION)
    version = register(**fields)
    before = statuses()
    with pytest.raises(TrainingRefused, match="cannot serve") as refusal:
        version.promote()
    assert refusal.value.facts["version"] == version.pk
    assert statuses() == before
    assert ModelVersion.objects.champion("session") == champion


def test_promotion_judges_what_is_stored_not_what_the_instance_remembers(register: Register) -> None:
    version = register()
    ModelVersion.objects.filter(pk=version.pk).update(status=Status.REFUSED)
    with pytest.raises(TrainingRefused):
        version.promote()
    assert statuses() == {version.pk: "refused"}


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        pytest.param("intent_one_champion_per_horizon", {"status": "champion"}, id="two champions"),
        pytest.param("intent_serving_model_has_bundle", {"status": "challenger", "bundle": ""}, id="no bundle"),
        pytest.param("intent_trained_window", {"trained_until": datetime(2025, 1, 1, tzinfo=UTC)}, id="backwards"),
        pytest.param("intent_buyers_within_sessions", {"buyers": 101}, id="more buyers than sessions"),
    ],
)
def test_the_database_itself_refuses(register: Register, name: str, fields: dict[str, object]) -> None:
    register(status=Status.CHAMPION)
    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        register(**fields)
    assert name in str(refusal.value) or "purchase_intent_modelversion.horizon" in str(refusal.value)
    assert ModelVersion.objects.count() == 1


def test_each_horizon_may_have_a_champion(register: Register) -> None:
    register(status=Status.CHAMPION)
    register(status=Status.CHAMPION, horizon=Horizon.WEEK)
    assert ModelVersion.objects.champions().count() == 2


def test_the_latest_usable_version_skips_refused_ones_and_those_without_a_bundle(register: Register) -> None:
    register(created_at=NOON)
    newest = register(created_at=NOON + timedelta(hours=1))
    register(created_at=NOON + timedelta(hours=2), status=Status.REFUSED)
    register(created_at=NOON + timedelta(hours=3), bundle="")
    register(created_at=NOON + timedelta(hours=4), horizon=Horizon.WEEK)
    assert ModelVersion.objects.latest_usable("session") == newest


def test_of_two_versions_of_one_moment_the_later_number_is_the_latest(register: Register) -> None:
    register(created_at=NOON)
    second = register(created_at=NOON)
    assert ModelVersion.objects.latest_usable("session") == second


def test_a_version_is_found_by_champion_latest_or_number(register: Register) -> None:
    champion = register(status=Status.CHAMPION, created_at=NOON)
    latest = register(created_at=NOON + timedelta(hours=1))
    named = ModelVersion.objects.named
    assert [named("champion"), named("latest"), named(str(champion.pk))] == [champion, latest, champion]


@pytest.mark.parametrize("name", ["champion", "latest", "1", "0", "-1", "best", "", "²", "9" * 40])
def test_a_name_that_nothing_answers_to_is_refused(name: str) -> None:
    with pytest.raises(ModelNotFound, match="session horizon"):
        ModelVersion.objects.named(name)


def test_a_refused_version_is_not_found_by_its_number(register: Register) -> None:
    version = register(status=Status.REFUSED)
    with pytest.raises(ModelNotFound, match="not refused"):
        ModelVersion.objects.named(str(version.pk))


def test_a_forced_version_can_serve(register: Register) -> None:
    version = register(forced=True, verdict="The AUC is suspiciously high.", reasons=["leak"])
    version.promote()
    assert ModelVersion.objects.champion("session").forced is True


def test_the_queries_use_the_indexes_made_for_them(register: Register) -> None:
    register()
    plan = ModelVersion.objects.of("session").order_by("-created_at").explain()
    assert "intent_model_newest" in plan or "Seq Scan" in plan  # PostgreSQL reads a table of one row as it is
