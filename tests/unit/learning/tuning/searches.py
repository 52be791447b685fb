"""A search on a small sample, as the tests of tuning ask for it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Any

from purchase_intent.learning import Tuning, split
from purchase_intent.learning.splits import FRACTIONS
from purchase_intent.learning.tuning import Ground, chosen_params, tune
from tests.unit.learning.samples import QUICK, shop

ONE = ("lightgbm",)
QUICK_ONE = {"lightgbm": QUICK["lightgbm"]}
"""What is given stays: the search is over the other four."""
ROUNDS = 30
"""As many as a member may take here."""


def small_ground() -> Ground:
    """What the tests search on; the same again at each call."""
    sample = shop(600)
    return Ground(sample, split(sample).fit, FRACTIONS, seed=5, threads=1)


def tuned(
    ground: Ground,
    tuning: Tuning,
    *,
    names: tuple[str, ...] = ONE,
    progress: Callable[[str], None] = lambda step: None,
    clock: Callable[[], float] = monotonic,
) -> tuple[dict[str, Any], dict[str, Any]]:
    given = {name: QUICK[name] for name in names}
    settings = chosen_params(names, given, tuning=tuning)
    chosen, figures = tune(ground, settings, tuning, given=given, progress=progress, clock=clock)
    return dict(chosen), figures["tuning"]


def lines_of_trials(path: Path) -> list[dict[str, Any]]:
    return [line for line in map(json.loads, path.read_text().splitlines()) if line["op_code"] == 4]
