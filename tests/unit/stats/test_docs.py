"""The page about the statistics runs as written, and its table of costs is what the rules cost."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from purchase_intent.stats.monitoring import Monitoring
from purchase_intent.stats.verdict import Verdict

PAGE = (Path(__file__).parents[3] / "docs" / "experiments-statistics.md").read_text(encoding="utf-8")


def test_the_example_runs(capsys: pytest.CaptureFixture[str]) -> None:
    code = "\n".join(re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL))
    names: dict[str, Any] = {}
    exec(compile(code, "docs/experiments-statistics.md", "exec"), names)  # noqa: S102 - our own page
    assert names["decision"].verdict is Verdict.HOLD
    assert "control needs 99 more units before its figures are read." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("row", "figure"),
    [("units at most, of a fixed test's", "most"), ("units on average, if the effect is the planned one", "expected")],
)
def test_the_costs_are_those_of_the_rules(row: str, figure: str) -> None:
    planned, unplanned = (getattr(rule.cost(), figure) for rule in (Monitoring(), Monitoring(looks=0)))
    assert f"| {row} | {planned:.2f} | {unplanned:.2f} |" in PAGE


@pytest.mark.parametrize("verdict", Verdict)
def test_every_verdict_is_explained(verdict: Verdict) -> None:
    assert f"| {verdict.value} |" in PAGE
