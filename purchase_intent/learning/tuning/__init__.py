"""Tuning: better parameters for each member, searched by Optuna on the fit slice alone.

asked.py    what is asked for: trials, minutes, a file to go on from
inner.py    the fit slice cut in time once more, and thinned where it is large
kept.py     the file of finished trials
search.py   the trials of one member
gain.py     whether a gain is more than noise
run.py      member after member within the budget, and whether together they have gained
"""

from __future__ import annotations

from purchase_intent.learning.tuning.asked import Tuning, chosen_params
from purchase_intent.learning.tuning.run import Ground, tune

__all__ = ["Ground", "Tuning", "chosen_params", "tune"]
