"""What an analysed experiment is: plain values in types, stored as JSON and read back, for screens and the API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, Self

from purchase_intent.stats.bayes import Posterior
from purchase_intent.stats.inference import Estimate, Interval, Kind
from purchase_intent.stats.monitoring import Applied, Rule
from purchase_intent.stats.sample_ratio import Part, SampleRatio

__all__ = ["ArmFigure", "Conclusion", "MetricResult", "Result", "SegmentResult", "Versus"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmFigure:
    """One arm's own figure with its 95% interval, of `n` people; None where there are too few.

    `best` is the chance that it is the best of all arms, where there are more than two.
    """

    arm: str
    n: int
    value: float | None
    low: float | None
    high: float | None
    best: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Versus:
    """One treatment against the control in one metric.

    - `fixed`: with 95% intervals, right for a single look at the planned end
    - `watched`: with the intervals that hold however often one looks, by `rule`; None where it is too early
    - `posterior`: the chance to be better, and what a wrong choice is expected to cost, in the metric's own unit
    - `holm`, `bh`: p-values adjusted over the metric's treatments, and over all metrics and treatments
    - `variance_cut`: what the intent score at exposure took off the variance, 0 to 1
    - `state`: `better`, `worse`, or of a guardrail `holds`, `unproven`, `harmed`; empty where nothing is known
    """

    arm: str
    fixed: Estimate | None = None
    watched: Estimate | None = None
    rule: Applied | None = None
    posterior: Posterior | None = None
    holm: float | None = None
    bh: float | None = None
    variance_cut: float = 0.0
    state: str = ""

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "arm": self.arm,
            "fixed": self.fixed and self.fixed.as_json(),
            "watched": self.watched and self.watched.as_json(),
            "rule": self.rule and self.rule.as_json(),
            "posterior": self.posterior and asdict(self.posterior),
            "holm": self.holm,
            "bh": self.bh,
            "variance_cut": self.variance_cut,
            "state": self.state,
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """What `as_json` gave."""
        rule, posterior = stored["rule"], stored["posterior"]
        found = {
            "fixed": stored["fixed"] and Estimate.from_json(stored["fixed"]),
            "watched": stored["watched"] and Estimate.from_json(stored["watched"]),
            "rule": rule and Applied(Rule(rule["name"]), rule["number"], rule["boundary"], rule["alpha"]),
            "posterior": posterior and Posterior(**{**posterior, "difference": Interval(**posterior["difference"])}),
        }
        return cls(**{**stored, **found})


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricResult:
    """One metric. `cap` is where money was cut off; None where nothing was."""

    name: str
    kind: str
    event: str
    role: str
    margin: float | None
    window_days: int
    higher_is_better: bool
    stat: Kind
    cap: float | None
    arms: tuple[ArmFigure, ...]
    versus: tuple[Versus, ...]

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {name: getattr(self, name) for name in self.__slots__} | {
            "stat": self.stat.value,
            "arms": [asdict(each) for each in self.arms],
            "versus": [each.as_json() for each in self.versus],
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """What `as_json` gave."""
        return cls(**{**stored, "stat": Kind(stored["stat"]), **_sides(stored)})


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentResult:
    """The primary metric among those who belonged to a segment when they were exposed; it decides nothing.

    Of `by_night` of them that is told by the nightly look before, since their exposure does not say; None of looks that
    told it so of everybody.
    """

    key: str
    title: str
    arms: tuple[ArmFigure, ...]
    versus: tuple[Versus, ...]
    by_night: int | None = None

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "key": self.key,
            "title": self.title,
            "by_night": self.by_night,
            "arms": [asdict(each) for each in self.arms],
            "versus": [each.as_json() for each in self.versus],
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """What `as_json` gave."""
        return cls(**{**stored, **_sides(stored)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Conclusion:
    """What the planned look of a day came to: it stands, though a look in between asks for more and says HOLD."""

    day: date
    verdict: str
    arm: str
    rolled_back: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self) | {"day": self.day.isoformat(), "rolled_back": list(self.rolled_back)}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """What `as_json` gave."""
        day, rolled_back = date.fromisoformat(stored["day"]), tuple(stored["rolled_back"])
        return cls(**{**stored, "day": day, "rolled_back": rolled_back})


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One look at an experiment, as of `moment`; `day` is the last local day that it saw the whole of.

    - `planned`: whether it counts as one of the planned looks, of which `looks_taken` have been taken so far
    - `exposed`: people by arm; `units` are those whose window of the primary metric is over, `share` of the plan's
    - `left_out`: `bots` (and staff), `twice` (a later exposure of the same person), `waiting` (not on record yet)
    - `ratio`, `parts`: the sample ratio of all, and by device, browser and bot label, the most uneven part first
    - `verdict`: INVALID, ROLL BACK, SHIP or HOLD, in words by `reasons` and `missing`; `expected` is the day by which
      an open one may be decided, `arm` the one to ship, `rolled_back` are those that are worse
    - `adaptive`: whether the weights followed what was seen, as a bandit's: figures are then weighted adaptively, and
      `ratio` holds the shares against the weights as they were
    - `stands`: of a HOLD in between, what the latest planned look came to where that was SHIP or ROLL BACK
    """

    key: str
    moment: datetime
    day: date
    who: str
    planned: bool
    exposed: Mapping[str, int]
    left_out: Mapping[str, int]
    units: int
    share: float
    looks_taken: int
    looks: int
    control: str
    metrics: tuple[MetricResult, ...]
    ratio: SampleRatio
    parts: tuple[Part, ...]
    segments: tuple[SegmentResult, ...]
    verdict: str
    arm: str
    rolled_back: tuple[str, ...]
    reasons: tuple[str, ...]
    missing: tuple[str, ...]
    expected: date | None
    adaptive: bool = False
    stands: Conclusion | None = None

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {name: getattr(self, name) for name in self.__slots__} | {
            "moment": self.moment.isoformat(),
            "day": self.day.isoformat(),
            "exposed": dict(self.exposed),
            "left_out": dict(self.left_out),
            "metrics": [each.as_json() for each in self.metrics],
            "ratio": self.ratio.as_json(),
            "parts": [asdict(each) | {"ratio": each.ratio.as_json()} for each in self.parts],
            "segments": [each.as_json() for each in self.segments],
            "rolled_back": list(self.rolled_back),
            "reasons": list(self.reasons),
            "missing": list(self.missing),
            "expected": self.expected and self.expected.isoformat(),
            "stands": self.stands and self.stands.as_json(),
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """What `as_json` gave."""
        stands = stored.get("stands")
        found: dict[str, Any] = {
            "moment": datetime.fromisoformat(stored["moment"]),
            "day": date.fromisoformat(stored["day"]),
            "metrics": tuple(MetricResult.from_json(each) for each in stored["metrics"]),
            "ratio": _ratio(stored["ratio"]),
            "parts": tuple(Part(**{**each, "ratio": _ratio(each["ratio"])}) for each in stored["parts"]),
            "segments": tuple(SegmentResult.from_json(each) for each in stored["segments"]),
            "expected": stored["expected"] and date.fromisoformat(stored["expected"]),
            "stands": stands and Conclusion.from_json(stands),
        }
        # Where a database keeps JSON as it likes, names come back in another order: that of the arms is the plan's.
        found["exposed"] = {each.arm: stored["exposed"][each.arm] for each in found["metrics"][0].arms}
        words = {name: tuple(stored[name]) for name in ("rolled_back", "reasons", "missing")}
        return cls(**{**stored, **found, **words})


def _sides(stored: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "arms": tuple(ArmFigure(**each) for each in stored["arms"]),
        "versus": tuple(Versus.from_json(each) for each in stored["versus"]),
    }


def _ratio(stored: Mapping[str, Any]) -> SampleRatio:
    return SampleRatio(
        counts=tuple(stored["counts"]),
        expected=tuple(stored["expected"]),
        p_value=stored["p_value"],
        sequential_p_value=stored["sequential_p_value"],
    )
