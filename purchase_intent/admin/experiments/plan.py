"""The plan of an experiment in words: what the shop's own data say of its length, before it is saved or started."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from purchase_intent.admin.experiments.fields import share_words
from purchase_intent.admin.experiments.words import day_words, metric_words
from purchase_intent.admin.saying import money
from purchase_intent.exceptions import ExperimentRefused
from purchase_intent.experiments.definition import Definition
from purchase_intent.experiments.planning import Planned, Proposal, found_in, proposal
from purchase_intent.insights.figures import Table
from purchase_intent.models import Experiment, MetricKind

__all__ = ["frozen_words", "lasting", "plan_words"]


def lasting(definition: Definition, days: int, *, now: datetime) -> Definition:
    """The same experiment, planned for the visitors of so many days. ExperimentRefused where nobody comes."""
    per_day = proposal(definition, now=now).per_day
    if per_day * days < 1:
        raise ExperimentRefused(
            field="days",
            reason="traffic",
            remedy="nobody it is for has come in the last 28 days: give the number of visitors instead",
        )
    return replace(definition, design=replace(definition.design, units=round(per_day * days)))


def plan_words(definition: Definition, *, now: datetime) -> dict[str, Any]:
    """What is shown of a plan: a sentence, what it rests on, and the smallest change found in so many days."""
    found = proposal(definition, now=now)
    return {
        "headline": _headline(definition, found),
        "sentences": _sentences(definition, found),
        "missing": _missing(found),
        "table": _table(definition, found),
    }


def _headline(definition: Definition, found: Proposal) -> str:
    units = definition.design.units or (found.sizing.units if found.sizing is not None else None)
    if units is None:
        return "How long it takes cannot be said yet"
    if not found.per_day > 0:
        return f"{units:,} visitors; how long that takes cannot be said, because nobody it is for has come lately"
    days = -(-units // max(found.per_day, 1e-9))
    return f"About {_spell(days)}: {units:,} visitors at {found.per_day:,.0f} a day"


def _missing(found: Proposal) -> str:
    """Why there is no size, as a sentence."""
    if not found.missing:
        return ""
    if not found.per_day > 0:
        return (
            "Nobody it is for has come in the last 28 days, so there is nothing to reckon with: give the number of "
            "visitors, or wait."
        )
    why = found.missing.partition(": ")[2] or found.missing
    return f"{why[:1].upper()}{why[1:]}."


def _sentences(definition: Definition, found: Proposal) -> list[str]:
    primary = definition.primary
    said = []
    if found.baseline is not None:
        figure = money(found.baseline) if primary.kind in _AMOUNTS else f"{found.baseline:.2%}"
        said.append(f"In the last 28 days the {metric_words(primary.kind, primary.event)} was {figure}.")
    said += found.assumed
    if found.sizing is not None:
        said.append(
            f"To find a change of {share_words(found.sizing.lift)} in {share_words(definition.design.power)} of all "
            f"cases it takes {found.sizing.units:,} visitors at most, and {found.sizing.expected_units:,} on average "
            f"if the change is as large: a test with one look at its end takes {found.sizing.fixed_units:,}."
        )
    said.append(f"Each visitor is counted for {found.window_days} days: the last figures are in so much later.")
    return said


def _table(definition: Definition, found: Proposal) -> Table | None:
    rows = tuple(
        (f"{each.days} days", f"{each.units:,.0f}", "none" if each.lift is None else f"{each.lift:.1%}")
        for each in found_in(definition, found)
    )
    if not rows:
        return None
    return Table(
        "The smallest change that is found, by how long it runs", ("runs for", "visitors", "smallest change"), rows
    )


_AMOUNTS: Final = {MetricKind.REVENUE, MetricKind.ORDER_VALUE}


def frozen_words(experiment: Experiment) -> list[tuple[str, str]]:
    """What its start froze, as facts; none of a draft."""
    if not experiment.plan:
        return []
    planned = Planned.from_json(experiment.plan)
    looks = planned.plan.monitoring.looks
    return [
        ("Visitors planned", f"{planned.plan.units:,}" + ("" if planned.is_worked_out else ", as given")),
        ("Smallest change worth finding", f"{share_words(planned.lift)}, with a power of {share_words(planned.power)}"),
        ("Planned looks", f"{looks}, one a day" if looks else "none: the rule for unplanned looks holds"),
        ("Planned end", day_words(planned.ends) if planned.ends is not None else "not known"),
        *([("What that rests on", " ".join(planned.assumed))] if planned.assumed else []),
    ]


def _spell(days: float) -> str:
    whole = int(days)
    return f"{whole} day{'s' if whole != 1 else ''}" if whole < 2 * 365 else f"{whole / 365:.0f} years"
