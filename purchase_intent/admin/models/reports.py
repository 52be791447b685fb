"""A report of the watch as what its page shows; what is missing from it is left out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from purchase_intent.admin.saying import band_words, per_cent, timed
from purchase_intent.insights.calibration import NARROW, calibration_chart
from purchase_intent.insights.words import exact_per_cent
from purchase_intent.models import Horizon, WatchReport

__all__ = ["told"]

SHOWN: Final = 12
"""Features of the drift table's first screen: the worst; the others are folded away."""
_STATES: Final = {True: "passed", False: "failed", None: "cannot be said"}
_OF: Final = {"session": "sessions", "week": "customers"}
_BANDS: Final = {"stable": "stable", "watch": "to be watched", "drifted": "has drifted"}
_MEASURES: Final = (
    ("auc", "AUC", "{:.3f}"),
    ("average_precision", "average precision", "{:.3f}"),
    ("base_rate", "share of {of} that buy", "{:.2%}"),
    ("ece", "calibration error", "{:.4f}"),
    ("ratio", "buyers for each one promised", "{:.2f}"),
    ("slope", "slope of outcomes on scores", "{:.2f}"),
)
Data = Mapping[str, Any]


def told(report: WatchReport, now: datetime) -> dict[str, Any]:
    """What the page of a report shows."""
    figures: Data = report.figures if isinstance(report.figures, Mapping) else {}
    performance: Data = figures.get("performance") or {}
    live: Data = performance.get("live") or {}
    rows = [_column(row) for row in (figures.get("drift") or {}).get("columns", ())]
    return {
        "of": _OF[report.horizon],
        "whom": "whom" if report.horizon == Horizon.WEEK else "which",
        "day": f"{report.day:%A, %d %B %Y}",
        "made": timed(report.made_at, now),
        "model": report.model,
        "verdict": str(report.get_health_display()).capitalize(),
        "said": report.said,
        "drift": figures.get("drift") or {},
        "columns": rows[:SHOWN],
        "other_columns": rows[SHOWN:],
        "quality": figures.get("quality") or {},
        "checks": [
            {"state": _STATES[check["passed"]], "said": check["said"], "is_failed": check["passed"] is False}
            for check in sorted(
                (figures.get("quality") or {}).get("checks", ()), key=lambda each: _rank(each["passed"])
            )
        ],
        "live": live,
        "measures": _measures(live, performance.get("promised") or {}, _OF[report.horizon]),
        "offer": _offer(performance.get("offer") or {}),
        "bands": _bands(live, performance.get("promised") or {}),
        "chart": calibration_chart(live.get("reliability") or (), of=_OF[report.horizon]),
        "narrow_chart": calibration_chart(live.get("reliability") or (), NARROW, of=_OF[report.horizon]),
        "reliability": [_tenth(row) for row in live.get("reliability") or ()],
        "by_day": [_by_day(row) for row in reversed(performance.get("by_day") or ())],
        "recalibration": figures.get("recalibration") or {},
    }


def _tenth(row: Data) -> dict[str, str]:
    return {
        "said": f"{row['said']:.2%}",
        "bought": f"{row['bought']:.2%}",
        "between": f"{row['low']:.2%} to {row['high']:.2%}",
        "sessions": f"{row['sessions']:,.0f}",
    }


def _rank(passed: bool | None) -> int:  # noqa: FBT001 (three states, as stored)
    return {False: 0, True: 1, None: 2}[passed]


def _column(row: Data) -> dict[str, Any]:
    return {
        "meaning": row["meaning"],
        "name": row["name"],
        "band": _BANDS[row["band"]],
        "is_drifted": row["band"] == "drifted",
        "moved": row["moved"],
        "change": f"{per_cent(row['before'])} then, {per_cent(row['now'])} now",
        "psi": f"{row['psi']:.2f}",
        "usual": f"{row['usual']:.2f}" if row.get("usual", 0) >= 0.05 else "",
        "distance": f"{row['distance']:.2f}",
        "weight": per_cent(row["weight"]) if row["weight"] else "-",
    }


def _measures(live: Data, promised: Data, of: str) -> list[tuple[str, str, str, str]]:
    rows = []
    for key, name, text in _MEASURES:
        if key not in live:
            continue
        interval = live.get(f"{key}_interval")
        between = f"{text.format(interval[0])} to {text.format(interval[1])}" if interval else "-"
        then = promised.get(key, 1.0 if key in ("ratio", "slope") else None)
        rows.append((name.format(of=of), text.format(live[key]), between, "-" if then is None else text.format(then)))
    return rows


def _bands(live: Data, promised: Data) -> list[tuple[str, str, str, str, str]]:
    then: Data = promised.get("bands") or {}
    return [
        (
            band_words(name),
            f"{row['sessions']:,} ({per_cent(row['share'])})",
            "-" if row["precision"] is None else per_cent(row["precision"]),
            f"{per_cent(row['low'])} to {per_cent(row['high'])}",
            per_cent(then[name]["precision"]) if name in then else "-",
        )
        for name, row in (live.get("bands") or {}).items()
    ]


def _offer(found: Data) -> str:
    """How the shop's offer hit, in one sentence; "" without a rule for it."""
    if not found:
        return ""
    if found["from"] is None:
        return "The shop's offer is for nobody with this model."
    ends, between = (
        f"{exact_per_cent(found[low])} to {exact_per_cent(found[high])}"
        for low, high in (("from", "to"), ("low", "high"))
    )
    if found["precision"] is None:
        return f"Of these sessions none came into the range of the shop's offer, scores from {ends}."
    return (
        f"Of these sessions {found['sessions']:,} ({per_cent(found['share'])}) came into the range of the shop's "
        f"offer, scores from {ends}: {found['bought']:,} of them bought, {exact_per_cent(found['precision'])} "
        f"(95% interval {between}); {found['expected']:,.0f} were expected."
    )


def _by_day(row: Data) -> tuple[str, str, str, str, str, str, str]:
    return (
        row["day"],
        f"model {row['model']}",
        f"{row['sessions']:,}",
        f"{row['buyers']:,}",
        f"{row['said']:.1%}",
        f"{row['bought']:.1%}",
        f"{row['auc']:.3f}" if "auc" in row else "too few buyers",
    )
