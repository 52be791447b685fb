"""Drift of each feature and of the score: live decision points against what the champion was judged on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from purchase_intent.events import EventName, Page
from purchase_intent.features.schema import FEATURES
from purchase_intent.learning import IntentEnsemble, case_weights
from purchase_intent.learning.drift import Band, Drift, drift
from purchase_intent.learning.profile import SCORE, references
from purchase_intent.models import Stage
from purchase_intent.watch.replay import Replayed

__all__ = ["LEAST_SESSIONS", "TOP", "drift_figures"]

LEAST_SESSIONS: Final = 200
"""Without any change, the index of twelve bins is about 11 / sessions by chance: at 200 it stays below .1 in 19 of 20
columns, and below .25 in all."""
TOP: Final = 10
"""The features that move the score most: only their drift asks for a training."""
SHOPWIDE: Final = frozenset({"shop_conversion"})
"""One number a day for all sessions: seven of them fill no bins. Shown with the others, but it asks for nothing."""
EXPLAINED: Final = 200
"""Decision points whose TreeSHAP values say how much each feature moves the score."""

_RANKS: Final = {band.value: rank for rank, band in enumerate(Band)}
_MEANINGS: Final = {feature.name: feature.meaning for feature in FEATURES} | {SCORE: "The score itself"}
_WORDS: Final[Mapping[str, Mapping[int, str]]] = {
    "kind": {int(name): name.label.replace("_", " ") for name in EventName},
    "page": {int(page): page.label.replace("_", " ") for page in Page},
    "landing": {int(page): page.label.replace("_", " ") for page in Page},
    "stage": {int(stage): str(stage.label) for stage in Stage},
}


def drift_figures(ensemble: IntentEnsemble, live: Replayed) -> dict[str, Any]:
    """JSON: `sessions`, `needed`, `reason` where nothing can be said, else `columns` and how many are in each band.

    Each column: `name`, `meaning`, `psi`, `distance`, `usual`, `band`, `weight` (its share of what moves the score),
    `top` (one of the ten heaviest), and the bin that changed most: `moved`, `before`, `now`. The score first, then the
    worst.
    """
    sessions = live.session_count
    found: dict[str, Any] = {"sessions": sessions, "needed": LEAST_SESSIONS, "reason": "", "columns": []}
    known = references(ensemble.figures.get("profile", {}))
    if not known:
        return found | {"reason": "This model was trained before references were kept: train again to see drift."}
    if sessions < LEAST_SESSIONS:
        return found | {"reason": f"Too few {live.of} yet: {sessions:,} of {LEAST_SESSIONS:,}."}
    weights = case_weights(live.sessions, power=-1.0)
    shares = _shares(ensemble, live.vectors)
    heaviest = set(sorted(shares.keys() - SHOPWIDE, key=lambda name: (-shares[name], name))[:TOP])
    columns = dict(zip(ensemble.names, live.vectors.T, strict=True)) | {SCORE: ensemble.log_odds(live.vectors)}
    rows = [
        _row(name, drift(reference, columns[name], weights, sessions=sessions), live.texts)
        | {"usual": round(reference.usual, 4)}
        | {"weight": round(shares.get(name, 0.0), 4), "top": name in heaviest}
        for name, reference in known.items()
    ]
    rows.sort(key=lambda row: (row["name"] != SCORE, -_RANKS[row["band"]], -row["psi"], row["name"]))
    bands = [row["band"] for row in rows if row["name"] != SCORE]
    return found | {"columns": rows, **{band.value: bands.count(band.value) for band in Band}}


def _shares(ensemble: IntentEnsemble, vectors: NDArray[np.float32]) -> dict[str, float]:
    """How much of what moves the score is each feature's: mean absolute TreeSHAP values, summing to 1."""
    every = max(1, len(vectors) // EXPLAINED)
    parts, _ = ensemble.contributions(np.ascontiguousarray(vectors[::every][:EXPLAINED]))
    mean = np.abs(parts).mean(axis=0)
    total = mean.sum() or 1.0
    return dict(zip(ensemble.names, (mean / total).tolist(), strict=True))


def _row(name: str, found: Drift, texts: Mapping[str, Mapping[int, str]]) -> dict[str, Any]:
    return {
        "name": name,
        "meaning": _MEANINGS.get(name, name),
        "psi": round(found.psi, 4),
        "distance": round(found.distance, 4),
        "band": found.band.value,
        "moved": _spelled(name, found, texts),
        "before": round(found.before, 4),
        "now": round(found.now, 4),
    }


def _spelled(name: str, found: Drift, texts: Mapping[str, Mapping[int, str]]) -> str:
    """The bin in words where its number stands for something; hashed texts are known as far as they still come."""
    if found.moved.isdecimal():
        code = int(found.moved)
        if name in _WORDS:
            return _WORDS[name].get(code, found.moved)
        if name in texts:
            return texts[name].get(code, "none" if code == 0 else "one that no longer comes")
    return found.moved
