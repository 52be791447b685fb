"""An experiment as it is decided on: plain values that are refused as a whole where they make no experiment."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from purchase_intent.events import EventName
from purchase_intent.exceptions import ExperimentRefused
from purchase_intent.experiments.design import Design
from purchase_intent.models import MetricKind, MetricRole
from purchase_intent.models.segment import is_key
from purchase_intent.stats.bucketing import Allocation, Holdout, Layer, share_told

__all__ = ["ArmSpec", "Definition", "GroupRange", "MetricSpec", "refuse_unfit_key"]

_LONGEST_WINDOW: Final = 90
_ROUNDING: Final = 1e-9
_EVENTS: Final = frozenset(name.label for name in EventName)


@dataclass(frozen=True, slots=True)
class ArmSpec:
    """An arm and its share of those who are taken in, from 0 to 1."""

    key: str
    weight: float
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricSpec:
    """A metric. `margin` is a guardrail's tolerated relative loss, `event` what a metric of the kind `event` counts."""

    kind: str
    role: str = MetricRole.SECONDARY
    event: str = ""
    margin: float | None = None
    window_days: int = 7

    @property
    def name(self) -> str:
        """By which figures name it: its kind, and the event's name where it counts one."""
        return f"{self.kind}:{self.event}" if self.event else self.kind

    def __post_init__(self) -> None:
        if self.kind not in MetricKind.values:
            raise _refused("metrics", "kind", f"“{self.kind}” is no kind: use one of {', '.join(MetricKind.values)}")
        if self.role not in MetricRole.values:
            raise _refused("metrics", "role", f"“{self.role}” is no role: use one of {', '.join(MetricRole.values)}")
        if (self.kind == MetricKind.EVENT) != bool(self.event) or (self.event and self.event not in _EVENTS):
            raise _refused("metrics", "event", f"a metric of kind event names one of {', '.join(sorted(_EVENTS))}")
        is_guardrail = self.role == MetricRole.GUARDRAIL
        if is_guardrail != (self.margin is not None) or (self.margin is not None and not 0 < self.margin < 1):
            raise _refused(
                "metrics", "margin", "a guardrail, and nothing else, has a margin between 0 and 1, such as 0.02"
            )
        if not 1 <= self.window_days <= _LONGEST_WINDOW:
            raise _refused(
                "metrics", "window", f"a window has from 1 to {_LONGEST_WINDOW} days, not {self.window_days}"
            )


@dataclass(frozen=True, slots=True)
class GroupRange:
    """A range of an exclusion group."""

    key: str
    start: float
    end: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """What an experiment is to be; ExperimentRefused names the culprit and the remedy.

    The first arm is the control. `segment` is the key of the one it is for, empty for everybody; `holdout` the key of a
    holdout, empty for none. `design` says how it is sized, watched and ended.
    """

    key: str
    title: str
    arms: tuple[ArmSpec, ...]
    metrics: tuple[MetricSpec, ...]
    hypothesis: str = ""
    traffic: float = 1.0
    segment: str = ""
    group: GroupRange | None = None
    holdout: str = ""
    design: Design = field(default_factory=Design)

    def __post_init__(self) -> None:
        for name, key in (("key", self.key), *(("arms", arm.key) for arm in self.arms)):
            refuse_unfit_key(name, key)
        if not self.title:
            raise _refused("title", "title", "give it a name for the desk")
        if self.group is not None and not 0 <= self.group.start < self.group.end <= 1:
            raise _refused("group", "range", f"needs 0 <= start < end <= 1, got {self.group.start} to {self.group.end}")
        self.allocation()
        roles = Counter(metric.role for metric in self.metrics)
        if roles[MetricRole.PRIMARY] != 1:
            raise _refused("metrics", "primary", "an experiment has exactly one primary metric, which decides it")
        self._refuse_unfit_bandit()
        if self.design.uplift and self.primary.kind == MetricKind.CART_ABANDONMENT:
            raise _refused("metrics", "uplift", "uplift needs orders or an event as the primary metric to be learnt")
        twice = [kind for kind, count in Counter((each.kind, each.event) for each in self.metrics).items() if count > 1]
        if twice:
            raise _refused("metrics", "twice", f"name each metric once, not {twice[0][0]} twice")

    def _refuse_unfit_bandit(self) -> None:
        floor = self.design.bandit
        if floor is None:
            return
        if floor * len(self.arms) > 1 or min(arm.weight for arm in self.arms) < floor - _ROUNDING:
            raise _refused(
                "arms", "floor", f"give each arm of the bandit {share_told(floor)} at least, or lower its floor"
            )
        if self.primary.kind in (MetricKind.ORDER_VALUE, MetricKind.CART_ABANDONMENT):
            raise _refused("metrics", "bandit", "a bandit follows orders, revenue or an event: take one as the primary")

    @property
    def primary(self) -> MetricSpec:
        """The metric that decides it."""
        return next(metric for metric in self.metrics if metric.role == MetricRole.PRIMARY)

    @property
    def control(self) -> str:
        """The key of the control arm."""
        return self.arms[0].key

    def allocation(self, *, holdout_share: float | None = None) -> Allocation:
        """How it shares out its visitors. ExperimentRefused where arms, weights, traffic or range are not fit."""
        return Allocation(
            salt=self.key,
            arms=tuple(arm.key for arm in self.arms),
            weights=tuple(arm.weight for arm in self.arms),
            traffic=self.traffic,
            layer=None if self.group is None else Layer(f"group:{self.group.key}", self.group.start, self.group.end),
            holdout=None if holdout_share is None else Holdout(f"holdout:{self.holdout}", holdout_share),
        )


def refuse_unfit_key(field: str, key: str) -> None:
    """Raise ExperimentRefused for what is no key; `field` is what it is a key of."""
    if not is_key(key):
        raise _refused(field, "key", f"“{key}” is no key: use small letters, digits and hyphens, 64 at most")


def _refused(culprit: str, reason: str, remedy: str) -> ExperimentRefused:
    return ExperimentRefused(field=culprit, reason=reason, remedy=remedy)
