"""A second opinion on one score: LIME (Ribeiro and others 2016), through the `lime` package.

Where TreeSHAP shares out the score exactly, LIME asks the model about a few thousand cases near the one in question and
draws a straight line through the answers. The two need not agree on small parts; where they differ on the strongest,
the score hangs on several columns at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from purchase_intent.learning.explained import Explained
from purchase_intent.learning.members.base import learner
from purchase_intent.learning.table import Column, Matrix

if TYPE_CHECKING:
    from purchase_intent.learning.ensemble import IntentEnsemble

__all__ = ["NEIGHBOURS", "Opinion", "second_opinion"]

NEIGHBOURS: Final = 2_000
"""Cases asked about: with fewer the strongest column changes from seed to seed."""


@dataclass(frozen=True, slots=True, eq=False)
class Opinion:
    """LIME's straight line around one case.

    `effects`: float64 [d], log-odds that each column's being where it is adds, zero for columns left out; `r2`: how
    well the line fits the answers, at most 1; a low one says that no line does.
    """

    effects: Column
    r2: float


def second_opinion(ensemble: IntentEnsemble, row: Matrix, around: Explained, *, seed: int, most: int = 10) -> Opinion:
    """Explain one raw row, float32 [1, d], by at most `most` columns; the same again for the same seed.

    Unknown values are taken as the middle of those known in `around`: LIME cannot draw neighbours of an unknown.
    Raises MissingExtra where `lime` is not installed.
    """
    background, middle = _filled(around.values, _middles(around.values))
    case, _ = _filled(row, middle)
    explainer = _explainer(ensemble, background, seed)
    found = explainer.explain_instance(
        case[0].astype(np.float64),
        lambda cases: ensemble.log_odds(np.asarray(cases, dtype=np.float32)),
        num_features=most,
        num_samples=NEIGHBOURS,
    )
    effects = np.zeros(row.shape[1])
    # Under 1: under 0 it lists the same with the sign turned.
    for place, weight in found.local_exp[1]:
        effects[place] = weight
    return Opinion(effects, float(found.score))


def _explainer(ensemble: IntentEnsemble, background: Matrix, seed: int) -> Any:
    lime = learner("lime.lime_tabular", extra="explain", package="lime")
    return lime.LimeTabularExplainer(
        background.astype(np.float64),
        mode="regression",
        feature_names=list(ensemble.names),
        categorical_features=[place for place, name in enumerate(ensemble.names) if name in ensemble.categorical],
        discretize_continuous=True,
        random_state=np.random.RandomState(seed),
    )


def _middles(values: Matrix) -> Matrix:
    known = np.where(np.isnan(values).all(axis=0), 0.0, values)
    return np.nanmedian(known, axis=0).astype(np.float32)


def _filled(values: Matrix, middle: Matrix) -> tuple[Matrix, Matrix]:
    return np.where(np.isnan(values), middle, values).astype(np.float32), middle
