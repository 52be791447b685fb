"""A report of the watch as what its page shows; what is missing from it is left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from purchase_intent.admin.charts import Tick, nice_top
from purchase_intent.admin.saying import band_words, per_cent, timed
from purchase_intent.models import WatchReport

__all__ = ["CalibrationChart", "calibration_chart", "told"]

SHOWN: Final = 12
"""Features of the drift table's first screen: the worst; the others are folded away."""
WIDTH: Final = 720
HEIGHT: Final = 320
LEFT, RIGHT, TOP, BOTTOM = 56, 150, 28, 48
_STATES: Final = {True: "passed", False: "failed", None: "cannot be said"}
_BANDS: Final = {"stable": "stable", "watch": "to be watched", "drifted": "has drifted"}
_MEASURES: Final = (
    ("auc", "AUC", "{:.3f}"),
    ("average_precision", "average precision", "{:.3f}"),
    ("base_rate", "share of sessions that buy", "{:.2%}"),
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
        "measures": _measures(live, performance.get("promised") or {}),
        "bands": _bands(live, performance.get("promised") or {}),
        "chart": calibration_chart(live.get("reliability") or ()),
        "reliability": [
            {
                "said": f"{row['said']:.2%}",
                "bought": f"{row['bought']:.2%}",
                "between": f"{row['low']:.2%} to {row['high']:.2%}",
                "sessions": f"{row['sessions']:,.0f}",
            }
            for row in live.get("reliability") or ()
        ],
        "by_day": [_by_day(row) for row in reversed(performance.get("by_day") or ())],
        "recalibration": figures.get("recalibration") or {},
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


def _measures(live: Data, promised: Data) -> list[tuple[str, str, str, str]]:
    rows = []
    for key, name, text in _MEASURES:
        if key not in live:
            continue
        interval = live.get(f"{key}_interval")
        between = f"{text.format(interval[0])} to {text.format(interval[1])}" if interval else "-"
        then = promised.get(key, 1.0 if key in ("ratio", "slope") else None)
        rows.append((name, text.format(live[key]), between, "-" if then is None else text.format(then)))
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One decile, in pixels: where it lies, and its interval from `low` (below) to `high`."""

    x: float
    y: float
    low: float
    high: float
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationChart:
    """What was said against what happened, in pixels of a canvas of `width` by `height`."""

    width: int
    height: int
    left: int
    right: int
    top: int
    bottom: int
    points: tuple[Point, ...]
    line: str
    rows: tuple[Tick, ...]
    columns: tuple[Tick, ...]
    summary: str


def calibration_chart(reliability: Sequence[Data]) -> CalibrationChart | None:
    """The chart of a report's deciles; None without any. Both axes end at the lowest round share that holds all."""
    if not reliability:
        return None
    top = nice_top(min(1.0, max(max(row["said"], row["high"]) for row in reliability)))

    def x(share: float) -> float:
        return round(LEFT + (WIDTH - LEFT - RIGHT) * min(share, top) / top, 1)

    def y(share: float) -> float:
        return round(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * min(share, top) / top, 1)

    points = tuple(
        Point(
            x=x(row["said"]),
            y=y(row["bought"]),
            low=y(row["low"]),
            high=y(row["high"]),
            title=f"Said {row['said']:.1%}, bought {row['bought']:.1%}",
        )
        for row in reliability
    )
    shares = (0, top / 2, top)
    last = reliability[-1]
    return CalibrationChart(
        width=WIDTH,
        height=HEIGHT,
        left=LEFT,
        right=WIDTH - RIGHT,
        top=TOP,
        bottom=HEIGHT - BOTTOM,
        points=points,
        line="M" + "L".join(f"{point.x} {point.y}" for point in points),
        rows=tuple(Tick(y(share), f"{share * 100:g}%") for share in shares),
        columns=tuple(Tick(x(share), f"{share * 100:g}%") for share in shares),
        summary=(
            f"{len(points)} groups of sessions by score. In the highest one {last['said']:.1%} were said to buy and "
            f"{last['bought']:.1%} did."
        ),
    )
