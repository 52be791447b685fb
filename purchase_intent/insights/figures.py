"""A model's stored figures as tables; what is missing or of another shape is left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from purchase_intent.insights.words import per_cent
from purchase_intent.learning import MEMBERS
from purchase_intent.models import Horizon, ModelVersion

__all__ = ["Table", "main_figure", "numbers", "tables", "within"]

_COLUMNS: Final = (
    ("rows", "cases", "{:,.0f}"),
    ("positives", "followed by a purchase", "{:,.0f}"),
    ("auc", "AUC", "{:.3f}"),
    ("average_precision", "average precision", "{:.3f}"),
    ("base_rate", "that of chance", "{:.3f}"),
    ("brier", "Brier score", "{:.4f}"),
    ("ece", "calibration error", "{:.4f}"),
    ("best_f1", "best F1", "{:.3f}"),
)
_NAMES: Final = {
    "ensemble": "the ensemble, which serves",
    **{name: f"{name}, a member" for name in MEMBERS},
    "baseline": "logistic regression, to compare",
}
"""In the order in which they are shown: a database keeps no order of names."""
_BESIDE: Final = {
    "churn": "stays away for 30 days",
    "revenue": "revenue in 28 days",
    "value": "revenue in 12 months",
}
_VIEWS: Final[Mapping[str, Mapping[str, str]]] = {
    Horizon.SESSION: {"session": "Each session weighed once", "point": "Each moment weighed once"},
    Horizon.WEEK: {"session": "Each customer weighed once, on a night of its own"},
}


@dataclass(frozen=True, slots=True)
class Table:
    """A caption, the heads of the columns, and rows whose first cell names them."""

    caption: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def main_figure(version: ModelVersion, name: str) -> str | None:
    """One figure of the ensemble, each session weighed once; None where it was not measured."""
    value = within(version.figures, "models", "ensemble", "session").get(name)
    return f"{value:.3f}" if isinstance(value, int | float) else None


def tables(version: ModelVersion) -> list[Table]:
    """The figures of the last slice, model by model; weights; the cut-offs of the bands; what tuning tried."""
    figures = version.figures if isinstance(version.figures, Mapping) else {}
    found = [_judged(figures, view, caption) for view, caption in _VIEWS[version.horizon].items()]
    found.append(_beside(figures))
    weights = numbers(figures, "weights")
    bands = numbers(figures, "thresholds", "bands")
    found += [
        Table(
            "Members and their weights in the ensemble",
            ("member", "weight"),
            tuple((name, f"{weight * 100:.0f}%") for name, weight in _highest_first(weights)),
        ),
        Table(
            "Bands: the score at which each begins",
            ("band", "from"),
            tuple((name.replace("_", " ") + "%", per_cent(cutoff)) for name, cutoff in _highest_first(bands)),
        ),
    ]
    return [table for table in [*found, tuned_table(figures, version.cases)] if table.rows]


def _judged(figures: Mapping[str, Any], view: str, caption: str) -> Table:
    judged = within(figures, "models")
    by_model = {name: row for name in judged if (row := numbers(judged, name, view))}
    columns = [column for column in _COLUMNS if any(column[0] in row for row in by_model.values())]
    order = [*_NAMES, *sorted(by_model.keys() - _NAMES.keys())]
    rows = tuple(
        (_NAMES.get(name, name), *(text.format(row[key]) if key in row else "-" for key, _, text in columns))
        for name, row in sorted(by_model.items(), key=lambda item: order.index(item[0]))
    )
    return Table(caption, ("model", *(head for _, head, _ in columns)), rows)


def _highest_first(figures: Mapping[str, float]) -> list[tuple[str, float]]:
    return sorted(figures.items(), key=lambda item: (-item[1], item[0]))


def _beside(figures: Mapping[str, Any]) -> Table:
    """How churn, revenue and value fared beside the chance of the week, or what they lack; else without rows."""
    rows = tuple((said, _fared(within(figures, "customers", name))) for name, said in _BESIDE.items())
    caption = "Beside it, on later customers than those it had learnt from"
    return Table(caption, ("what", "how it fared"), rows if within(figures, "customers") else ())


def _fared(found: Mapping[str, Any]) -> str:
    if "lacking" in found:
        return f"not said: it {found['lacking']}"
    if {"expected", "happened", "top_tenth"} <= found.keys():
        ratio = found["expected"] / found["happened"] if found["happened"] else 0.0
        return (
            f"{ratio:.2f} expected for each 1 that came; the tenth of whom most was expected brought "
            f"{found['top_tenth']:.0%} of it"
        )
    return f"AUC {found['auc']:.3f}, calibration error {found['ece']:.4f}" if {"auc", "ece"} <= found.keys() else "-"


def tuned_table(figures: Mapping[str, Any], cases: str = "sessions") -> Table:
    """What tuning tried for each member and what came of it; without rows where nothing was tuned."""
    members = within(figures, "tuning", "members")
    sessions = numbers(figures, "tuning", "sessions")
    caption = "Tuning: each member's log-loss on an inner slice of time"
    if {"fit", "of"} <= sessions.keys():
        caption += f", from {sessions['fit']:,.0f} of {sessions['of']:,.0f} {cases}"
    heads = ("member", "trials", "cut short", "with the defaults", "best", "gain where confirmed", "outcome")
    rows = tuple(_tuned_row(members, name) for name in MEMBERS if within(members, name))
    together = within(figures, "tuning", "together")
    if rows and (gain := _gain(together)) != "-":
        outcome = "the best are taken" if together.get("adopted") is True else "the defaults stay"
        rows += (("together", *["-"] * 4, gain, outcome),)
    return Table(caption, heads, rows)


def _gain(found: Mapping[str, Any]) -> str:
    figures = numbers(found)
    if not {"gain", "error"} <= figures.keys():
        return "-"
    return f"{figures['gain']:+.5f} \N{PLUS-MINUS SIGN} {figures['error']:.5f}"


def _tuned_row(members: Mapping[str, Any], name: str) -> tuple[str, ...]:
    found, figures = within(members, name), numbers(members, name)
    outcome = "the defaults stay"
    if found.get("adopted") is True:
        outcome = ", ".join(f"{param} {value:.4g}" for param, value in numbers(found, "params").items())
    losses = (f"{figures[key]:.5f}" if key in figures else "-" for key in ("defaults", "best"))
    counts = (f"{figures.get(key, 0):.0f}" for key in ("tried", "cut_short"))
    return name, *counts, *losses, _gain(found), outcome


def within(figures: Any, *names: str) -> Mapping[str, Any]:
    """What stored figures hold under names, one within the other; empty where they do not."""
    for name in names:
        figures = figures.get(name) if isinstance(figures, Mapping) else None
    return figures if isinstance(figures, Mapping) else {}


def numbers(figures: Any, *names: str) -> dict[str, float]:
    """The numbers that stored figures hold under names; empty where they do not."""
    return {name: float(value) for name, value in within(figures, *names).items() if isinstance(value, int | float)}
