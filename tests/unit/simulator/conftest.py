"""One log for all that only looks at it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pytest

from demo_shop.simulator import Catalogue, Plan, build_catalogue, simulate
from demo_shop.simulator.rows import Table

PLAN = Plan(start=date(2026, 3, 2), days=28, sessions_per_day=800, seed=5)


@dataclass(frozen=True, slots=True)
class Log:
    """The rows and truths of a plan, and each session's slice of rows in order of session and time."""

    rows: Table
    truths: Table

    def people(self) -> Table:
        """The rows that are no bot's."""
        people: Table = self.rows[~self.rows["bot"]]
        return people


def run(plan: Plan) -> Log:
    """Simulate the whole of a plan."""
    pieces = list(simulate(plan))
    rows = np.concatenate([piece.rows for piece in pieces])
    return Log(rows, np.concatenate([piece.truths for piece in pieces]))


@pytest.fixture(scope="session")
def log() -> Log:
    """Return four weeks of a shop of 800 sessions a day."""
    return run(PLAN)


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    """Return the shop's own catalogue."""
    return build_catalogue()
