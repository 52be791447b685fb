"""What was decided before an experiment began: its arms, its metrics, how it is watched, and how large it is to be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from purchase_intent.exceptions import ExperimentRefused
from purchase_intent.stats.inference import Kind, refuse_alpha
from purchase_intent.stats.monitoring import Monitoring

__all__ = ["Guardrail", "Metric", "Plan"]


@dataclass(frozen=True, slots=True)
class Metric:
    """One figure per exposed unit. `adjusted` says that its summaries hold a covariate, to be used for CUPED."""

    name: str
    kind: Kind
    higher_is_better: bool = True
    adjusted: bool = False

    @property
    def sign(self) -> int:
        """1 where more is better, -1 where less is."""
        return 1 if self.higher_is_better else -1

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "name": self.name,
            "kind": self.kind.value,
            "higher_is_better": self.higher_is_better,
            "adjusted": self.adjusted,
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """What `as_json` gave."""
        return cls(**{**stored, "kind": Kind(stored["kind"])})


@dataclass(frozen=True, slots=True)
class Guardrail:
    """A metric that must not suffer: a relative loss below `margin` is tolerated (0.02: 2% of the control's figure)."""

    metric: Metric
    margin: float

    def __post_init__(self) -> None:
        if not 0 < self.margin < 1:
            raise ExperimentRefused(
                field="margin",
                reason="share",
                remedy=f"give {self.metric.name} a tolerated loss between 0 and 1, such as 0.02, not {self.margin}",
            )


@dataclass(frozen=True, slots=True)
class Plan:
    """The arms with their weights, the control among them, what is measured, and `units` over all arms at the end.

    Before each arm has `least` units, no figure is believed: the intervals rest on bell curves. `ratio_alpha` is the
    error of the sequential sample-ratio check over the whole experiment. `adaptive` says that the weights followed what
    was seen, as a bandit's: they are then the shares that the arms were to get on average, and no figure decides.
    """

    control: str
    arms: tuple[str, ...]
    weights: tuple[float, ...]
    primary: Metric
    units: int
    guardrails: tuple[Guardrail, ...] = ()
    monitoring: Monitoring = field(default_factory=Monitoring)
    least: int = 100
    ratio_alpha: float = 0.01
    adaptive: bool = False

    def __post_init__(self) -> None:
        if self.control not in self.arms or len(set(self.arms)) != len(self.arms) or len(self.arms) < 2:
            raise ExperimentRefused(
                field="arms", reason="arms", remedy=f"name two or more different arms with {self.control} among them"
            )
        if len(self.weights) != len(self.arms) or min(self.weights) < 0 or abs(sum(self.weights) - 1) > 1e-9:
            raise ExperimentRefused(
                field="weights", reason="weights", remedy=f"give each arm one, summing to 1, not {self.weights}"
            )
        if self.units < 1:
            raise ExperimentRefused(field="units", reason="count", remedy="plan for at least one unit")
        if self.least < 2:
            raise ExperimentRefused(field="least", reason="count", remedy="ask for at least two units in each arm")
        refuse_alpha(self.ratio_alpha)
        names = [metric.name for metric in self.metrics]
        if len(set(names)) != len(names):
            raise ExperimentRefused(field="metrics", reason="metrics", remedy=f"name each metric once, not {names}")

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The primary one, then the guardrails'."""
        return (self.primary, *(guardrail.metric for guardrail in self.guardrails))

    @property
    def treatments(self) -> tuple[str, ...]:
        """Every arm but the control that is given to anybody: one without weight would be waited for in vain."""
        given = zip(self.arms, self.weights, strict=True)
        return tuple(arm for arm, weight in given if weight > 0 and arm != self.control)

    @property
    def compared(self) -> tuple[str, ...]:
        """The control, and the treatments that are held against it."""
        return (self.control, *self.treatments)

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "control": self.control,
            "arms": list(self.arms),
            "weights": list(self.weights),
            "primary": self.primary.as_json(),
            "units": self.units,
            "guardrails": [{"metric": each.metric.as_json(), "margin": each.margin} for each in self.guardrails],
            "monitoring": self.monitoring.as_json(),
            "least": self.least,
            "ratio_alpha": self.ratio_alpha,
            "adaptive": self.adaptive,
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """What `as_json` gave."""
        return cls(
            control=stored["control"],
            arms=tuple(stored["arms"]),
            weights=tuple(stored["weights"]),
            primary=Metric.from_json(stored["primary"]),
            units=stored["units"],
            guardrails=tuple(
                Guardrail(Metric.from_json(each["metric"]), each["margin"]) for each in stored["guardrails"]
            ),
            monitoring=Monitoring.from_json(stored["monitoring"]),
            least=stored["least"],
            ratio_alpha=stored["ratio_alpha"],
            adaptive=stored.get("adaptive", False),
        )
