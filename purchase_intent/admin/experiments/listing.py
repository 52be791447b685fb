"""What the list of experiments shows beside their own columns, and how it is narrowed."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Q, QuerySet, prefetch_related_objects

from purchase_intent.admin.experiments.words import VERDICTS, change_words, decided, verdict_label
from purchase_intent.admin.filters import Choice
from purchase_intent.experiments.results import Result, Versus
from purchase_intent.models import Experiment, ExperimentLook, ExperimentState, Exposure

__all__ = ["LatestVerdict", "StateOfExperiment", "complete", "lift_of", "verdict_of"]


class StateOfExperiment(Choice):
    title = "state"
    parameter_name = "state"
    choices_given = tuple((each.value, str(each.label)) for each in ExperimentState)

    def kept(self, queryset: QuerySet[Any], value: Any) -> QuerySet[Any]:
        return queryset.filter(state=value)


class LatestVerdict(Choice):
    title = "verdict"
    parameter_name = "verdict"
    choices_given = (*((key, word.lower()) for key, (_, word) in VERDICTS.items()), ("none", "none yet"))

    def kept(self, queryset: QuerySet[Any], value: Any) -> QuerySet[Any]:
        if value == "none":
            return queryset.filter(latest_look=None)
        looks = ExperimentLook.objects.all()
        standing = looks.filter(result__stands__verdict__in=list(VERDICTS))
        found = standing.filter(result__stands__verdict=value)
        own = looks.filter(verdict=value).exclude(pk__in=standing.values("pk"))
        return queryset.filter(Q(latest_look__in=own.values("pk")) | Q(latest_look__in=found.values("pk")))


def complete(rows: list[Any]) -> None:
    """Give each experiment its arms, the result of its latest daily look, and how many it was shown to."""
    prefetch_related_objects(rows, "arms")
    latest = [row.latest_look for row in rows]
    looks = {each.pk: each for each in ExperimentLook.objects.defer("record").filter(pk__in=latest)}
    unseen = [row.pk for row in rows if row.latest_look is None and row.state != ExperimentState.DRAFT]
    counts = dict[int, int]()
    if unseen:  # none has been looked at since it began, so there is a day of exposures to count at most
        counted = Exposure.objects.filter(experiment__in=unseen).order_by().values("experiment")
        counts = dict(counted.annotate(count=Count("pk")).values_list("experiment", "count"))
    for row in rows:
        look = looks.get(row.latest_look)
        row.result = Result.from_json(look.result) if look is not None else None
        row.shown_to = sum(row.result.exposed.values()) if row.result is not None else counts.get(row.pk, 0)


def verdict_of(experiment: Experiment) -> str | None:
    """The verdict of the latest daily look as a label; None of a draft, and of one that is not looked at yet."""
    result = _result(experiment)
    if result is None:
        return None if experiment.state == ExperimentState.DRAFT else "not looked at yet"
    verdict, arm, _ = decided(result)
    worse = result.rolled_back if result.stands is None else result.stands.rolled_back
    return verdict_label(verdict, arm or ", ".join(worse))


def lift_of(experiment: Experiment) -> str | None:
    """The primary metric's change with its interval, of the arm to ship, else of the first that is compared.

    Of a bandit that which is likeliest better than the control.
    """
    result = _result(experiment)
    if result is None or not result.metrics or not result.metrics[0].versus:
        return None
    primary = result.metrics[0]
    leading = max(primary.versus, key=_chance) if result.adaptive else primary.versus[0]
    chosen = next((each for each in primary.versus if each.arm == decided(result)[1]), leading)
    said = change_words(primary, chosen)
    return f"{chosen.arm}: {said}" if len(primary.versus) > 1 else said


def _chance(versus: Versus) -> float:
    return versus.posterior.chance_better if versus.posterior is not None else 0.0


def _result(experiment: Experiment) -> Result | None:
    found: Result | None = getattr(experiment, "result", None)
    return found
