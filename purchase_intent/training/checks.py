"""What a fresh model must pass before it is registered: too good is a leak, too bad is no model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from purchase_intent.learning import IntentEnsemble, Sample, auc

__all__ = ["CHANCE", "TOO_GOOD", "Finding", "check_model", "suspects"]

TOO_GOOD: Final = 0.97
"""AUC over all points, each weighed alike, above which a leak is more likely than a miracle."""
CHANCE: Final = 0.55
"""AUC over all points, each weighed alike, below which there is nothing to serve."""
SUSPECTS: Final = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """One check that a model failed: `code` to count by, `message` for people."""

    code: str
    message: str


def check_model(ensemble: IntentEnsemble, sample: Sample) -> Sequence[Finding]:
    """What speaks against a model, by the figures of its calibration slice; `sample` is what it learnt from."""
    found = ensemble.figures["models"]["ensemble"]["point"]["auc"]
    if found > TOO_GOOD:
        encoded = sample.with_values(ensemble.encoder.transform(sample.table.values))
        names = ", ".join(f"{name} ({value:.3f})" for name, value in suspects(encoded))
        message = f"AUC {found:.3f} on later data is too good to be true: look for a leak in {names}"
        return [Finding("too_good", message)]
    if found < CHANCE:
        return [Finding("no_better_than_chance", f"AUC {found:.3f} on later data: nothing was learnt that could serve")]
    return []


def suspects(sample: Sample, most: int = SUSPECTS) -> list[tuple[str, float]]:
    """The numeric columns that tell buyers apart best all by themselves, with their AUC (0.5 to 1), best first."""
    alone = []
    for place, name in enumerate(sample.table.names):
        value = auc(sample.labels, np.nan_to_num(sample.table.values[:, place]))
        alone.append((name, max(value, 1 - value)))
    return sorted(alone, key=lambda pair: -pair[1])[:most]
