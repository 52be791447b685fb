"""The trials of one member: the defaults first, then what Optuna's sampler proposes, the hopeless cut short.

A trial depends on the seed, its number and the finished trials before it, never on when or how often the search was
ended: going on from a file gives what one run would have given.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from purchase_intent.learning.members import MEMBERS, Member, Range
from purchase_intent.learning.members.base import learner
from purchase_intent.learning.tuning.gain import Gain, Losses, gain
from purchase_intent.learning.tuning.inner import Inner
from purchase_intent.learning.tuning.kept import Kept
from purchase_intent.learning.weights import nats

__all__ = ["Found", "MemberSearch"]

STARTUP: Final = 5
"""Trials that end by themselves before one is cut short."""
STRIDE: Final = 0.25
WARMUP: Final = 4
"""Strides before a trial is cut short."""

Late = Callable[[], bool]


class _OutOfTimeError(Exception):
    """The budget ended in the midst of a trial."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a member's search came to; losses are on the slice to choose on, the gain on the one to confirm on.

    `params` are the searched parameters of the best trial, adopted or not. Without a finished trial there are none.
    """

    tried: int
    cut_short: int
    asked: int
    defaults: float | None
    best: float | None
    number: int | None
    gain: Gain | None
    params: Mapping[str, float]

    @property
    def adopted(self) -> bool:
        """Whether the best parameters are to be used: found better, and confirmed by more than the noise."""
        return bool(self.number) and self.gain is not None and self.gain.is_certain

    def to_json(self) -> dict[str, Any]:
        """Plain data for the figures."""
        return {
            "tried": self.tried,
            "cut_short": self.cut_short,
            "asked": self.asked,
            "defaults": self.defaults,
            "best": self.best,
            "trial": self.number,
            "gain": None if self.gain is None else self.gain.mean,
            "error": None if self.gain is None else self.gain.error,
            "adopted": self.adopted,
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
        while done < asked and not late():
            progress(f"tuning {self.name}: trial {done + 1} of {asked}{_best_so_far(study)}")
            # A sampler for each trial: its draws are those of the trial's number, however often the search was ended.
            study.sampler = optuna.samplers.TPESampler(seed=self._seed_of(done))
            try:
                kept.add(self.name, self._tried(study, late))
            except _OutOfTimeError:
                break
            done += 1
        return _found(kept.trials(self.name), asked)

    def _seed_of(self, number: int) -> int:
        place = list(MEMBERS).index(self.name)
        return int(np.random.SeedSequence([self.seed, place, number]).generate_state(1)[0])

    def _tried(self, study: Any, late: Late) -> Any:
        optuna = learner("optuna", extra="train")
        trial = study.ask({name: _distribution(optuna, room) for name, room in self.space.items()})
        params = {**self.settings, **trial.params}
        watch = _watch(trial, params["learning_rate"], late, optuna.TrialPruned)
        try:
            member = MEMBERS[self.name].fit(
                self.inner.fit, self.inner.choose, seed=self.seed, params=params, threads=self.threads, watch=watch
            )
        except optuna.TrialPruned:
            return study.tell(trial, state=optuna.trial.TrialState.PRUNED)
        lost = nats(member.log_odds(self.inner.choose.table.values, threads=self.threads), self.inner.choose.labels)
        value = float(np.average(lost, weights=self.inner.choose.weights))
        self._confirm(study, trial, member, value)
        return study.tell(trial, value)

    def _confirm(self, study: Any, trial: Any, member: Member, value: float) -> None:
        """Keep with the defaults what they lose, and with each best trial so far its gain over them."""
        before = _completed(study.trials)
        if before and value >= min(one.value for one in before):
            return
        losses = Losses.of(member, self.inner.confirm, self.threads)
        trial.set_user_attr("rounds", member.rounds)
        if not before:
            trial.set_user_attr("losses", losses.to_text())
            return
        defaults = Losses.from_text(before[0].user_attrs["losses"])
        found = gain(defaults, losses, self.inner.confirm)
        trial.set_user_attr("gain", [found.mean, found.error])


def _distribution(optuna: Any, room: Range) -> Any:
    if room.whole:
        return optuna.distributions.IntDistribution(int(room.low), int(room.high), log=room.log)
    return optuna.distributions.FloatDistribution(room.low, room.high, log=room.log)


def _watch(trial: Any, rate: float, late: Late, pruned: type[Exception]) -> Callable[[int, float], None]:
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


def _found(trials: list[Any], asked: int) -> Found:
    completed = _completed(trials)
    if not completed:
        return Found(len(trials), 0, asked, None, None, None, None, {})
    best = min(completed, key=lambda trial: (trial.value, trial.number))
    told = best.user_attrs.get("gain")
    return Found(
        tried=len(trials),
        cut_short=len(trials) - len(completed),
        asked=asked,
        defaults=completed[0].value,
        best=best.value,
        number=best.number,
        gain=None if told is None else Gain(*told),
        params=dict(best.params),
    )
