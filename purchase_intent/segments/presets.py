"""The segments that come with the app: installed by `migrate`, the shop's own to edit from then on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import transaction

from purchase_intent.models import Segment, SegmentVersion

__all__ = ["INSTALLER", "PRESETS", "Preset", "install"]

INSTALLER: Final = "purchase_intent"
"""Who made the first version of what is built in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """A segment that comes with the app; its key is its origin. `rule` as `segments.rules` spells it."""

    key: str
    title: str
    about: str
    action: str
    match: str = "all"
    conditions: tuple[tuple[str, str, float | str], ...]

    @property
    def rule(self) -> dict[str, Any]:
        """The conditions as JSON."""
        rows = [{"field": field, "operator": operator, "value": value} for field, operator, value in self.conditions]
        return {"match": self.match, "conditions": rows}


PRESETS: Final = (
    Preset(
        key="high-value",
        title="High value",
        about="The hundredth of the moments that are likeliest to end in an order: the top band of the model.",
        action="Take what stands in the way: show delivery time and payment choices. A discount is wasted on most.",
        conditions=(("band", ">=", "top_1"),),
    ),
    Preset(
        key="chance-of-80",
        title="Chance of 80% or more",
        about="A fixed limit on the calibrated chance. Few shoppers reach it: its size says how many.",
        action="If it stays nearly empty, use High value instead, which follows the model's own scale.",
        conditions=(("score", ">=", 0.8),),
    ),
    Preset(
        key="weekend-shoppers",
        title="Weekend shoppers",
        about="More than half of the latest four visits began on a Saturday or Sunday.",
        action="Send news on Friday afternoon, and keep weekend delivery in sight.",
        conditions=(("weekend_share", ">", 0.5),),
    ),
    Preset(
        key="evening-browsers",
        title="Evening browsers",
        about="More than half of the latest four visits began between 18 and 22 o'clock on the shop's clock.",
        action="Send news in the early evening; have the chat staffed until 22 o'clock.",
        conditions=(("evening_share", ">", 0.5),),
    ),
    Preset(
        key="cart-abandoners",
        title="Cart abandoners",
        about="Left something in a basket or a checkout, with no order since.",
        action="Lead back to the basket that was left, and name the cost of delivery early.",
        match="any",
        conditions=(("left_units", ">=", 1.0), ("left_value", ">", 0.0)),
    ),
    Preset(
        key="returning-non-buyers",
        title="Returning non-buyers",
        about="Came at least twice and have not ordered yet.",
        action="Help to choose: comparisons, reviews, returns free of charge. A first-order offer is worth a test.",
        conditions=(("visits", ">=", 2.0), ("orders", "=", 0.0)),
    ),
    Preset(
        key="sure-buyers",
        title="Sure buyers",
        about="Have ordered before, and are in the best twentieth by their chance to buy.",
        action="No discount: they buy anyhow. Show what is new, and what goes with earlier orders.",
        conditions=(("orders", ">=", 1.0), ("band", ">=", "top_5")),
    ),
    Preset(
        key="new-visitors",
        title="New visitors",
        about="On their first visit, or seen once only.",
        action="Say who you are: delivery, returns and best sellers on the first page.",
        conditions=(("visits", "=", 1.0),),
    ),
)


def install(*, now: datetime, segments: Any = Segment, versions: Any = SegmentVersion) -> list[str]:
    """Make what is built in and not there yet, by origin; the keys of what was made.

    One whose key another segment has taken is left out. `segments` and `versions` are the models to use, in a
    migration those of its time.
    """
    made = []
    for preset in PRESETS:
        taken = segments.objects.filter(origin=preset.key) | segments.objects.filter(key=preset.key)
        if taken.exists():
            continue
        with transaction.atomic():
            row = segments.objects.create(
                key=preset.key,
                title=preset.title,
                about=preset.about,
                action=preset.action,
                origin=preset.key,
                created_at=now,
            )
            row.current = versions.objects.create(segment=row, number=1, rule=preset.rule, made_at=now, who=INSTALLER)
            row.save()
        made.append(preset.key)
    return made
