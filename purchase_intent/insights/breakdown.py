"""A model's figures part by part, by moment, by stage and by kind of visitor, as a table and as what is weakest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from purchase_intent.insights.figures import Table, numbers, within
from purchase_intent.insights.words import exact_per_cent
from purchase_intent.models import ModelVersion

__all__ = ["ENOUGH", "PARTS", "parts_of", "parts_table", "weakest"]

ENOUGH: Final = 20
"""Buyers, and others, of a part about which something is said: with fewer an AUC is known to a tenth at best."""
PARTS: Final[Mapping[str, str]] = {
    "k=1": "after the 1st moment",
    "k=3": "after the 3rd moment",
    "k=5": "after the 5th moment",
    "k=10": "after the 10th moment",
    "k=20": "after the 20th moment",
    "first_product": "first product seen",
    "first_basket": "first in the basket",
    "first_checkout": "first at the checkout",
    "new": "visitors never seen before",
    "returning": "visitors who came before",
    "one_visit": "customers with one visit",
    "few_visits": "customers with 2 to 4 visits",
    "many_visits": "customers with 5 visits or more",
    "never_ordered": "customers without an order",
    "has_ordered": "customers who have ordered",
    "away_a_day": "last seen within a day",
    "away_a_week": "last seen 1 to 7 days before",
    "away_longer": "last seen more than 7 days before",
}
"""What each part is, in words; in this order."""
_FIGURES: Final = (
    ("auc", "AUC", "{:.3f}"),
    ("average_precision", "average precision", "{:.3f}"),
    ("base_rate", "that of chance", "{:.3f}"),
    ("brier", "Brier score", "{:.4f}"),
    ("ece", "calibration error", "{:.4f}"),
    ("best_f1", "best F1", "{:.3f}"),
)


def parts_of(version: ModelVersion) -> dict[str, dict[str, float]]:
    """The stored figures of each part that is known by name, in the order of PARTS."""
    stored = within(version.figures, "breakdown", "parts")
    return {name: found for name in PARTS if (found := numbers(stored, name)).keys() >= {"sessions", "buyers"}}


def parts_table(version: ModelVersion, subjects: str) -> Table | None:
    """The parts as a table; a part with few buyers gives its counts alone. None where none is stored."""
    rows = tuple(
        (
            PARTS[name],
            f"{part['sessions']:,.0f}",
            f"{part['buyers']:,.0f}",
            *(text.format(part[key]) if key in part else "-" for key, _, text in _FIGURES),
        )
        for name, part in parts_of(version).items()
    )
    heads = ("part", subjects, "buying", *(head for _, head, _ in _FIGURES))
    return Table("Part by part", heads, rows) if rows else None


def weakest(version: ModelVersion) -> list[str]:
    """Where the model tells least, says too much or too little, and where too few buyers allow to say anything."""
    parts = parts_of(version)
    told = {name: part for name, part in parts.items() if _is_telling(part)}
    found = []
    if told:
        name = min(told, key=lambda each: told[each]["auc"])
        part = told[name]
        found.append(
            f"It tells buyers apart least {_in_words(name)}: AUC {part['auc']:.3f}, average precision "
            f"{part['average_precision']:.3f} where chance has {part['base_rate']:.3f}, from {part['buyers']:,.0f} "
            "buyers."
        )
        name = max(told, key=lambda each: told[each]["ece"] / told[each]["base_rate"])
        part = told[name]
        if "said" in part:
            found.append(
                f"Its probabilities are furthest off {_in_words(name)}: {exact_per_cent(part['said'])} were said to "
                f"buy and {exact_per_cent(part['base_rate'])} did; the calibration error there is {part['ece']:.4f}."
            )
    silent = [_in_words(name) for name in parts if name not in told]
    if silent:
        found.append(f"Too few buyers to say anything ({ENOUGH} are needed) {', '.join(silent)}.")
    return found


def _is_telling(part: Mapping[str, float]) -> bool:
    return "auc" in part and part["buyers"] >= ENOUGH and part["sessions"] - part["buyers"] >= ENOUGH


def _in_words(name: str) -> str:
    said = PARTS[name]
    return said if said.startswith("after") else f"for “{said}”"
