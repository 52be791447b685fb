"""Ranges of exclusion groups: which experiments have which, and what is left for one more."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from purchase_intent.models import ExclusionGroup, Experiment, ExperimentState

__all__ = ["Taken", "free_ranges", "spelled", "taken_ranges"]

_LEAST: Final = 1e-6
"""What is narrower is no range to give to anybody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A range from `start` to `end`, from 0 to 1, and whose it is. Only a running experiment keeps others out."""

    experiment: Experiment
    start: float
    end: float

    @property
    def is_held(self) -> bool:
        """Whether another experiment has to stay out of it now."""
        return self.experiment.state == ExperimentState.RUNNING


def taken_ranges(groups: Iterable[ExclusionGroup]) -> dict[int, list[Taken]]:
    """The ranges of running experiments and of drafts by their group's primary key, from the left; one query."""
    found: dict[int, list[Taken]] = {group.pk: [] for group in groups}
    rows = Experiment.objects.filter(group__in=list(found)).exclude(state=ExperimentState.STOPPED)
    for each in rows.order_by("group_start", "pk"):
        if each.group_id is not None and each.group_start is not None and each.group_end is not None:
            found[each.group_id].append(Taken(experiment=each, start=each.group_start, end=each.group_end))
    return found


def free_ranges(taken: Iterable[Taken]) -> list[tuple[float, float]]:
    """What no running experiment has of a group, from the left."""
    free, begin = [], 0.0
    for start, end in sorted((each.start, each.end) for each in taken if each.is_held):
        if start - begin > _LEAST:
            free.append((begin, start))
        begin = max(begin, end)
    return [*free, (begin, 1.0)] if 1.0 - begin > _LEAST else free


def spelled(start: float, end: float) -> str:
    """A range in per cent: "0% to 33.3%"."""
    return f"{_per_cent(start)} to {_per_cent(end)}"


def _per_cent(share: float) -> str:
    return f"{round(share * 100, 4):g}%"
