"""What is measured of a segment, in words and tables: each figure with its interval, and the rest beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from purchase_intent.admin.saying import money
from purchase_intent.insights.figures import Table
from purchase_intent.models import SegmentReport
from purchase_intent.segments.fields import FIELDS, Field

__all__ = ["counted", "figures_table", "headline", "precise", "shared", "summed", "traits"]


def precise(share: float) -> str:
    """A share to one decimal: what is measured has an interval beside it."""
    return f"{share * 100:.1f}%"


def shared(figure: Any) -> str:
    """A share with its interval: "3.1% (2.8% to 3.4%)"."""
    if not isinstance(figure, Mapping):
        return "not known"
    return f"{precise(figure['value'])} ({precise(figure['low'])} to {precise(figure['high'])})"


def summed(figure: Any) -> str:
    """A sum of money with its interval."""
    if not isinstance(figure, Mapping):
        return "not known"
    return f"{money(figure['value'])} ({money(figure['low'], '')} to {money(figure['high'], '')})"


def counted(report: SegmentReport | None) -> str:
    """A segment's size in a list: "826 (6.6%)"."""
    if report is None:
        return "not measured"
    share = report.figures.get("share")
    return f"{report.size:,} ({precise(share['value'])})" if isinstance(share, Mapping) else f"{report.size:,}"


def headline(report: SegmentReport | None) -> str:
    """A segment's size in one line."""
    if report is None:
        return "Not measured yet"
    share = report.figures.get("share")
    part = f", {precise(share['value'])} of all" if isinstance(share, Mapping) and report.looked_at else ""
    return f"{report.size:,} {'shopper' if report.size == 1 else 'shoppers'}{part}"


def figures_table(figures: Mapping[str, Any], *, whose: str = "they") -> Table:
    """What members did in the period, beside the rest; `whose` says of whom it was counted."""
    days = figures.get("days", 90)
    after = figures.get("after")
    rows = [
        ("Share of shoppers", shared(figures.get("share")), "-"),
        (
            f"Visits that bought, of {figures.get('visits', 0):,.0f}",
            shared(figures.get("conversion")),
            shared(figures.get("conversion_of_rest")),
        ),
        (
            f"Average order, of {figures.get('orders', 0):,.0f}",
            summed(figures.get("order_value")),
            summed(figures.get("order_value_of_rest")),
        ),
        ("Revenue", money(figures.get("revenue", 0.0)), "-"),
        ("Revenue a shopper", summed(figures.get("revenue_each")), summed(figures.get("revenue_each_of_rest"))),
        ("Share of the revenue", shared(figures.get("revenue_share")), "-"),
        (
            "Ordered within 7 days after entering" + (f", of {after['of']:,.0f}" if isinstance(after, Mapping) else ""),
            shared(after) if isinstance(after, Mapping) else "not known until seven days after they entered",
            "-",
        ),
    ]
    heads = ("figure", "members (95% between)", "all others (95% between)")
    return Table(f"What {whose} did in the last {days} days", heads, tuple(rows))


def traits(figures: Mapping[str, Any]) -> Table:
    """What sets members apart, the strongest first; without rows where nothing does."""
    found = [*_listed(figures.get("traits")), *_listed(figures.get("manners"))]
    found.sort(key=lambda each: -abs(float(each["effect"])))
    rows = tuple(_trait(each, FIELDS[each["field"]]) for each in found if each.get("field") in FIELDS)
    return Table("What sets them apart", ("trait", "members", "all others", "effect (95% between)"), rows)


def _trait(each: Mapping[str, Any], field: Field) -> tuple[str, str, str, str]:
    effect = f"{each['effect']:+.2f} ({each['low']:+.2f} to {each['high']:+.2f})"
    if "name" in each:
        name = f"{field.label}: {each['name'] or 'not known'}"
        return name, precise(each["mean"]), precise(each["rest"]), effect
    return field.label, _measured(field, each["mean"]), _measured(field, each["rest"]), effect


def _measured(field: Field, value: float) -> str:
    if field.unit in ("share", "yes/no"):
        return precise(value)
    if field.unit == "money":
        return money(value)
    if field.unit == "s":
        return _span(value)
    return f"{value:,.2f}" if abs(value) < 100 else f"{value:,.0f}"


def _span(seconds: float) -> str:
    for unit, name in ((86_400, "days"), (3_600, "h"), (60, "min")):
        if abs(seconds) >= unit:
            return f"{seconds / unit:,.1f} {name}"
    return f"{seconds:.0f} s"


def _listed(found: Any) -> list[dict[str, Any]]:
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
