"""What is known of an experiment at one look: whom it was shown to, the sums of each arm, and how the looks went."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from math import isfinite
from typing import Any, Self

from purchase_intent.exceptions import ExperimentRefused
from purchase_intent.stats.monitoring import Look
from purchase_intent.stats.plan import Plan
from purchase_intent.stats.summaries import Summary

__all__ = ["Evidence"]


@dataclass(frozen=True, slots=True)
class Evidence:
    """One look's inputs. `exposed` counts units by arm; `summaries` holds one for each metric and arm.

    `previous` are the shares of the planned units at the planned looks before, as `look(plan).share` gave them.
    `planned` says that this look is one of the plan's, `final` that it is the last. `per_day` is how many units come in
    a day, and `day` the date of this look, from which dates are expected.
    """

    exposed: Mapping[str, int]
    summaries: Mapping[str, Mapping[str, Summary]]
    day: date
    per_day: float = 0.0
    previous: tuple[float, ...] = ()
    planned: bool = False
    final: bool = False

    def __post_init__(self) -> None:
        for arm, count in self.exposed.items():
            if count < 0 or count != int(count):
                raise ExperimentRefused(
                    field="exposed", reason="count", remedy=f"give {arm} a whole number from 0, not {count}"
                )
        if not (isfinite(self.per_day) and self.per_day >= 0):
            raise ExperimentRefused(field="per_day", reason="count", remedy=f"give 0 or more, not {self.per_day}")

    def look(self, plan: Plan, metric: str = "") -> Look:
        """Where this look stands, for the primary metric or another: units with an outcome over the planned units."""
        counted = sum(self.summaries[plan.primary.name][arm].n for arm in plan.arms)
        look = Look(counted / plan.units, self.previous, self.planned, self.final)
        if not metric:
            return look
        return look.behind(sum(self.summaries[metric][arm].n for arm in plan.arms) / plan.units)

    def refuse_mismatch(self, plan: Plan) -> None:
        """Refuse evidence that lacks an arm or a metric of the plan, or has one that the plan does not."""
        _refuse_names("exposed", set(self.exposed), set(plan.arms))
        _refuse_names("summaries", set(self.summaries), {metric.name for metric in plan.metrics})
        for name, arms in self.summaries.items():
            _refuse_names(f"summaries of {name}", set(arms), set(plan.arms))

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "exposed": dict(self.exposed),
            "summaries": {
                metric: {arm: summary.as_json() for arm, summary in arms.items()}
                for metric, arms in self.summaries.items()
            },
            "day": self.day.isoformat(),
            "per_day": self.per_day,
            "previous": list(self.previous),
            "planned": self.planned,
            "final": self.final,
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """What `as_json` gave."""
        return cls(
            exposed=dict(stored["exposed"]),
            summaries={
                metric: {arm: Summary.from_json(summary) for arm, summary in arms.items()}
                for metric, arms in stored["summaries"].items()
            },
            day=date.fromisoformat(stored["day"]),
            per_day=stored["per_day"],
            previous=tuple(stored["previous"]),
            planned=stored["planned"],
            final=stored["final"],
        )


def _refuse_names(field: str, found: set[str], expected: set[str]) -> None:
    if found != expected:
        raise ExperimentRefused(
            field=field,
            reason="names",
            remedy=f"needs {', '.join(sorted(expected))} and nothing else, has {', '.join(sorted(found)) or 'nothing'}",
        )
