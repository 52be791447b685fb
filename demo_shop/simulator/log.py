"""From a plan to a file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from demo_shop.simulator.catalogue import Catalogue, build_catalogue
from demo_shop.simulator.figures import Figures
from demo_shop.simulator.layouts import Layout, generic, rees46
from demo_shop.simulator.plan import Plan
from demo_shop.simulator.rows import Table
from demo_shop.simulator.world import simulate
from demo_shop.simulator.writers import check_target, open_writer

__all__ = ["write_log"]

_SHAPES = {"generic": generic, "rees46": rees46}


def write_log(
    plan: Plan,
    path: Path,
    *,
    catalogue: Catalogue | None = None,
    progress: Callable[[float], object] | None = None,
    shown: Callable[[Table], object] | None = None,
) -> Figures:
    """Simulate `plan` into `path` and return the figures of what was written.

    `progress` hears the share done, from 0 to 1; `shown` is given the arms of the plan's trials, slice by slice.
    Raises `SimulationRefused` before anything is written.
    """
    check_target(path, plan.layout)
    shelves = catalogue or build_catalogue()
    shape = Layout(shelves, plan.seed)
    figures = Figures()
    begin, end = plan.first_hour * 3_600_000, plan.end_hour * 3_600_000
    with open_writer(path) as writer:
        for piece in simulate(plan, shelves):
            writer.write(_SHAPES[plan.layout](shape, piece.rows, figures.events))
            figures.add(piece.rows)
            if shown is not None:
                shown(piece.shown)
            done = (piece.until - begin) / (end - begin) if plan.events is None else figures.events / plan.events
            if progress is not None:
                progress(min(max(done, 0.0), 1.0))
    return figures
