"""The latest daily verdicts of many experiments: by one query, which leaves the rest of their looks where it is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from django.db.models import Exists, F, OuterRef
from django.db.models.fields.json import KT

from purchase_intent.models import ExperimentLook

__all__ = ["latest_verdicts"]

_COLUMNS: Final = ("verdict", "day", "taken_at", "share", "planned", "arm")
_WORDS: Final = ("rolled_back", "reasons", "missing", "expected", "stands")


def latest_verdicts(experiments: Iterable[int]) -> dict[int, dict[str, Any]]:
    """By key of the row, as `ExperimentVerdictSerializer` names it; none of what was never looked at.

    `rule` is the one by which the primary metric was read, null where nothing was compared, or by no such rule.
    """
    daily = ExperimentLook.objects.daily()
    later = daily.filter(experiment=OuterRef("experiment"), day__gt=OuterRef("day"))
    rows = daily.filter(~Exists(later), experiment__in=list(experiments)).order_by()
    told = rows.annotate(
        key=F("experiment__key"),
        rule=KT("result__metrics__0__versus__0__rule__name"),
        **{f"told_{name}": F(f"result__{name}") for name in _WORDS},
    ).values("experiment_id", "key", "rule", *_COLUMNS, *(f"told_{name}" for name in _WORDS))
    return {
        row["experiment_id"]: {"key": row["key"], "rule": row["rule"]}
        | {name: row[name] for name in _COLUMNS}
        | {name: row[f"told_{name}"] for name in _WORDS}
        for row in told
    }
