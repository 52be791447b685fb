"""The trials of one member: the defaults first, then what Optuna's sampler proposes, the hopeless cut short.

A trial depends on the seed, its number and the finished trials before it, never on when or how often the search was
ended: going on from a file gives what one run would have given.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np

from purchase_intent.learning.members import MEMBERS, Member, Range
from purchase_intent.learning.members.base import Watch, learner
from purchase_intent.learning.table import Column
from purchase_intent.learning.tuning.gain import Gain, gain
from purchase_intent.learning.tuning.inner import Inner
from purchase_intent.learning.tuning.kept import Kept
from purchase_intent.learning.weights import nats

__all__ = ["Confirmed", "Found", "MemberSearch"]

STARTUP: Final = 5
"""Trials that end by themselves before one is cut short."""
STRIDE: Final = 0.25
WARMUP: Final = 4
"""Strides before a trial is cut short."""

Late = Callable[[], bool]


class _OutOfTimeError(Exception):
    """The budget ended in the midst of a trial."""


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What a member says on the slice to confirm on, in log-odds: with its defaults, and as the best trial made it."""

    defaults: Column
    best: Column


@dataclass(frozen=True, slots=True)
class Found:
    """What a member's search came to; losses are on the slice to choose on, the gain on the one to confirm on.

    `params` are the searched parameters of the best trial, adopted or not. Without a finished trial there are none.
    """

    tried: int
    cut_short: int
    asked: int
    defaults: float | None = None
    best: float | None = None
    number: int | None = None
    gain: Gain | None = None
    confirmed: Confirmed | None = None
    params: Mapping[str, float] = field(default_factory=dict)

    def to_json(self, *, adopted: bool) -> dict[str, Any]:
        """Plain data for the figures; `adopted` where the members' best parameters are taken."""
        return {
            "tried": self.tried,
            "cut_short": self.cut_short,
            "asked": self.asked,
            "defaults": self.defaults,
            "best": self.best,
            "trial": self.number,
            "gain": None if self.gain is None else self.gain.mean,
            "error": None if self.gain is None else self.gain.error,
            "adopted": adopted and bool(self.number),
            "params": dict(self.params),
        }


@dataclass(frozen=True, slots=True)
class MemberSearch:
    """The search of one member: `settings` to start from, `space` to look in."""

    name: str
    settings: Mapping[str, Any]
    space: Mapping[str, Range]
    inner: Inner
    seed: int
    threads: int

    def run(self, kept: Kept, *, asked: int, late: Late, progress: Callable[[str], None]) -> Found:
        """Go on to `asked` finished trials in all, or until it is late."""
        optuna = learner("optuna", extra="train")
        study = optuna.create_study(pruner=optuna.pruners.MedianPruner(STARTUP, WARMUP))
        study.add_trials(kept.trials(self.name))
        if not study.trials:
            study.enqueue_trial({name: self.settings[name] for name in self.space})
        # With nothing to search, every trial would be the first again.
        asked, done = asked if self.space else 1, len(kept.trials(self.name))
        answers: dict[int, Column] = {}
        while done < asked and not late():
            progress(f"tuning {self.name}: trial {done + 1} of {asked}{_best_so_far(study)}")
            # A sampler for each trial: its draws are those of the trial's number, however often the search was ended.
            study.sampler = optuna.samplers.TPESampler(seed=self._seed_of(done))
            try:
                kept.add(self.name, self._tried(study, late, answers))
            except _OutOfTimeError:
                break
            done += 1
        return self._found(kept.trials(self.name), asked, answers)

    def _seed_of(self, number: int) -> int:
        place = list(MEMBERS).index(self.name)
        return int(np.random.SeedSequence([self.seed, place, number]).generate_state(1)[0])

    def _tried(self, study: Any, late: Late, answers: dict[int, Column]) -> Any:
        """One more trial; of the first and of each best one so far, what it says to confirm on is left in `answers`."""
        optuna = learner("optuna", extra="train")
        trial = study.ask({name: _distribution(optuna, room) for name, room in self.space.items()})
        rate = {**self.settings, **trial.params}["learning_rate"]
        try:
            member = self._fitted(trial.params, _watch(trial, rate, late, optuna.TrialPruned))
        except optuna.TrialPruned:
            return study.tell(trial, state=optuna.trial.TrialState.PRUNED)
        lost = nats(member.log_odds(self.inner.choose.table.values, threads=self.threads), self.inner.choose.labels)
        value = float(np.average(lost, weights=self.inner.choose.weights))
        before = _completed(study.trials)
        if not before or value < min(one.value for one in before):
            trial.set_user_attr("rounds", member.rounds)
            answers[trial.number] = self._answer(member)
        return study.tell(trial, value)

    def _fitted(self, params: Mapping[str, Any], watch: Watch | None = None) -> Member:
        settings = {**self.settings, **params}
        return MEMBERS[self.name].fit(
            self.inner.fit, self.inner.choose, seed=self.seed, params=settings, threads=self.threads, watch=watch
        )

    def _answer(self, member: Member) -> Column:
        return member.log_odds(self.inner.confirm.table.values, threads=self.threads)

    def _found(self, trials: list[Any], asked: int, answers: Mapping[int, Column]) -> Found:
        completed = _completed(trials)
        found = Found(tried=len(trials), cut_short=len(trials) - len(completed), asked=asked)
        if not completed:
            return found
        best = min(completed, key=lambda trial: (trial.value, trial.number))
        confirmed = self._confirmed(completed[0], best, answers)
        return replace(
            found,
            defaults=completed[0].value,
            best=best.value,
            number=best.number,
            gain=gain(confirmed.defaults, confirmed.best, self.inner.confirm) if best.number else None,
            confirmed=confirmed,
            params=dict(best.params),
        )

    def _confirmed(self, first: Any, best: Any, answers: Mapping[int, Column]) -> Confirmed:
        """Trials of an earlier run, whose answers nobody kept, are fitted again, the same to the bit."""
        missing = {trial.number: trial for trial in (first, best) if trial.number not in answers}
        found = {**answers, **{number: self._answer(self._fitted(trial.params)) for number, trial in missing.items()}}
        return Confirmed(found[first.number], found[best.number])


def _distribution(optuna: Any, room: Range) -> Any:
    if room.whole:
        return optuna.distributions.IntDistribution(int(room.low), int(room.high), log=room.log)
    return optuna.distributions.FloatDistribution(room.low, room.high, log=room.log)


def _watch(trial: Any, rate: float, late: Late, pruned: type[Exception]) -> Watch:
    """Reports the loss at each stride of rounds times learning rate, at which slow and quick learners are alike."""
    step = 0

    def after_round(rounds: int, loss: float) -> None:
        nonlocal step
        if late():
            raise _OutOfTimeError
        reached = int(rounds * rate / STRIDE)
        if reached == step:
            return
        for passed in range(step + 1, reached + 1):
            trial.report(loss, passed)
        step = reached
        if trial.should_prune():
            raise pruned

    return after_round


def _completed(trials: list[Any]) -> list[Any]:
    return [trial for trial in trials if trial.state.name == "COMPLETE"]


def _best_so_far(study: Any) -> str:
    completed = _completed(study.trials)
    if not completed:
        return ", the defaults"
    return f", best log-loss {min(one.value for one in completed):.5f}, defaults {completed[0].value:.5f}"
