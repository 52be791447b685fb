"""INVALID, ROLL BACK, SHIP or HOLD: one rule from a plan and its evidence, recorded so that it can be replayed.

- INVALID: the sequential sample-ratio check fails. No figure is read.
- SHIP: a treatment's primary figure is significantly better under the sequential rule, and every guardrail holds. Of
  several such arms, the one with the best figure.
- ROLL BACK: every treatment is significantly worse in its primary figure or a guardrail. With several, those that are
  worse are named, and the others go on.
- HOLD: none of these; what is missing is said, and by when it is expected. A bandit never decides by itself.

The same plan and evidence give the same decision to the bit, under the same versions of NumPy and SciPy.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from math import inf
from typing import Any

import numpy as np
import scipy

from purchase_intent.exceptions import ExperimentRefused
from purchase_intent.stats.arms import ArmFinding, Finding, arm_findings, shortfall
from purchase_intent.stats.evidence import Evidence
from purchase_intent.stats.forecast import date_of, deciding_share
from purchase_intent.stats.monitoring import Applied
from purchase_intent.stats.plan import Plan
from purchase_intent.stats.sample_ratio import SampleRatio, sample_ratio
from purchase_intent.stats.words import missing_words, ratio_words, reason_words, short_words

__all__ = ["Decision", "Verdict", "decide", "record", "replay"]

FORMAT = 1
BANDIT = (
    ("A bandit earns while it learns: it gives each arm the more visitors the likelier it is the best.",),
    ("Nothing is decided by itself: stop it, and ship an arm, when the weights have settled.",),
)
"""Of a bandit: the reasons, and what is missing."""


class Verdict(StrEnum):
    """What to do now."""

    INVALID = "INVALID"
    ROLL_BACK = "ROLL BACK"
    SHIP = "SHIP"
    HOLD = "HOLD"


@dataclass(frozen=True, slots=True)
class Decision:
    """The verdict with all that it rests on. `arm` is the one to ship; `rolled_back` are arms that are worse.

    `share` is that of the planned units so far, `rule` what was applied (None: no conclusion was allowed yet). The
    `reasons` and what is `missing` are sentences; `expected` is the day by which an open experiment may be decided.
    """

    verdict: Verdict
    arm: str | None
    rolled_back: tuple[str, ...]
    rule: Applied | None
    share: float
    ratio: SampleRatio
    arms: tuple[ArmFinding, ...]
    reasons: tuple[str, ...]
    missing: tuple[str, ...] = ()
    expected: date | None = None

    def as_json(self) -> dict[str, Any]:
        """Plain values, complete."""
        return {
            "verdict": self.verdict.value,
            "arm": self.arm,
            "rolled_back": list(self.rolled_back),
            "rule": self.rule and self.rule.as_json(),
            "share": self.share,
            "ratio": self.ratio.as_json(),
            "arms": [finding.as_json() for finding in self.arms],
            "reasons": list(self.reasons),
            "missing": list(self.missing),
            "expected": self.expected and self.expected.isoformat(),
        }


def decide(plan: Plan, evidence: Evidence) -> Decision:
    """The verdict of one look. Refuses evidence that does not fit the plan, with the field and the remedy."""
    evidence.refuse_mismatch(plan)
    ratio = sample_ratio([evidence.exposed[arm] for arm in plan.arms], plan.weights)
    look = evidence.look(plan)
    if ratio.sequential_p_value <= plan.ratio_alpha:
        return Decision(Verdict.INVALID, None, (), None, look.share, ratio, (), ratio_words(plan, ratio))
    if plan.adaptive:
        return Decision(Verdict.HOLD, None, (), None, look.share, ratio, (), *BANDIT)
    try:
        findings = arm_findings(plan, evidence, look) if _enough(plan, evidence) else None
    except ExperimentRefused as refused:
        return _waiting(plan, evidence, ratio, refused.message)
    if findings is None:
        return _waiting(plan, evidence, ratio, None)
    return _judged(plan, evidence, ratio, findings)


def record(plan: Plan, evidence: Evidence, decision: Decision) -> dict[str, Any]:
    """All that a decision needs to be understood and replayed, as plain values for JSON."""
    return {
        "format": FORMAT,
        "software": _software(),
        "plan": plan.as_json(),
        "evidence": evidence.as_json(),
        "decision": decision.as_json(),
    }


def replay(stored: Mapping[str, Any]) -> Decision:
    """Decide again from a record; refuses if that gives anything else, to the last bit."""
    if stored["format"] != FORMAT:
        raise ExperimentRefused(
            field="format", reason="format", remedy=f"this version reads records of format {FORMAT}"
        )
    again = decide(Plan.from_json(stored["plan"]), Evidence.from_json(stored["evidence"]))
    found, kept = again.as_json(), stored["decision"]
    differing = sorted(name for name in found.keys() | kept.keys() if found.get(name) != kept.get(name))
    if differing:
        raise ExperimentRefused(
            field="decision",
            reason="differs",
            remedy=(
                f"{', '.join(differing)} came out otherwise: the record was changed, or made with other versions "
                f"({stored['software']}, here {_software()})"
            ),
        )
    return again


def _judged(plan: Plan, evidence: Evidence, ratio: SampleRatio, findings: tuple[ArmFinding, ...]) -> Decision:
    winners = [finding for finding in findings if finding.finding is Finding.WINS]
    losers = tuple(finding.arm for finding in findings if finding.finding is Finding.LOSES)
    share, sign = evidence.look(plan).share, plan.primary.sign
    best = max(winners, key=lambda each: sign * each.estimates[plan.primary.name].difference.value, default=None)
    if best is not None or len(losers) == len(findings):
        verdict = Verdict.ROLL_BACK if best is None else Verdict.SHIP
        arm = None if best is None else best.arm
        rule = (best or findings[0]).rule
        words = reason_words(plan, findings)
        return Decision(verdict, arm, losers, rule, share, ratio, findings, words)
    still_open = [finding for finding in findings if finding.finding is Finding.OPEN]
    ended = evidence.final or share >= 1
    decided = min(deciding_share(plan, evidence, finding) for finding in still_open)
    return Decision(
        verdict=Verdict.HOLD,
        arm=None,
        rolled_back=losers,
        rule=still_open[0].rule,
        share=share,
        ratio=ratio,
        arms=findings,
        reasons=reason_words(plan, findings),
        missing=missing_words(plan, still_open, ended=ended),
        expected=None if ended else date_of(plan, evidence, decided),
    )


def _enough(plan: Plan, evidence: Evidence) -> bool:
    return bool(plan.treatments) and not shortfall(plan, plan.primary, evidence.summaries[plan.primary.name])


def _waiting(plan: Plan, evidence: Evidence, ratio: SampleRatio, why: str | None) -> Decision:
    """HOLD before there is anything to judge by."""
    short = shortfall(plan, plan.primary, evidence.summaries[plan.primary.name])
    missing = short_words(plan, short)
    if not short:
        why = why or ("too early for the rule" if plan.treatments else "no treatment is given to anybody")
        missing = (f"No conclusion can be drawn at this look: {why}.",)
    weight = dict(zip(plan.arms, plan.weights, strict=True))
    units = max((count / weight[arm] for arm, count in short.items() if weight[arm] > 0), default=0.0)
    share = evidence.look(plan).share
    expected = date_of(plan, evidence, share + units / plan.units) if short and units < inf else None
    words = ("There is too little to judge by.",)
    return Decision(Verdict.HOLD, None, (), None, share, ratio, (), words, missing, expected)


def _software() -> dict[str, str]:
    return {"python": platform.python_version(), "numpy": np.__version__, "scipy": scipy.__version__}
