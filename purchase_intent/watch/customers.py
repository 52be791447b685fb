"""Customers as the coming night will ask about them: the live cases of the week, for what drifts."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
from django.db.models import F

from purchase_intent.conf import config
from purchase_intent.events import key_hash
from purchase_intent.features.vector import CODE
from purchase_intent.models import Visitor
from purchase_intent.scoring.columns import MILLISECOND
from purchase_intent.scoring.nightly import RECENT, latest_manners, rows_as_of
from purchase_intent.scoring.nights import nights_between
from purchase_intent.watch.replay import MOST_SESSIONS, Replayed

__all__ = ["asked_about"]

MANNERS = ("device", "channel", "country")
"""Columns whose numbers are hashes of texts that a visitor's latest session holds."""


def asked_about(end: datetime, *, most: int = MOST_SESSIONS) -> Replayed:
    """A row for each recent visitor as of the first night after `end`; of more than `most`, about `most`.

    Whether one will buy is not known yet: the labels are 0, and say nothing.
    """
    night = next(nights_between(end, end + timedelta(days=2), config().time_zone))
    found = Visitor.objects.people().seen_since(night - RECENT).filter(first_seen__lte=night).order_by()
    step = -(-found[: most * 1_000].count() // most)
    thinned = found.alias(rest=F("pk") % step).filter(rest=0) if step > 1 else found
    rows = rows_as_of(night, list(thinned.order_by("pk").values_list("pk", flat=True)[: 2 * most]))
    texts: dict[str, dict[int, str]] = {name: {} for name in MANNERS}
    for manner in latest_manners(rows.keys.tolist()).values():
        for name, text in zip(MANNERS, manner, strict=True):
            if text:
                texts[name].setdefault(key_hash(text) & CODE, text)
    return Replayed(
        rows.matrix, rows.keys, rows.moments // MILLISECOND, np.zeros(len(rows), np.uint8), texts, of="customers"
    )
