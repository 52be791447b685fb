"""Experiments as pure mathematics: who gets which arm, and what the figures say. Needs no Django.

| module | answers |
|---|---|
| `bucketing` | which arm a unit gets; standard library only, for it runs on every page |
| `summaries`, `collect` | sufficient statistics of an arm, and how a stream of units becomes them |
| `inference`, `proportions`, `bayes`, `cuped`, `multiplicity` | differences and lifts with intervals |
| `boundaries`, `always_valid`, `monitoring` | when a running experiment may be stopped |
| `sample_ratio` | whether the arms got the shares they were meant to get |
| `power` | how many units and days an experiment needs |
| `bandit`, `adaptive`, `adaptive_ratio` | Thompson sampling with a floor, and honest intervals after it |
| `plan`, `evidence`, `verdict` | INVALID, ROLL BACK, SHIP or HOLD, and why |

Import from the modules: this package itself loads nothing, so that a page pays for bucketing alone.
"""

from __future__ import annotations
