"""What of an experiment stands, whoever writes to its rows: keys for good, arms and metrics from its start on.

The hash of a visitor is salted with the key and shared out by the arms in their order: another key, or another arm,
would move visitors between arms, and take from those who were shown it; another metric would be chosen after the fact.
So every way of Django's to write a row is held
to it: `save`, `delete`, `update`, `bulk_update`, `bulk_create`, and deletions that follow from others. Accepted: raw
SQL, fixtures (`loaddata`), and two processes within the same moment of a start.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final, TypeVar

from django.db import models
from django.db.models.signals import pre_delete
from django.dispatch import receiver

from purchase_intent.exceptions import ExperimentRefused

__all__ = ["KeyedQuerySet", "PartQuerySet", "refuse_another_key", "refuse_another_part"]

M = TypeVar("M", bound=models.Model)

_DRAFT: Final = "draft"
_ANOTHER: Final = "stop it, and make another experiment"


class KeyedQuerySet(models.QuerySet[M]):
    """Rows whose key is for good, and which do not go back to where they began."""

    def update(self, **kwargs: Any) -> int:
        """Refused of a key, and of what has begun to become a draft."""
        if "key" in kwargs:
            raise _refused("key", "renamed", "the key stays: another key is another experiment")
        if kwargs.get("state") == _DRAFT and self.exclude(state=_DRAFT).exists():
            raise _refused("state", "state", f"what has begun is no draft again: {_ANOTHER}")
        return super().update(**kwargs)

    def bulk_create(self, objs: Iterable[M], *args: Any, **kwargs: Any) -> list[M]:
        """Refused where it would change rows that are there."""
        _refuse_overwriting(kwargs)
        return super().bulk_create(objs, *args, **kwargs)


class PartQuerySet(models.QuerySet[M]):
    """Arms, or metrics: what the model's `standing` names stands from the start of their experiment on."""

    def update(self, **kwargs: Any) -> int:
        """Refused of what stands in what has begun, but for a bandit's weights; and of another experiment."""
        if kwargs.keys() & {"experiment", "experiment_id"}:
            raise _refused(_called(self.model), "moved", "what is one experiment's stays there: make another one")
        names = kwargs.keys() & set(_standing(self.model))
        if names:
            _refuse_begun(self, set(self.order_by().values_list("experiment_id", flat=True).distinct()), names)
        return super().update(**kwargs)

    def bulk_create(self, objs: Iterable[M], *args: Any, **kwargs: Any) -> list[M]:
        """Refused of an experiment that has begun, and where it would change rows that are there."""
        _refuse_overwriting(kwargs)
        given = list(objs)
        _refuse_begun(self, {getattr(each, "experiment_id", None) for each in given}, _standing(self.model))
        return super().bulk_create(given, *args, **kwargs)


def refuse_another_key(row: models.Model, update_fields: Collection[str] | None) -> None:
    """ExperimentRefused where saving an experiment would rename it, or make what has begun a draft."""
    stored = _stored(row, ("key", "state"))
    written = None if update_fields is None else set(update_fields)
    if stored is None:
        return
    if (written is None or "key" in written) and stored["key"] != row.key:  # type: ignore[attr-defined]
        raise _refused("key", "renamed", f"the key stays {stored['key']}: another key is another experiment")
    is_draft = row.state == _DRAFT  # type: ignore[attr-defined]
    if (written is None or "state" in written) and is_draft and stored["state"] != _DRAFT:
        raise _refused("state", "state", f"what has begun is no draft again: {_ANOTHER}")


def refuse_another_part(row: models.Model, update_fields: Collection[str] | None) -> None:
    """ExperimentRefused where saving an arm, or a metric, would add one to what has begun, or change what stands."""
    standing = _standing(type(row))
    stored = _stored(row, standing)
    named = {"experiment_id" if name == "experiment" else name for name in update_fields or standing}
    changed = {name for name in standing if stored is None or (name in named and stored[name] != getattr(row, name))}
    if changed:
        owners = {row.experiment_id} | ({stored["experiment_id"]} if stored is not None else set())  # type: ignore[attr-defined]
        _refuse_begun(type(row)._default_manager.all(), owners, changed)  # noqa: SLF001 (documented by Django)


@receiver(pre_delete, sender="purchase_intent.Experiment")
def _refuse_deletion(instance: Any, using: str, **_: object) -> None:
    """A deletion is refused as a whole: each of its rows is told of before any is taken."""
    stored = type(instance).objects.using(using).filter(pk=instance.pk).exclude(state=_DRAFT).first()
    if stored is not None:
        raise _refused(
            "state", "state", f"{stored.key} has begun, and what it showed stays on record: stop it, and leave it there"
        )


@receiver(pre_delete, sender="purchase_intent.ExperimentArm")
@receiver(pre_delete, sender="purchase_intent.ExperimentMetric")
def _refuse_deletion_of_a_part(instance: Any, using: str, origin: Any = None, **_: object) -> None:
    owner = type(instance)._meta.get_field("experiment").related_model  # noqa: SLF001 (documented by Django)
    if getattr(origin, "model", type(origin)) is not owner:  # else that one's deletion is refused, in its words
        _refuse_begun(type(instance).objects.using(using), {instance.experiment_id}, _standing(type(instance)))


def _standing(model: type[models.Model]) -> tuple[str, ...]:
    named: tuple[str, ...] = model.standing  # type: ignore[attr-defined]
    return named


def _called(model: type[models.Model]) -> str:
    """What errors call the rows: "arms", "metrics"."""
    return str(model._meta.get_field("experiment").remote_field.related_name)  # type: ignore[union-attr]  # noqa: SLF001


def _refuse_begun(parts: models.QuerySet[Any], owners: Collection[Any], names: Collection[str]) -> None:
    """ExperimentRefused where one of the experiments by key of the row has begun; a bandit's weights move."""
    experiments = parts.model._meta.get_field("experiment").related_model  # noqa: SLF001 (documented by Django)
    begun = experiments._base_manager.using(parts.db).filter(pk__in=owners).exclude(state=_DRAFT)  # noqa: SLF001 (the same)
    for key, design in begun.values_list("key", "design"):
        if set(names) != {"weight"} or design.get("bandit") is None:
            called = _called(parts.model)
            raise _refused(called, "running", f"the {called} of {key} stand, since it has begun: {_ANOTHER}")


def _stored(row: models.Model, names: tuple[str, ...]) -> dict[str, Any] | None:
    if row.pk is None:
        return None
    rows: Any = type(row)._base_manager.using(row._state.db)  # noqa: SLF001 (documented by Django)
    found: dict[str, Any] | None = rows.filter(pk=row.pk).values(*names).first()
    return found


def _refuse_overwriting(options: Mapping[str, Any]) -> None:
    if options.get("update_conflicts"):
        raise _refused("key", "overwritten", "rows that are there are changed one by one, not by making them anew")


def _refused(field: str, reason: str, remedy: str) -> ExperimentRefused:
    return ExperimentRefused(field=field, reason=reason, remedy=remedy)
