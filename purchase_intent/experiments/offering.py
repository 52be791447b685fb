"""What a page tells its own scripts of experiments: enough to draw the server's arm, and not a word more.

Where the arm is more than a hash of the visitor's id, the server says it: to who was shown one before, of an experiment
for a segment or of a bandit, to staff who ask for a preview, and to whom it leaves alone. Titles and drafts' arms stay
here.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from purchase_intent.experiments.active import Ready
from purchase_intent.experiments.showing import Showing

__all__ = ["offered"]


def offered(experiments: Iterable[Ready], showing: Showing | None, *, unit: str = "") -> dict[str, Any]:
    """The definitions as JSON for `experiments.js`; of nobody in particular without `showing` and `unit`."""
    told: dict[str, Any] = {"unit": unit, "given": {}, "experiments": {}}
    for each in experiments:
        defined: dict[str, Any] = {"default": each.default}
        if each.is_running and not (each.segment or each.is_bandit):
            defined["allocation"] = each.allocation.as_json()
        told["experiments"][each.key] = defined
        given = showing.settled(each) if showing is not None else None
        if given is not None and (given.counts or given.arm != each.default or "allocation" in defined):
            told["given"][each.key] = {"arm": given.arm, "counts": given.counts}
    return told
