"""Exposures written once: the first time an arm is shown to a visitor, after the request whose page showed it.

One statement writes those of a page. The unique key settles two pages at once. What this process wrote lately is
remembered, so that a visitor's later pages write nothing; another process asks the database once.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Final

from django.db.models import Exists, OuterRef, Subquery

from purchase_intent.experiments.active import Ready
from purchase_intent.models import Exposure, Visitor
from purchase_intent.models.statements import expose

__all__ = ["Facts", "attach_visitors", "forget_exposures", "write_exposures", "written_arm"]

_MOST: Final = 100_000
_written: Final[OrderedDict[tuple[int, str], str]] = OrderedDict()
_lock: Final = Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Whose exposure it is, when, by what device and browser, and the visit's chance to buy just before, if known.

    `segments` are the keys of the rows of those that the visit belongs to; None where that is not known.
    """

    unit: str
    site: str
    at: datetime
    device: str
    browser: str = ""
    score: float | None = None
    segments: tuple[int, ...] | None = None


def written_arm(experiment: Ready, unit: str) -> str | None:
    """The arm of an exposure that this process has stored, or found stored: None where it knows of none.

    Of a bandit another process may have been first, with another arm.
    """
    return _written.get((experiment.pk, unit))


def write_exposures(shown: Mapping[str, tuple[Ready, str]], facts: Facts) -> None:
    """Store exposures that are not stored yet, by one statement: `shown` is the experiment and the arm by its key."""
    segments = None if facts.segments is None else Exposure.listed(facts.segments)
    expose(
        [
            {
                "experiment_id": each.pk,
                "arm_id": each.arms[arm],
                "site": facts.site,
                "unit": facts.unit,
                "device": facts.device,
                "browser": facts.browser,
                "at": facts.at,
                "score": facts.score,
                "segments": segments,
            }
            for each, arm in shown.values()
        ]
    )
    _remember({(each.pk, facts.unit): arm for each, arm in shown.values()})


def attach_visitors() -> int:
    """Name the visitors of exposures that were stored before them, as where events wait in a stream; how many."""
    owner = Visitor.objects.filter(cookie=OuterRef("unit"), site=OuterRef("site")).order_by()
    waiting = Exposure.objects.filter(Exists(owner), visitor=None).order_by()
    return waiting.update(visitor=Subquery(owner.values("pk")[:1]))


def forget_exposures() -> None:
    """Ask the database anew."""
    with _lock:
        _written.clear()


def _remember(arms: Mapping[tuple[int, str], str]) -> None:
    with _lock:
        _written.update(arms)
        while len(_written) > _MOST:
            _written.popitem(last=False)
