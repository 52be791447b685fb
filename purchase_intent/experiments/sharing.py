"""Exclusion groups and holdouts: made, renamed, and taken away as long as no experiment has ever named them.

A key is the salt of a draw, and a holdout's share says whom it holds out: both stay for good.
"""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, models, router, transaction

from purchase_intent.exceptions import ExperimentRefused
from purchase_intent.experiments.definition import refuse_unfit_key
from purchase_intent.models import ExclusionGroup, Holdout

__all__ = ["make_group", "make_holdout", "refuse_share", "remove_share", "rename_group"]


def make_group(key: str, *, title: str) -> ExclusionGroup:
    """Make an exclusion group. ExperimentRefused, nothing written, for a key that is unfit or taken, or no title."""
    _refuse_untitled(title)
    made: ExclusionGroup = _made(ExclusionGroup, key, title=title)
    return made


def rename_group(group: ExclusionGroup, title: str) -> None:
    """Give a group another title. ExperimentRefused for none."""
    _refuse_untitled(title)
    group.title = title
    group.save(update_fields=("title",))


def make_holdout(key: str, *, share: float) -> Holdout:
    """Make a holdout of a share of all visitors, above 0 and below 1. ExperimentRefused as for a group."""
    refuse_share(share)
    made: Holdout = _made(Holdout, key, share=share)
    return made


def refuse_share(share: float) -> None:
    """Raise ExperimentRefused for what is no share of a holdout."""
    if not 0 < share < 1:
        raise ExperimentRefused(
            field="share", reason="share", remedy=f"give a share above 0 and below 1, such as 0.05, not {share:g}"
        )


def remove_share(row: ExclusionGroup | Holdout) -> None:
    """Take a group or a holdout away. ExperimentRefused where an experiment names it: its draw would be lost."""
    try:
        with transaction.atomic(using=router.db_for_write(type(row), instance=row)):
            row.delete()
    except models.ProtectedError:
        raise ExperimentRefused(
            field="key", reason="named", remedy=f"an experiment names {row.key}: it stays as long as that is on record"
        ) from None


def _made(model: type[Any], key: str, **fields: Any) -> Any:
    refuse_unfit_key("key", key)
    try:
        with transaction.atomic(using=router.db_for_write(model)):
            return model.objects.create(key=key, **fields)
    except IntegrityError:
        named = model._meta.verbose_name  # noqa: SLF001 (documented by Django)
        raise ExperimentRefused(
            field="key", reason="taken", remedy=f"another {named} is called {key}: its key is taken for good"
        ) from None


def _refuse_untitled(title: str) -> None:
    if not title.strip():
        raise ExperimentRefused(field="title", reason="title", remedy="give it a name for the desk")
