"""The room a member's parameters may be searched in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["Range", "Space"]


@dataclass(frozen=True, slots=True)
class Range:
    """From `low` to `high`, both within; `log` where a factor counts and not a step, `whole` for whole numbers."""

    low: float
    high: float
    log: bool = False
    whole: bool = False

    def __post_init__(self) -> None:
        if not self.low < self.high or (self.log and self.low <= 0):
            raise ValueError(f"{self.low} to {self.high} is no range")

    def __contains__(self, value: object) -> bool:
        return isinstance(value, int | float) and self.low <= value <= self.high


Space = Mapping[str, Range]
