"""How often the gate promotes a model that is no better, and how often it sees one that is.

    python benchmarks/bench_gate.py [--repeats 100] [--buyers 50 100 200] [--kinds KIND...] [--jobs 1] [--seed 1]
        [--report-only]
    INTENT_DATA=FOLDER python benchmarks/bench_gate.py --log [--cut 2016-09-16T07:00:00Z] [--cases 200000]

Simulated: 8% of the sessions buy; a session has 1 to 12 moments, its later ones telling more. A model sees the true
log-odds through noise of its own and says the probability that is right given what it sees, so both are calibrated.
Equal models have noise of one size; the better ones less. The gate's own functions decide, with all of their draws.
Ends with 1 where more than one in twenty of the equal ones is promoted, beyond the chance of the repeats.

With `--log` the gate judges for real, in a database and a folder of its own: a champion is trained on the Google
Merchandise Store's log before the cut, then a second model on all of it.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "demo_shop.settings")

Numbers = NDArray[np.float64]

RATE = 0.08
MOST_MOMENTS = 12
SPREAD = 1.6
"""Of the true log-odds over sessions."""
NOISE = 1.5
"""Of what a model sees at a first moment; it falls with the root of the moments seen."""
SHARED = 0.4
"""Share of the noise's variance that both models have in common: they look at the same features."""
LEVEL = 0.05
GSTORE = Path("gstore") / "events_2016-08_09.parquet"
LEARNT = 100_000
"""Sessions that the models' probabilities are fitted on."""

Kinds = dict[str, float]
KINDS: Kinds = {"equal": 1.0, "slightly better": 0.75, "better": 0.4, "much better": 0.0}
"""By name, the size of the second model's own noise against the first one's."""


@dataclass(frozen=True, slots=True)
class Cases:
    """Moments of sessions: outcome, session, place in it from 1, the truth, and the noise of both models."""

    labels: NDArray[np.uint8]
    sessions: NDArray[np.int64]
    place: Numbers
    truth: Numbers
    common: Numbers
    own: tuple[Numbers, Numbers]

    def seen(self, which: int, size: float = 1.0) -> Numbers:
        """What a model sees of the truth; `size` is that of its own noise."""
        part = np.sqrt(SHARED) * self.common + np.sqrt(1 - SHARED) * size * self.own[which]
        return np.asarray(self.truth + NOISE * part / np.sqrt(self.place))


def drawn(sessions: int, rng: np.random.Generator) -> Cases:
    """So many sessions, with their moments; the outcome is the session's."""
    moments = np.minimum(rng.geometric(0.3, sessions), MOST_MOMENTS)
    owner = np.repeat(np.arange(sessions), moments)
    place = (np.arange(len(owner)) - np.repeat(np.cumsum(moments) - moments, moments) + 1).astype(np.float64)
    # The mean of expit over the spread is RATE near this centre; longer sessions buy more often.
    truth = rng.normal(-3.45, SPREAD, sessions) + 0.15 * (moments - 3.0)
    labels = (rng.random(sessions) < expit(truth)).astype(np.uint8)
    noise = [rng.normal(size=len(owner)) for _ in range(3)]
    return Cases(labels[owner], owner, place, truth[owner], noise[0], (noise[1], noise[2]))


def design(cases: Cases, which: int, size: float) -> Numbers:
    """What a model knows of each moment, as columns of a logistic line."""
    sight, late = cases.seen(which, size), np.log(cases.place)
    return np.column_stack([np.ones(len(sight)), sight, sight**2, late, late * sight, late * sight**2, late**2])


@cache
def learnt(size: float) -> Numbers:
    """The coefficients that make a model's probabilities right: fitted on many other sessions."""
    from purchase_intent.learning import case_weights

    cases = drawn(LEARNT, np.random.default_rng(0))
    at, columns, mass = np.zeros(7), design(cases, 1, size), case_weights(cases.sessions)
    for _ in range(30):
        chance = expit(columns @ at)
        slope = columns.T @ (mass * (cases.labels - chance))
        stiffness = (columns * (mass * chance * (1 - chance))[:, None]).T @ columns + 1e-6 * np.eye(7)
        at = at + np.clip(np.linalg.solve(stiffness, slope), -2, 2)
    return at


def said(cases: Cases, which: int, size: float) -> Numbers:
    """The probabilities that a model says."""
    return np.asarray(expit(design(cases, which, size) @ learnt(size)))


def outcome(seed: int, *, buyers: int, size: float) -> tuple[str, float]:
    """What the gate says of one pair on `buyers` buying sessions, and the gain of average precision."""
    from purchase_intent.learning import case_weights
    from purchase_intent.learning.paired import paired_differences
    from purchase_intent.learning.reliability import reliability
    from purchase_intent.training.gate import decide

    rng = np.random.default_rng(seed)
    judged = _cut(drawn(int(buyers / RATE * 2.2), rng), buyers)
    scores = (said(judged, 0, 1.0), said(judged, 1, size))
    mass = case_weights(judged.sessions)
    found = paired_differences(judged.labels, scores, mass, judged.sessions, seed=seed)
    holds = reliability(judged.labels, scores[1], mass, judged.sessions, seed=seed)
    precision = found["average_precision"]
    return str(decide(found, holds, against=1).outcome), precision.gain / precision.first


def _cut(cases: Cases, buyers: int) -> Cases:
    """The first sessions, up to the last of so many buying ones."""
    bought = np.unique(cases.sessions[cases.labels == 1])
    assert len(bought) >= buyers, f"{len(bought)} of {buyers} buyers were drawn"
    keep = cases.sessions <= bought[buyers - 1]
    first, second = cases.own
    return Cases(
        cases.labels[keep],
        cases.sessions[keep],
        cases.place[keep],
        cases.truth[keep],
        cases.common[keep],
        (first[keep], second[keep]),
    )


def simulated(repeats: int, sizes: list[int], kinds: list[str], *, jobs: int, seed: int) -> bool:
    """Print a table of outcomes; whether equal models are promoted no more often than promised."""
    from purchase_intent.learning.intervals import wilson

    print(f"{repeats} pairs of equal models, {repeats // 2} of the others; 95% intervals in brackets")
    print(f"{'second model':17}{'AP gain':>9}{'buyers':>8}{'promoted':>10}{'':18}{'refused':>9}{'waits':>9}")
    kept = True
    with ProcessPoolExecutor(jobs) as pool:
        for name, size in ((name, KINDS[name]) for name in kinds):
            for buyers in sizes:
                # Another seed for every row, so that rows are independent.
                begin = seed * 1_000_003 + 7_919 * buyers + int(1e9 * size)
                judge = partial(outcome, buyers=buyers, size=size)
                pairs = repeats if name == "equal" else repeats // 2
                found = list(pool.map(judge, range(begin, begin + pairs), chunksize=8))
                count = Counter(verdict for verdict, _ in found)
                low, high = wilson(count["promote"], pairs)
                gain = float(np.mean([each for _, each in found]))
                print(
                    f"{name:17}{gain:+9.1%}{buyers:8}{count['promote'] / pairs:10.1%} [{low:6.1%}, {high:6.1%}]"
                    f"{count['refuse'] / pairs:10.1%}{count['wait'] / pairs:9.1%}",
                    flush=True,
                )
                kept = kept and (name != "equal" or low <= LEVEL)
    return kept


def on_a_log(log: Path, cut: str, cases: int) -> None:
    """Train a champion on the real log before the cut and a second model on all of it; print what the gate said."""
    with tempfile.TemporaryDirectory() as folder:
        env = {**os.environ, "DEMO_VAR": folder, "DATABASE_URL": "", "GATE_CASES": str(cases)}
        learn = ["intent_train", "--events", str(log), "--seed", "1"]
        for arguments in (["migrate", "--verbosity", "0"], [*learn, "--until", cut], learn):
            command = [sys.executable, __file__, "--manage", *arguments]
            done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
            said = [line for line in done.stdout.splitlines() if line.startswith(("The gate", "Registered"))]
            # What the gate refuses ends with a line on the other stream.
            print("\n".join(said if done.returncode == 0 else done.stderr.splitlines()[-1:]), flush=True)


def manage(arguments: list[str]) -> None:
    """`manage.py`, with fewer cases to learn from."""
    import django

    django.setup()
    from django.core.management import call_command

    from purchase_intent.training import run
    from purchase_intent.training.dataset import build_sample

    setattr(run, "build_sample", partial(build_sample, most=int(os.environ["GATE_CASES"])))  # noqa: B010 (a patch)
    call_command(*arguments)


def main() -> int:
    """Simulate, or judge a real log; 0 where the promise holds."""
    if sys.argv[1:2] == ["--manage"]:
        manage(sys.argv[2:])
        return 0
    asked = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    asked.add_argument("--repeats", type=int, default=100)
    asked.add_argument("--buyers", type=int, nargs="+", default=[50, 100, 200])
    asked.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS), help="of the second model")
    asked.add_argument("--jobs", type=int, default=1)
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--report-only", action="store_true", help="end with 0 whatever was measured")
    asked.add_argument("--log", action="store_true", help="judge two models of the real log instead")
    asked.add_argument("--cut", default="2016-09-16T07:00:00Z", help="end of what the champion learns from")
    asked.add_argument("--cases", type=int, default=200_000, help="cases each of them learns from")
    options = asked.parse_args()
    if options.log:
        on_a_log(Path(os.environ["INTENT_DATA"]) / GSTORE, options.cut, options.cases)
        return 0
    import django

    django.setup()
    kept = simulated(options.repeats, options.buyers, options.kinds, jobs=options.jobs, seed=options.seed)
    return 0 if kept or options.report_only else 1


if __name__ == "__main__":
    sys.exit(main())
