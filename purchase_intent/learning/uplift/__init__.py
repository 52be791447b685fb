"""Uplift: who buys because of an offer, learnt from an experiment with two arms. Needs no Django.

>>> found = learn_uplift(trial, seed=7)                                  # doctest: +SKIP
>>> found.ranking.qini, found.model.figures["groups"]                    # doctest: +SKIP
>>> found.model.effects(matrix).uplift                                   # doctest: +SKIP
"""

from __future__ import annotations

from purchase_intent.learning.uplift.bundle import dump_uplift, load_uplift
from purchase_intent.learning.uplift.curves import Curve, Figure, Ranking, qini_curve, ranking, uplift_curve
from purchase_intent.learning.uplift.fitting import CrossFitted, cross_fit, fit_uplift
from purchase_intent.learning.uplift.groups import Cuts, Group, GroupFigures, measured_groups
from purchase_intent.learning.uplift.judging import Judged, learn_uplift
from purchase_intent.learning.uplift.model import Effects, Learner, UpliftModel
from purchase_intent.learning.uplift.profit import Money, ProfitCurve, ProfitPoint, profit_curve
from purchase_intent.learning.uplift.trial import LEAST, Trial, refuse_small

__all__ = [
    "LEAST",
    "CrossFitted",
    "Curve",
    "Cuts",
    "Effects",
    "Figure",
    "Group",
    "GroupFigures",
    "Judged",
    "Learner",
    "Money",
    "ProfitCurve",
    "ProfitPoint",
    "Ranking",
    "Trial",
    "UpliftModel",
    "cross_fit",
    "dump_uplift",
    "fit_uplift",
    "learn_uplift",
    "load_uplift",
    "measured_groups",
    "profit_curve",
    "qini_curve",
    "ranking",
    "refuse_small",
    "uplift_curve",
]
