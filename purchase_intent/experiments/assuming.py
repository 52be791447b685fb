"""What the plan of an experiment rests on, in sentences."""

from __future__ import annotations

from datetime import timedelta

from purchase_intent.conf import config
from purchase_intent.experiments.definition import Definition
from purchase_intent.experiments.past import LEAST_SCORED, Past

__all__ = ["assumptions"]


def assumptions(definition: Definition, past: Past) -> tuple[str, ...]:
    """Whose past it was, by what that was told, and what the score is expected to take off the noise."""
    return tuple(said for said in (_whose(definition, past), _sampled(past), _cleaned(definition, past)) if said)


def _whose(definition: Definition, past: Past) -> str:
    zone = config().time_zone
    first, last = past.since.astimezone(zone), (past.until - timedelta(microseconds=1)).astimezone(zone)
    days = f"from {first.day} {first:%B} to {last.day} {last:%B %Y}"
    if not definition.segment:
        return f"Reckoned from the {past.units:,} visitors who came {days}, each from the first visit on."
    if past.by_night:
        return (
            f"Reckoned from the {past.units:,} visitors who came {days} as members of “{definition.segment}” by the "
            "nightly look before, each from the first such visit on."
        )
    return (
        f"Reckoned from {past.units:,} visitors of “{definition.segment}” {days}, each from the first moment at which "
        "the visit met the conditions, by what was known then."
    )


def _sampled(past: Past) -> str:
    return "" if past.share == 1 else f"They were found in {past.share:.1%} of all visits, and reckoned up."


def _cleaned(definition: Definition, past: Past) -> str:
    if not definition.design.adjusted:
        return "The chance to buy takes no noise out: it was decided so."
    if past.scored < LEAST_SCORED:
        return (
            "The chance to buy is expected to take no noise out: a score was stored of "
            f"{past.scored:,} of these visits, and {LEAST_SCORED} are needed to say how much."
        )
    return (
        f"The chance to buy is expected to take {past.reduction:.1%} of the noise out, as the scores stored at the "
        f"time did for {past.scored:,} of these visitors."
    )
