"""The interval of a lift along the days, as shapes within their axes."""

from __future__ import annotations

from datetime import date, timedelta
from math import inf, nan
from typing import Any

import pytest

from purchase_intent.admin.experiments.chart import BOTTOM, NARROW, TOP, WIDE, Point, lift_chart

BEGIN = date(2026, 3, 2)


def points(*figures: tuple[float, float, float]) -> list[Point]:
    """A point a day: value, low, high."""
    return [
        Point(day=BEGIN + timedelta(days=place), value=value, low=low, high=high, is_planned=place == 1)
        for place, (value, low, high) in enumerate(figures)
    ]


def test_days_go_from_the_left_and_the_latest_interval_is_whole() -> None:
    chart = lift_chart("arm0", "bar", points((0.5, -2, 3), (0.2, -0.3, 0.7), (0.1, -0.05, 0.25)))
    assert chart is not None
    assert [x for x, _, _ in chart.dots] == [WIDE.left, (WIDE.left + WIDE.right) / 2, WIDE.right]
    assert [tick.label for tick in chart.columns] == ["2 Mar", "3 Mar", "4 Mar"]
    assert [tick.label for tick in chart.rows] == ["-100%", "-50%", "+50%", "+100%"]
    assert [row.at for row in chart.rows] == sorted([row.at for row in chart.rows], reverse=True)
    assert chart.is_cut  # the first day's interval is twenty times the last one's
    assert chart.band.startswith(f"M{WIDE.left:.1f} {TOP:.1f}L")
    assert chart.band.endswith(f"L{WIDE.left:.1f} {BOTTOM:.1f}Z")
    assert len(chart.bars) == 1
    assert (chart.end.label, chart.summary) == (
        "+10.0%",
        "3 days. First 2 March: +50.0%, from -200.0% to +300.0%; last 4 March: +10.0%, from -5.0% to +25.0%.",
    )


@pytest.mark.parametrize(
    "figures",
    [
        pytest.param(((0.0, 0.0, 0.0), (0.0, 0.0, 0.0)), id="nothing differs"),
        pytest.param(((1.0, -inf, inf), (0.5, -inf, inf)), id="no limits"),
        pytest.param(((3.0, 2.5, 4.0), (3.1, 2.9, 3.4)), id="far above nothing"),
        pytest.param(((-0.5, -0.9, -0.1), (-0.51, -0.6, -0.4)), id="far below nothing"),
        pytest.param(((0.0001, -0.0002, 0.0003), (0.0001, -0.0001, 0.0002)), id="hardly anything"),
        pytest.param(((0.1, 0.0, 0.2), (40.0, -1.0, inf)), id="no upper limit"),
    ],
)
@pytest.mark.parametrize("sheet", [WIDE, NARROW], ids=["wide", "narrow"])
def test_everything_lies_within_the_axes_and_zero_with_it(figures: Any, sheet: Any) -> None:
    chart = lift_chart("arm0", "bar", points(*figures), sheet)
    assert chart is not None
    places = [y for _, y, _ in chart.dots] + [row.at for row in chart.rows] + [chart.zero, chart.end.at]
    assert all(TOP <= place <= BOTTOM for place in places)
    assert len({tick.label for tick in chart.rows}) == len(chart.rows) >= 2
    assert "nan" not in chart.band + chart.line
    assert "inf" not in chart.band + chart.line


def test_a_year_of_days_has_few_labels_and_one_day_is_no_line() -> None:
    year = lift_chart("arm0", "bar", points(*[(0.1, 0.0, 0.2)] * 365), NARROW)
    assert year is not None
    assert len(year.columns) <= NARROW.most_days
    assert lift_chart("arm0", "bar", points((0.1, 0.0, 0.2), (nan, nan, nan))) is None
    assert lift_chart("arm0", "bar", []) is None
