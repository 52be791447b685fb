"""Who gets which arm: by a salted hash of the visitor, by what they were shown before, by the segment it is for.

The visitor's cookie id is the unit, so an anonymous visitor's arm needs no query. Who has logged in may have been shown
an arm under another id, by any browser whose past a login joined: then the earliest exposure says which, for one query
a request. The same where an experiment is for a segment, which a visitor may have left since, and for a bandit, whose
weights have moved since.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from purchase_intent.experiments.active import Ready
from purchase_intent.models import Exposure, Visitor

__all__ = ["Given", "Unit", "given_arm", "shown_before", "shown_to"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A visitor to be assigned: the id in the cookie, and the row where one is stored.

    `is_excluded` is true of bots and staff, who are shown the default arm and counted nowhere.
    """

    key: str
    visitor: Visitor | None = None
    is_excluded: bool = False


@dataclass(frozen=True, slots=True)
class Given:
    """The arm that is shown, and whether that is an exposure to be counted."""

    arm: str
    counts: bool


def given_arm(
    experiment: Ready, unit: Unit, *, shown: Callable[[], Mapping[int, str]], is_in: Callable[[str], bool]
) -> Given:
    """What an experiment does with a visitor.

    `shown` gives the arms shown before by the experiments' primary keys, `is_in` says whether the visitor belongs to a
    segment now; each is asked only where it matters.
    """
    if unit.is_excluded:
        return Given(experiment.default, counts=False)
    if not experiment.is_running:
        return Given(experiment.kept_back if _is_held_out(experiment, unit) else experiment.default, counts=False)
    if experiment.is_bandit or (unit.visitor is not None and (unit.visitor.known or experiment.segment)):
        before = shown().get(experiment.pk)
        if before is not None:
            return Given(before, counts=True)
    if experiment.segment and not is_in(experiment.segment):
        return Given(experiment.default, counts=False)
    arm = experiment.allocation.arm(unit.key)
    return Given(experiment.default, counts=False) if arm is None else Given(arm, counts=True)


def _is_held_out(experiment: Ready, unit: Unit) -> bool:
    """Whether a visitor stays with the shop as it was: a holdout does not end where an arm is shipped."""
    holdout = experiment.allocation.holdout
    return holdout is not None and experiment.default != experiment.kept_back and holdout.holds(unit.key)


def shown_before(visitor: Visitor) -> dict[int, str]:
    """The arm first shown to a visitor, or to any whose past a login joined to theirs, by experiment; one query."""
    joined = Visitor.objects.filter(merges_away__visitor=visitor.pk, merges_away__undone_at=None).values("cookie")
    own = Exposure.objects.filter(Q(unit=visitor.cookie) | Q(unit__in=joined), site=visitor.site)
    return _earliest(own)


def shown_to(cookie: str, *, site: str) -> dict[int, str]:
    """The same for the id in a cookie, of whom nothing else is on record yet."""
    return _earliest(Exposure.objects.filter(unit=cookie, site=site))


def _earliest(exposures: QuerySet[Exposure]) -> dict[int, str]:
    rows = exposures.order_by("-at", "-pk").values_list("experiment_id", "arm__key")
    return dict(rows)  # the earliest is read last
