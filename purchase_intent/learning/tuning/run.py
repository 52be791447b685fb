"""Tuning as a step of a fit: member after member within the budget, and what came of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from time import monotonic
from typing import Any

import numpy as np

from purchase_intent.exceptions import TrainingRefused
from purchase_intent.learning.members import MEMBERS, Params
from purchase_intent.learning.members.base import learner
from purchase_intent.learning.table import Sample
from purchase_intent.learning.tuning.asked import Tuning
from purchase_intent.learning.tuning.gain import Gain, gain
from purchase_intent.learning.tuning.inner import MOST_ROWS, SHARES, Inner, inner_slices
from purchase_intent.learning.tuning.kept import Kept, kept_trials
from purchase_intent.learning.tuning.search import Found, MemberSearch

__all__ = ["Ground", "tune"]

Settings = Mapping[str, Params]
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Ground:
    """What a search stands on: the whole sample, its fit slice, on which alone trials run, and how that was cut."""

    sample: Sample
    fit: Sample
    fractions: tuple[float, ...]
    seed: int
    threads: int


def tune(
    ground: Ground,
    settings: Settings,
    tuning: Tuning,
    *,
    given: Settings,
    progress: Progress,
    clock: Callable[[], float] = monotonic,
) -> tuple[dict[str, Params], dict[str, Any]]:
    """Parameters by member, better than `settings` or the same, and the figures of the search as `tuning`, if any.

    What the caller has `given` stays as it is. The budget is counted from here, on `clock` in seconds, and shared
    evenly among the members; what one leaves over goes to those after it. Where the fit slice holds too few buyers to
    be cut again, `settings` stay and the figures say why.
    """
    if not tuning.trials:
        return dict(settings), {}
    end = None if tuning.budget is None else clock() + 60 * tuning.budget
    progress("tuning: cutting the fit slice")
    try:
        inner = inner_slices(ground.fit, seed=ground.seed)
    except TrainingRefused as refused:
        progress(f"not tuned, since the fit slice is too small: {refused.message}")
        return dict(settings), {"tuning": {"trials": tuning.trials, "skipped": refused.message}}
    searches = {
        name: MemberSearch(name, settings[name], _space(name, given), inner, ground.seed, ground.threads)
        for name in settings
    }
    with _quiet(), kept_trials(tuning.study) as kept:
        kept.open(_origins(ground, searches))
        found = _shared_out(searches, kept, tuning, end, progress, clock)
    together = gain_together(found, inner.confirm)
    progress(_said_of_all(together))
    adopted = together is not None and together.is_plain
    chosen = {name: {**settings[name], **one.params} if adopted else settings[name] for name, one in found.items()}
    return chosen, {"tuning": _figures(tuning, inner, found, together)}


def gain_together(found: Mapping[str, Found], confirm: Sample) -> Gain | None:
    """How much better the average of the members' best trials is than that of their defaults; None where all are equal.

    Members are averaged equally, in log-odds, as the ensemble does where the evidence is thin. Together they show a
    gain that none of them could prove alone, since much of the noise of each is its own.
    """
    if not any(one.number for one in found.values()):
        return None
    answers = [one.confirmed for one in found.values() if one.confirmed is not None]
    before, after = (np.mean(side, axis=0) for side in zip(*((one.defaults, one.best) for one in answers), strict=True))
    return gain(before, after, confirm)


def _space(name: str, given: Settings) -> dict[str, Any]:
    return {param: room for param, room in MEMBERS[name].space.items() if param not in given.get(name, {})}


def _shared_out(
    searches: Mapping[str, MemberSearch],
    kept: Kept,
    tuning: Tuning,
    end: float | None,
    progress: Progress,
    clock: Callable[[], float],
) -> dict[str, Found]:
    found = {}
    for place, (name, search) in enumerate(searches.items()):
        now = clock()
        until = None if end is None else now + (end - now) / (len(searches) - place)
        found[name] = search.run(kept, asked=tuning.trials, late=_late(until, clock), progress=progress)
        progress(_said(name, found[name]))
    return found


def _late(until: float | None, clock: Callable[[], float]) -> Callable[[], bool]:
    return lambda: until is not None and clock() >= until


def _said(name: str, found: Found) -> str:
    if found.defaults is None:
        return f"{name} keeps its defaults, since no trial ended in time"
    told = f"after {found.tried} of {found.asked} trials, {found.cut_short} of them cut short"
    if not found.number:
        return f"{name} keeps its defaults, which nothing beat: {told}, log-loss {found.defaults:.5f}"
    return f"{name} has a better trial: {told}, log-loss {found.best:.5f} against {found.defaults:.5f}"


def _said_of_all(together: Gain | None) -> str:
    if together is None:
        return "nothing to adopt: the defaults stay"
    verdict = "adopted" if together.is_plain else "within the noise, so the defaults stay"
    return f"confirming: together {together.mean:+.5f} of log-loss, standard error {together.error:.5f}: {verdict}"


def _figures(tuning: Tuning, inner: Inner, found: Mapping[str, Found], together: Gain | None) -> dict[str, Any]:
    adopted = together is not None and together.is_plain
    return {
        "trials": tuning.trials,
        "budget": tuning.budget,
        "sessions": inner.facts(),
        "members": {name: one.to_json(adopted=adopted) for name, one in found.items()},
        "together": None if together is None else {"gain": together.mean, "error": together.error, "adopted": adopted},
    }


def _origins(ground: Ground, searches: Mapping[str, MemberSearch]) -> dict[str, dict[str, str]]:
    """What the trials of each member hold for, by the names that people know."""
    table = ground.sample.table
    shared = {
        "schema": _digest(table.names, sorted(table.categorical)),
        "log": _content(ground.sample),
        "split": _digest(ground.fractions, SHARES, MOST_ROWS),
        "seed": str(ground.seed),
    }
    return {name: {**shared, **_own_origin(search)} for name, search in searches.items()}


def _own_origin(search: MemberSearch) -> dict[str, str]:
    member = MEMBERS[search.name]
    return {
        "search space": _digest(
            {name: asdict(room) for name, room in search.space.items()}, dict(search.settings), member.max_rounds
        ),
        "learner": f"{member.package} {member.version()}",
    }


def _digest(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:16]


def _content(sample: Sample) -> str:
    found = hashlib.sha256()
    for column in (sample.table.values, sample.labels, sample.weights, sample.sessions, sample.times):
        found.update(np.ascontiguousarray(column).data.cast("B"))
    return found.hexdigest()[:16]


@contextmanager
def _quiet() -> Iterator[None]:
    """Optuna tells of each study and trial; here progress does."""
    logging = learner("optuna", extra="train").logging
    before = logging.get_verbosity()
    logging.set_verbosity(logging.WARNING)
    try:
        yield
    finally:
        logging.set_verbosity(before)
