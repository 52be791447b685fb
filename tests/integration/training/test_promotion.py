"""Who serves and who challenges is changed in one way, with a trail; refusals change nothing."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.utils import timezone

from purchase_intent.models import Horizon, ModelChange, ModelVersion, Status
from purchase_intent.training.gate import Outcome, Verdict
from purchase_intent.training.promotion import CHALLENGE, challenge, is_seat_free, promote
from purchase_intent.training.registering import put_on_record
from tests.trained import Trained, damage, register, twin

pytestmark = pytest.mark.django_db


def run(*arguments: object) -> str:
    out = StringIO()
    call_command(*(str(argument) for argument in arguments), stdout=out)
    return out.getvalue()


def standing() -> dict[int, str]:
    return dict(ModelVersion.objects.order_by("pk").values_list("pk", "status"))


def changes() -> list[tuple[str, int, int | None]]:
    return list(ModelChange.objects.order_by("pk").values_list("kind", "version", "before"))


def test_a_version_is_promoted_and_rolled_back_from_the_command_line(champion: ModelVersion, trained: Trained) -> None:
    second = register(twin(trained), promote=False)
    told = run("intent_promote", second.pk)
    assert f"Model {second.pk} now answers for purchases in this session, in place of model {champion.pk}." in told
    assert standing() == {champion.pk: "archived", second.pk: "champion"}
    told = run("intent_rollback")
    assert (
        f"Model {champion.pk} now again answers for purchases in this session, in place of model {second.pk}." in told
    )
    assert standing() == {champion.pk: "champion", second.pk: "archived"}
    assert changes() == [("promoted", second.pk, champion.pk), ("rolled_back", champion.pk, second.pk)]
    assert {"intent_promote", "intent_rollback"} == {
        who.rpartition(" ")[2] for who in ModelChange.objects.values_list("who", flat=True)
    }


def test_rolling_back_passes_over_a_damaged_bundle_and_says_so(champion: ModelVersion, trained: Trained) -> None:
    damaged, third = register(twin(trained)), register(twin(trained))
    damage(damaged)
    told = run("intent_rollback")
    assert f"Model {damaged.pk} was passed over: The bundle of model {damaged.pk} is not the one" in told
    assert standing() == {champion.pk: "champion", damaged.pk: "archived", third.pk: "archived"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(("intent_promote", "{champion}"), "Model {champion} serves already", id="it serves"),
        pytest.param(("intent_promote", "{refused}"), "Model {refused} cannot serve: it was refused", id="refused"),
        pytest.param(("intent_promote", "{damaged}"), "is not the one that was registered", id="damaged"),
        pytest.param(("intent_promote", "999"), "There is no model 999", id="unknown"),
        pytest.param(("intent_promote", "best"), "No usable model .* is called 'best'", id="no name"),
        pytest.param(("intent_promote", "challenger"), "No challenger stands beside", id="no challenger"),
        pytest.param(("intent_promote", "{champion}", "--challenger"), "Model {champion} serves", id="own challenger"),
        pytest.param(("intent_archive", "{champion}"), "Model {champion} serves: promote another", id="archive it"),
        pytest.param(("intent_rollback",), "No champion before this one can score the session horizon", id="no former"),
        pytest.param(("intent_rollback", "--horizon", "week"), "No champion serves the week horizon", id="no week"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line_and_changes_nothing(
    champion: ModelVersion, trained: Trained, arguments: tuple[str, ...], said: str
) -> None:
    refused, damaged = register(trained.bundle, promote=False), register(trained.bundle, promote=False)
    ModelVersion.objects.filter(pk=refused.pk).update(status=Status.REFUSED)
    damage(damaged)
    names = {"champion": champion.pk, "refused": refused.pk, "damaged": damaged.pk}
    before = standing()
    with pytest.raises(CommandError, match=said.format(**names)) as raised:
        run(*(each.format(**names) for each in arguments))
    assert "\n" not in str(raised.value)
    assert standing() == before
    assert changes() == []


def test_one_challenger_a_horizon(champion: ModelVersion, trained: Trained) -> None:
    first, second = (register(trained.bundle, promote=False) for _ in range(2))
    assert "is now the challenger for purchases in this session" in run("intent_promote", first.pk, "--challenger")
    with pytest.raises(CommandError, match=f"Model {first.pk} is the challenger already"):
        run("intent_promote", "challenger", "--challenger")
    with pytest.raises(IntegrityError), transaction.atomic():
        ModelVersion.objects.filter(pk=second.pk).update(status=Status.CHALLENGER)
    run("intent_promote", second.pk, "--challenger")
    assert standing() == {champion.pk: "champion", first.pk: "archived", second.pk: "challenger"}
    ModelVersion.objects.filter(pk=first.pk).update(horizon=Horizon.WEEK, status=Status.CHALLENGER)
    run("intent_promote", "challenger")
    assert standing() == {champion.pk: "archived", first.pk: "challenger", second.pk: "champion"}
    with pytest.raises(CommandError, match=f"Model {champion.pk} is archived already"):
        run("intent_archive", champion.pk)


def record(trained: Trained, verdict: Verdict) -> ModelVersion:
    """What training does with a bundle and a verdict."""
    fields = {
        "horizon": Horizon.SESSION,
        "trained_from": "2026-03-02T00:00:00Z",
        "trained_until": "2026-04-06T00:00:00Z",
        "events": 1,
        "sessions": 1,
        "buyers": 1,
        "schema_hash": "5" * 64,
    }
    return put_on_record(trained.bundle, fields, verdict, forced=False)


def test_the_gate_promotes_what_beat_the_one_that_serves(champion: ModelVersion, trained: Trained) -> None:
    verdict = Verdict(outcome=Outcome.PROMOTE, sentences=("Better.",), against=champion.pk, rivals=(champion.pk,))
    fresh = record(trained, verdict)
    assert standing() == {champion.pk: "archived", fresh.pk: "champion"}
    change = ModelChange.objects.get()
    assert (change.who, change.why, change.before) == ("the gate", "Better.", champion)


def test_who_became_champion_meanwhile_is_not_replaced(champion: ModelVersion, trained: Trained) -> None:
    newer = register(twin(trained))
    fresh = record(trained, Verdict(outcome=Outcome.PROMOTE, sentences=("Better.",), rivals=(champion.pk,)))
    fresh.refresh_from_db()
    assert standing() == {champion.pk: "archived", newer.pk: "champion", fresh.pk: "candidate"}
    assert fresh.verdict == f"Better. But model {newer.pk} was promoted meanwhile, and was not compared: it waits."
    assert fresh.reasons == ["champion_changed"]


def test_a_promising_candidate_challenges_where_the_place_is_free(champion: ModelVersion, trained: Trained) -> None:
    promising = Verdict(outcome=Outcome.WAIT, is_promising=True)
    plain = record(trained, Verdict(outcome=Outcome.WAIT))
    first, second = record(trained, promising), record(trained, promising)
    assert standing() == {
        champion.pk: "champion",
        plain.pk: "candidate",
        first.pk: "challenger",
        second.pk: "candidate",
    }
    now = timezone.now()
    assert not is_seat_free("session", now=now)
    assert is_seat_free("session", now=now + CHALLENGE + timedelta(seconds=1))
    damage(first)
    assert is_seat_free("session", now=now)
    third = record(trained, promising)
    assert standing()[third.pk] == "challenger"


def test_a_promotion_that_fails_leaves_no_bundle_and_no_record(
    champion: ModelVersion, trained: Trained, bundle_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: object) -> None:
        raise RuntimeError("the database went away")

    before = sorted(bundle_folder.glob("*"))
    monkeypatch.setattr(ModelVersion, "promote", fail)
    with pytest.raises(RuntimeError, match="went away"):
        record(trained, Verdict(outcome=Outcome.PROMOTE, rivals=(champion.pk,)))
    assert sorted(bundle_folder.glob("*")) == before
    assert standing() == {champion.pk: "champion"}
    assert changes() == []


def test_the_functions_say_who(champion: ModelVersion, trained: Trained) -> None:
    version = register(trained.bundle, promote=False)
    assert str(challenge(version, who="ada", why="to see")) == f"model {version.pk} made challenger by ada"
    assert str(promote(version, who="ada")) == f"model {version.pk} promoted in place of model {champion.pk} by ada"
