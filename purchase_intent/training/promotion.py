"""Who serves, who challenges, who is put away: the one way to change it, for commands, the desk and the gate.

Each change is checked, done and put on record in one transaction: `ModelChange` keeps who did it, when, and from what
to what. The record is a table of its own, since Django's log of the admin knows only changes made by a user.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db import router, transaction

from purchase_intent.exceptions import BundleRefused, ModelNotFound, TrainingRefused
from purchase_intent.models import ChangeKind, ModelChange, ModelVersion, Status
from purchase_intent.scoring.bundles import heirs, load_bundle

__all__ = ["CHALLENGE", "archive", "challenge", "former_champion", "is_seat_free", "promote", "roll_back", "said"]

CHALLENGE: Final = timedelta(days=28)
"""How long a challenger is left in its place by the gate: four of every weekday to be judged on."""


def promote(version: ModelVersion, *, who: str, why: str = "", kind: ChangeKind = ChangeKind.PROMOTED) -> ModelChange:
    """Make a version the champion of its horizon; the one before is archived.

    Raises TrainingRefused where it serves already, was refused or has no bundle, BundleRefused where its bundle is
    damaged or made for other features. Then nothing has changed.
    """
    _refuse_unusable(version)
    load_bundle(version)
    with transaction.atomic(using=router.db_for_write(ModelVersion)):
        ModelVersion.objects.lock_all(version.horizon)
        before = ModelVersion.objects.of(version.horizon).champions().first()
        if before == version:
            raise TrainingRefused(f"Model {version.pk} serves already.")
        version.promote()
        return _recorded(version, kind, before, who, why)


def roll_back(horizon: str, *, who: str) -> ModelChange:
    """Make the last champion before this one whose bundle is sound the champion again.

    Raises ModelNotFound where there is no champion, or none before it that can be loaded; the message says why.
    """
    faults: list[str] = []
    for version in heirs(horizon)[1:]:
        try:
            return promote(version, who=who, why=" ".join(faults), kind=ChangeKind.ROLLED_BACK)
        except BundleRefused as refused:
            faults.append(f"Model {version.pk} was passed over: {refused.message}.")
    raise ModelNotFound(
        " ".join([f"No champion before this one can score the {horizon} horizon.", *faults])
        + " Train another model, or promote one by its number.",
        horizon=horizon,
    )


def challenge(version: ModelVersion, *, who: str, why: str = "") -> ModelChange:
    """Have a version scored beside the champion; a challenger before it is archived. Raises as `promote` does."""
    _refuse_unusable(version)
    load_bundle(version)
    with transaction.atomic(using=router.db_for_write(ModelVersion)):
        ModelVersion.objects.lock_all(version.horizon)
        before = ModelVersion.objects.of(version.horizon).challengers().first()
        if before == version:
            raise TrainingRefused(f"Model {version.pk} is the challenger already.")
        version.challenge()
        return _recorded(version, ChangeKind.CHALLENGED, before, who, why)


def archive(version: ModelVersion, *, who: str, why: str = "") -> ModelChange:
    """Put a version away: a challenger is no longer scored. It can be promoted again.

    Raises TrainingRefused for the champion, for a version that was refused, and for one that is archived already.
    """
    with transaction.atomic(using=router.db_for_write(ModelVersion)):
        ModelVersion.objects.lock_all(version.horizon)
        if ModelVersion.objects.filter(pk=version.pk, status=Status.ARCHIVED).exists():
            raise TrainingRefused(f"Model {version.pk} is archived already.")
        version.archive()
        return _recorded(version, ChangeKind.ARCHIVED, None, who, why)


def former_champion(champion: ModelVersion) -> ModelVersion | None:
    """The version that served a horizon before its champion, and could again; None where there is none."""
    served = ModelVersion.objects.of(champion.horizon).usable().filter(promoted_at__isnull=False)
    return served.exclude(pk=champion.pk).order_by("-promoted_at", "-pk").first()


def is_seat_free(horizon: str, *, now: datetime) -> bool:
    """Whether the gate may name a challenger: none stands, or it has stood for `CHALLENGE`, or cannot be loaded."""
    standing = ModelVersion.objects.of(horizon).challengers().first()
    if standing is None:
        return True
    since = ModelChange.objects.of(horizon).filter(version=standing, kind=ChangeKind.CHALLENGED).first()
    if since is None or since.at <= now - CHALLENGE:
        return True
    try:
        load_bundle(standing)
    except BundleRefused:
        return True
    return False


def said(change: ModelChange) -> str:
    """What a change did, in one line."""
    version, before = change.version, change.before_id
    instead = f", in place of model {before}" if before is not None else ""
    what = f"for purchases in {version.get_horizon_display()}"
    if change.kind == ChangeKind.CHALLENGED:
        return f"Model {version.pk} is now the challenger {what}, asked beside the champion{instead}."
    if change.kind == ChangeKind.ARCHIVED:
        return f"Model {version.pk} is archived."
    back = "again " if change.kind == ChangeKind.ROLLED_BACK else ""
    return f"Model {version.pk} now {back}answers {what}{instead}."


def _refuse_unusable(version: ModelVersion) -> None:
    if not version.is_usable:
        raise TrainingRefused(
            f"Model {version.pk} cannot serve: it was refused or has no bundle. Train again, or register it with "
            "intent_train --force.",
            version=version.pk,
        )


def _recorded(version: ModelVersion, kind: ChangeKind, before: ModelVersion | None, who: str, why: str) -> ModelChange:
    return ModelChange.objects.create(
        horizon=version.horizon, kind=kind, version=version, before=before, who=who[:200], why=why
    )
