"""Robots and staff among the exposed, by label and when they were exposed: for weights that moved meanwhile."""

from __future__ import annotations

import numpy as np

from purchase_intent.experiments.measuring.measure import Measured, statements_of
from purchase_intent.experiments.measuring.stream import Numbers, rows_of
from purchase_intent.models import Experiment

__all__ = ["robots"]


def robots(experiment: Experiment, found: Measured) -> dict[str, Numbers]:
    """How many of each label were exposed, of shape (batches, arms) as `found` has them."""
    statements = statements_of(experiment, found.moment)
    places = {arm.pk: found.arms.index(arm.key) for arm in experiment.arms.all()}
    counts: dict[str, Numbers] = {}
    for batch, arm, label, count in rows_of(statements, statements.robots(found.edges)):
        counts.setdefault(label, np.zeros(found.n.shape))[batch, places[arm]] += count
    return counts
