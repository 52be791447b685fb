"""A rule tried before it is saved: how many of all shoppers it holds of, and who some of them are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from math import ceil
from typing import Final

import numpy as np

from purchase_intent.learning.intervals import wilson
from purchase_intent.models import Visitor
from purchase_intent.segments.compiled import compiled
from purchase_intent.segments.figures import figures
from purchase_intent.segments.people import drawn_people, recent
from purchase_intent.segments.rules import Rule
from purchase_intent.segments.tally import Tally, spending

__all__ = ["MOST", "Preview", "preview"]

MOST: Final = 2_000
"""Shoppers that are tried: of more, the rule's share is an estimate."""
EXAMPLES: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """How many of the shoppers `tried` a rule holds of, the range that this makes likely (95%) for all, and examples.

    `everybody` is how many were seen within 90 days; `figures` as of `segments.figures`.
    """

    members: int
    tried: int
    everybody: int
    low: int
    high: int
    figures: dict[str, object]
    examples: tuple[Visitor, ...]

    @property
    def is_whole(self) -> bool:
        """Whether everybody was tried, so that the size is no estimate."""
        return self.everybody <= MOST


def preview(rule: Rule, moment: datetime) -> Preview:
    """Try a rule on people of the last 90 days, at most 2,000 drawn from all, as of `moment`; writes nothing."""
    people = drawn_people(moment, most=MOST)
    mask = compiled(rule).mask(people)
    tally = Tally.empty(1)
    tally.add(people, mask[np.newaxis, :], spending(people, moment))
    everybody = recent(moment).count()
    members = int(mask.sum())
    low, high = wilson(members, len(people)) if len(people) else (0.0, 0.0)
    chosen = people.keys[mask][:EXAMPLES].tolist()
    found = Visitor.objects.defer("past").in_bulk(chosen)
    whole = everybody <= MOST
    return Preview(
        members=members,
        tried=len(people),
        everybody=everybody,
        low=members if whole else int(low * everybody),
        high=members if whole else min(ceil(high * everybody), everybody),
        figures=figures(tally, 0, told=rule.fields),
        examples=tuple(found[key] for key in chosen if key in found),
    )
