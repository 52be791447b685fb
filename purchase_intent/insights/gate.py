"""What the gate measured, as tables, and one model's measures beside another's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from purchase_intent.insights.figures import Table, numbers, within
from purchase_intent.models import Horizon, ModelVersion

__all__ = ["gate_tables", "measured"]

_MEASURES: Final = {
    "average_precision": "average precision (higher is better)",
    "log_loss": "log-loss (lower is better)",
    "brier": "Brier score (lower is better)",
}
_CALIBRATION: Final = {"slope": "slope (1 is right)", "intercept": "intercept, in log-odds (0 is right)"}


def gate_tables(version: ModelVersion) -> list[Table]:
    """What the gate compared and how the calibration held, from the stored figures; nothing where it did not."""
    gate = within(version.figures, "gate")
    measures = {name: row for name in _MEASURES if len(row := numbers(gate, "measures", name)) == 5}
    holds = numbers(gate, "calibration")
    judged = "customers" if version.horizon == Horizon.WEEK else "sessions"
    found = []
    if measures:
        against = f"model {gate.get('against')}"
        caption = (
            f"Against {against}, on {gate.get('sessions')} {judged} that neither had learnt from, "
            f"{gate.get('buyers')} of which bought"
        )
        found.append(measured(caption, against, measures))
    rows = [
        (said, f"{holds[name]:.2f}", f"{holds[f'{name}_low']:.2f} to {holds[f'{name}_high']:.2f}")
        for name, said in _CALIBRATION.items()
        if {name, f"{name}_low", f"{name}_high"} <= holds.keys()
    ]
    if {"ece", "ece_by_chance"} <= holds.keys():
        rows.append(("calibration error", f"{holds['ece']:.4f}", f"0 to {holds['ece_by_chance']:.4f} by chance alone"))
    if rows:
        heads = ("figure", "found", "95% interval")
        found.append(Table(f"How its probabilities held on those {judged}", heads, tuple(rows)))
    return found


def measured(caption: str, first: str, rows: Mapping[str, Mapping[str, Any]], second: str = "this model") -> Table:
    """The measures of two models side by side; `rows` are those of `learning.paired`, by name."""
    return Table(
        caption,
        ("measure", first, second, "better by", "95% interval"),
        tuple(
            (
                _MEASURES[name],
                f"{row['first']:.4f}",
                f"{row['second']:.4f}",
                f"{row['gain']:+.4f}",
                f"{row['low']:+.4f} to {row['high']:+.4f}",
            )
            for name, row in rows.items()
        ),
    )
