"""How an experiment is sized, watched and ended, as it is decided on beforehand: plain values, refused as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from purchase_intent.exceptions import ExperimentRefused
from purchase_intent.stats.bucketing import share_told

__all__ = ["Design"]

_MOST_LOOKS = 365
_MOST_UNITS = 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """What is decided besides arms and metrics; ExperimentRefused names the culprit and the remedy.

    - `lift`: the smallest relative change of the primary metric that is worth finding; `power` the chance to find it
    - `alpha`: the error that the whole experiment may make, however often it is looked at
    - `looks`: how many looks are planned, evenly spread over the visitors; 0: none, and the always-valid rule
    - `units`: the visitors planned over all arms; None: worked out at the start from the shop's own data
    - `adjusted`: whether the intent score at exposure takes noise out of the figures (CUPED)
    - `quantile`: where revenue is winsorised, among the positive values of all arms together
    - `ships`, `rolls_back`: whether a winner is shipped, and a loser rolled back, without anybody's doing
    - `uplift`: whether who is moved by it is learnt anew every week
    - `bandit`: the least share of every arm, where the shares follow what is seen day by day; None: they stand
    """

    lift: float = 0.05
    power: float = 0.8
    alpha: float = 0.05
    looks: int = 28
    units: int | None = None
    adjusted: bool = True
    quantile: float = 0.99
    ships: bool = False
    rolls_back: bool = False
    uplift: bool = False
    bandit: float | None = None

    def __post_init__(self) -> None:
        for name, low, high in (("lift", 0, 10), ("alpha", 0, 0.5), ("quantile", 0.5, 1)):
            if not low < getattr(self, name) < high:
                raise _refused(name, f"give a number between {low} and {high}, not {getattr(self, name)}")
        if not self.alpha < self.power < 1:
            raise _refused(
                "power", f"give a chance above {share_told(self.alpha)} and below 1, not {share_told(self.power)}"
            )
        if not (0 <= self.looks <= _MOST_LOOKS and self.looks == int(self.looks)):
            raise _refused("looks", f"give a whole number from 0 to {_MOST_LOOKS}, not {self.looks}")
        if self.units is not None and not (1 <= self.units <= _MOST_UNITS and self.units == int(self.units)):
            raise _refused("units", f"give a whole number of visitors, from 1 to {_MOST_UNITS:,}, not {self.units}")

        if self.bandit is not None and not 0 < self.bandit <= 0.5:
            given = share_told(self.bandit)
            raise _refused("bandit", f"give the least share of every arm, above 0 and up to 0.5 (50%), not {given}")
        if self.bandit is not None and self.acts:
            raise _refused("bandit", "a bandit is ended by hand: leave out ships and rolls_back")

    @property
    def acts(self) -> bool:
        """Whether it ends without anybody's doing."""
        return self.ships or self.rolls_back

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """What `as_json` gave; what is not said is as it is by default."""
        known = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in stored.items() if name in known})


def _refused(field: str, remedy: str) -> ExperimentRefused:
    return ExperimentRefused(field=field, reason="design", remedy=remedy)
