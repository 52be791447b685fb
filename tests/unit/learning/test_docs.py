"""The page about learning runs as written, and names what there is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from purchase_intent.learning import FRACTIONS, MEMBERS
from purchase_intent.learning.calibration import SLOPE_SPREAD
from purchase_intent.learning.encoding import STRENGTH
from purchase_intent.learning.fitting import MIN_BUYERS
from purchase_intent.learning.members import Range
from purchase_intent.learning.splits import MIN_BUYING_SESSIONS
from purchase_intent.learning.tuning.gain import PLAIN
from purchase_intent.learning.tuning.inner import MOST_ROWS, SHARES
from purchase_intent.learning.weights import SPREAD

DOCS = Path(__file__).parents[3] / "docs"
PAGE = (DOCS / "learning.md").read_text(encoding="utf-8")
TRAINING = (DOCS / "training.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_examples_run(capsys: pytest.CaptureFixture[str]) -> None:
    code = "\n".join(re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL))
    names: dict[str, Any] = {}
    exec(compile(code, "docs/learning.md", "exec"), names)  # noqa: S102 - our own page
    assert "average_precision" in capsys.readouterr().out
    assert names["reasons"].shape == (5, 3)
    found = names["reasons"].sum(axis=1) + names["base"]
    assert found == pytest.approx(names["ensemble"].log_odds(names["table"])[:5], abs=1e-9)
    assert names["offer"].range() == pytest.approx((0.0131, 0.1690), abs=1e-4)


@pytest.mark.parametrize("name", MEMBERS)
def test_members_and_their_files_are_named(name: str) -> None:
    assert f"`{name}{MEMBERS[name].suffix}`" in PAGE


@pytest.mark.parametrize(
    "fact",
    [
        *(f"| {share:.0%} |" for share in FRACTIONS),
        f"{MIN_BUYERS} buying sessions",
        f"{MIN_BUYING_SESSIONS} in a slice",
        f"by {STRENGTH:.0f} sessions of the prior",
        f"2 · {SPREAD}²",
        f"standard deviation {SLOPE_SPREAD}",
    ],
)
def test_constants_are_those_of_the_code(fact: str) -> None:
    assert fact in " ".join(PAGE.split())


@pytest.mark.parametrize(
    ("member", "param", "room"),
    [
        pytest.param(name, param, room, id=f"{name}.{param}")
        for name, member in MEMBERS.items()
        for param, room in member.space.items()
    ],
)
def test_every_range_that_is_searched_is_told(member: str, param: str, room: Range) -> None:
    kind = ", by factors" * room.log + ", whole" * room.whole
    default = MEMBERS[member].defaults[param]
    assert f"| {member} | `{param}` | {default:g} | {room.low:g} to {room.high:g}{kind} |" in TRAINING


@pytest.mark.parametrize(
    "fact", [*(f"| {share:.0%} |" for share in SHARES), f"{MOST_ROWS:,} cases", f"{PLAIN:g} standard"]
)
def test_constants_of_tuning_are_those_of_the_code(fact: str) -> None:
    assert fact in " ".join(TRAINING.split())
