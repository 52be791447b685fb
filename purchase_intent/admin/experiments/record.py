"""The record of one look: its inputs, its verdict, and whether deciding again gives the same."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from purchase_intent.admin.experiments.words import metric_words, named_metrics, verdict_label
from purchase_intent.admin.saying import timed
from purchase_intent.exceptions import ExperimentRefused
from purchase_intent.experiments.looking import replay_look
from purchase_intent.experiments.results import Result
from purchase_intent.insights.figures import Table
from purchase_intent.models import ExperimentLook
from purchase_intent.stats.evidence import Evidence

__all__ = ["look_page"]


def look_page(look: ExperimentLook, now: datetime) -> dict[str, Any]:
    """What the page of a look shows; it decides again, which takes some milliseconds and writes nothing."""
    stored: Mapping[str, Any] = json.loads(look.record)
    fault, result = "", Result.from_json(look.result)
    try:
        replay_look(look)
    except ExperimentRefused as refused:
        fault = f"{refused.message[:1].upper()}{refused.message[1:]}."
    return {
        "subtitle": look.experiment.title,
        "look": look,
        "label": verdict_label(look.verdict, look.arm),
        "taken": timed(look.taken_at, now),
        "fault": fault,
        "said": [named_metrics(each, result.metrics) for each in (*result.reasons, *result.missing)],
        "share": f"{look.share:.0%}",
        "inputs": _inputs(stored),
        "software": ", ".join(f"{name} {version}" for name, version in stored["software"].items()),
        "raw": json.dumps(stored, indent=2, ensure_ascii=False),
    }


def _inputs(stored: Mapping[str, Any]) -> Table:
    """The sums that the verdict was made from."""
    evidence = Evidence.from_json(stored["evidence"])
    rows = tuple(
        (_metric(name), arm, f"{sums.n:,}", f"{sums.y:,.6g}", f"{sums.yy:,.6g}", f"{sums.d:,.6g}")
        for name, arms in evidence.summaries.items()
        for arm, sums in arms.items()
    )
    heads = ("metric", "arm", "visitors", "sum", "sum of squares", "sum below a ratio")
    return Table("What it was decided from", heads, rows)


def _metric(name: str) -> str:
    kind, _, event = name.partition(":")
    return metric_words(kind, event)
