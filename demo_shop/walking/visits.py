"""The visits of a simulated plan: who comes on which device, and the steps of each, with their times."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from demo_shop.simulator import Catalogue, Plan, build_catalogue, simulate
from demo_shop.simulator.rows import CHANNELS, COUNTRIES, DEVICES, VISITS, Table
from purchase_intent.events.names import EventName, Page

__all__ = ["Step", "Visit", "plan_for", "visits"]

_LEAVES_SIGNED_OUT = 0.4  # of those of whom the plan does not tell


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that a shopper does at `at` (milliseconds since 1970 UTC).

    `product` and `shelf` are places in the catalogue, -1 for none; `search` is what is typed.
    """

    at: int
    kind: EventName
    page: Page
    product: int = -1
    shelf: int = -1
    search: str = ""
    quantity: int = 0


@dataclass(frozen=True, slots=True)
class Visit:
    """One visit of a simulated visitor. `known`: signed in since an earlier one; `signs_out`: before leaving."""

    visitor: int
    number: int
    device: str
    channel: str
    country: str
    known: bool
    signs_out: bool
    bot: bool
    steps: tuple[Step, ...]

    @property
    def start(self) -> int:
        """When it begins, in milliseconds since 1970 UTC."""
        return self.steps[0].at


def plan_for(plan: Plan, count: int) -> Plan:
    """The plan with as many sessions a day as `count` visits need, from visitors who are all new at first."""
    rate = max(count * 2.0 / plan.days, 60.0)
    return Plan(start=plan.start, days=plan.days, sessions_per_day=rate, seed=plan.seed, zone=plan.zone)


def visits(plan: Plan, count: int, catalogue: Catalogue | None = None) -> list[Visit]:
    """The first `count` visits of a plan by visitors whose first visit is among them, in order of their beginnings."""
    shelves = catalogue or build_catalogue()
    rows = np.concatenate([piece.rows for piece in simulate(plan_for(plan, count), shelves)])
    rows = rows[np.argsort(rows["session"], kind="stable")]
    sessions = np.split(rows, np.flatnonzero(np.diff(rows["session"])) + 1)
    # Who came before the plan began has a basket and an account that the shop knows nothing of.
    newcomers = {int(each["session"][0]) // VISITS for each in sessions if each["session"][0] % VISITS == 0}
    whole = [each for each in sessions if int(each["session"][0]) // VISITS in newcomers]
    whole.sort(key=lambda each: (int(each["time"][0]), int(each["session"][0])))
    return _with_endings([_visit(each, shelves) for each in whole[:count]], plan.seed)


def _visit(rows: Table, catalogue: Catalogue) -> Visit:
    first = rows[0]
    visitor, number = divmod(int(first["session"]), VISITS)
    return Visit(
        visitor=visitor,
        number=number,
        device=DEVICES[first["device"]],
        channel=CHANNELS[first["channel"]],
        country=COUNTRIES[first["country"]],
        known=bool(first["user"] % 4 == 0),
        signs_out=bool(rows[-1]["user"] % 4 == 0),
        bot=bool(first["bot"]),
        steps=_steps(rows, catalogue),
    )


def _steps(rows: Table, catalogue: Catalogue) -> tuple[Step, ...]:
    """One step for each row, but one for all the lines of an order."""
    steps: list[Step] = []
    for row in rows:
        kind = EventName(int(row["kind"]))
        if kind is EventName.PURCHASE and steps and steps[-1].kind is kind and steps[-1].at == int(row["time"]):
            continue
        search = catalogue.terms[row["search"]] if row["search"] >= 0 else ""
        steps.append(
            Step(
                at=int(row["time"]),
                kind=kind,
                page=Page(int(row["page"])),
                product=int(row["product"]),
                shelf=int(row["shelf"]),
                search=search,
                quantity=int(row["quantity"]),
            )
        )
    return tuple(steps)


def _with_endings(found: Sequence[Visit], seed: int) -> list[Visit]:
    """Sign out before leaving where the device's next visit finds nobody signed in."""
    following: dict[tuple[int, str], list[Visit]] = {}
    for visit in found:
        following.setdefault((visit.visitor, visit.device), []).append(visit)
    leaves: dict[tuple[int, int], bool] = {}
    for chain in following.values():
        leaves |= {(one.visitor, one.number): not other.known for one, other in pairwise(chain)}
        last = chain[-1]
        chance = random.Random(f"{seed}/{last.visitor}/{last.number}").random()
        leaves[last.visitor, last.number] = chance < _LEAVES_SIGNED_OUT
    return [replace(visit, signs_out=visit.signs_out and leaves[visit.visitor, visit.number]) for visit in found]
