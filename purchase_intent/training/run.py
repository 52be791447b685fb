"""One training run: read, fold, learn, check, register. Nothing is registered unless all of it went well."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
from django.utils import timezone

from purchase_intent.conf import bundle_key
from purchase_intent.exceptions import TrainingRefused
from purchase_intent.features.schema import schema_hash
from purchase_intent.learning import MEMBERS, IntentEnsemble, Sample, Tuning, dump
from purchase_intent.learning.tuning import chosen_params
from purchase_intent.models import Horizon, ModelVersion
from purchase_intent.scoring.bundles import check_storage
from purchase_intent.sources import EventLog, check_targets, open_log
from purchase_intent.sources.orm import stored_events
from purchase_intent.training.breakdown import with_breakdown
from purchase_intent.training.checks import Finding, check_model
from purchase_intent.training.dataset import Progress, build_sample
from purchase_intent.training.eligibility import refuse_too_little
from purchase_intent.training.gate import Outcome, Verdict, judge
from purchase_intent.training.logfacts import LogFacts
from purchase_intent.training.partitions import gathered
from purchase_intent.training.registering import put_on_record, put_refusal_on_record
from purchase_intent.training.week import learn_week

__all__ = ["Request", "train"]

SEEDS: Final = 2**31
"""Every learner takes seeds below this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to train on and how: `events` are files, or None for the events that the database holds.

    `features` is a folder of cases that were built in parts, of any events; then `events`, `until` and `rejects` say
    nothing.

    `zone` is the shop's IANA time zone, `until` is aware, `tuning` says how much to search for better parameters,
    `seed` is below 2^31, `rejects` is a CSV file to write, and `horizon` says what is learnt: whether this session
    still buys, or whether a visitor buys within seven days.
    Raises TrainingRefused, naming the field, where one is out of range.
    """

    events: Sequence[Path] | None
    zone: str
    features: Path | None = None
    until: datetime | None = None
    seed: int = 0
    tuning: Tuning = field(default_factory=Tuning)
    force: bool = False
    threads: int = 2
    rejects: Path | None = None
    horizon: Horizon = Horizon.SESSION

    def __post_init__(self) -> None:
        if not 0 <= self.seed < SEEDS:
            raise TrainingRefused(f"seed: {self.seed} is out of range; give one from 0 to {SEEDS - 1}", field="seed")
        if self.features is not None and self.horizon != Horizon.SESSION:
            raise TrainingRefused("features: they are cases of sessions; leave out --horizon", field="features")
        chosen_params(tuple(MEMBERS), tuning=self.tuning)


def train(request: Request, *, progress: Progress) -> ModelVersion:
    """Train a model and register it; whether it serves, waits or is refused is up to the gate.

    Raises LogRefused where the files are no log or the database holds no event, TrainingRefused where the data allows
    no model, or the gate refuses it and `force` is not set, ConfigurationError where no bundle could be kept. Then no
    bundle is kept; what the gate refused is on record with its reasons.
    """
    check_targets({"--rejects": request.rejects, "--study": request.tuning.study}, request.events or [])
    short: list[Finding] = []
    if request.events is None and request.features is None:
        now = timezone.now()
        short = refuse_too_little(horizon=request.horizon, until=request.until, now=now, force=request.force)
    check_storage()
    ensemble, sample, log = _learnt(request, progress)
    verdict = judge(
        ensemble,
        sample,
        [*short, *check_model(ensemble, sample)],
        horizon=request.horizon,
        seed=request.seed,
        threads=request.threads,
        progress=progress,
    )
    progress("registering")
    return register(ensemble, sample, log, request, verdict)


def _learnt(request: Request, progress: Progress) -> tuple[IntentEnsemble, Sample, LogFacts]:
    options: dict[str, Any] = {"seed": request.seed, "tuning": request.tuning, "threads": request.threads}
    if request.horizon == Horizon.WEEK:
        with _opened(request, progress) as log:
            ensemble, sample = learn_week(log, progress=progress, **options)
            facts = LogFacts.of(log)
    else:
        sample, facts = _sampled(request, progress)
        ensemble = IntentEnsemble.fit(sample, progress=progress, **options)
    return with_breakdown(ensemble, sample, horizon=request.horizon, threads=request.threads), sample, facts


def _sampled(request: Request, progress: Progress) -> tuple[Sample, LogFacts]:
    """The cases, with the log closed by then: learning needs its memory."""
    if request.features is not None:
        progress("reading the features")
        return gathered(request.features)
    with _opened(request, progress) as log:
        return build_sample(log, seed=request.seed, progress=progress), LogFacts.of(log)


@contextmanager
def _opened(request: Request, progress: Progress) -> Iterator[EventLog]:
    progress("reading the log")
    if request.events is None:
        with stored_events(zone=request.zone, until=request.until, progress=progress) as stored:
            yield stored.log
        return
    with open_log(request.events, zone=request.zone, until=request.until, rejects=request.rejects) as log:
        yield log


def register(
    ensemble: IntentEnsemble, sample: Sample, log: LogFacts, request: Request, verdict: Verdict
) -> ModelVersion:
    """Keep the bundle and the record of it, both or neither, in the place the gate gives it.

    Raises TrainingRefused where the gate refuses it and `force` is not set: then the reasons alone are kept.
    """
    facts = _facts(ensemble, log)
    fields = {
        "horizon": request.horizon,
        "trained_from": log.first,
        "trained_until": log.last + timedelta(milliseconds=1),
        "events": log.accepted,
        "sessions": len(np.unique(sample.sessions)),
        "buyers": sample.buying_sessions,
        "seed": request.seed,
        "schema_hash": schema_hash(),
        "figures": facts | {"gate": verdict.to_json()},
    }
    is_refused = verdict.outcome is Outcome.REFUSE
    if is_refused and not request.force:
        version = put_refusal_on_record(fields, verdict)
        raise TrainingRefused(
            f"{verdict.text} It is refused, and on record as model {version.pk}; --force keeps it all the same.",
            reasons=list(verdict.codes),
            version=version.pk,
        )
    data = dump(ensemble, schema=schema_hash(), facts=facts, key=bundle_key())
    return put_on_record(data, fields, verdict, forced=is_refused)


def _facts(ensemble: IntentEnsemble, log: LogFacts) -> dict[str, Any]:
    return {
        "zone": log.zone,
        "layout": log.layout,
        "log": {
            "rows": log.rows,
            "accepted": log.accepted,
            "rejected": log.rejected,
            "sessions": log.sessions,
            "visitors": log.visitors,
            "buying_sessions": log.buying_sessions,
            "orders": log.orders,
            "revenue": round(log.revenue, 2),
        },
        "weights": dict(ensemble.weights),
        "calibration": {"slope": ensemble.calibration.slope, "intercept": ensemble.calibration.intercept},
        "thresholds": ensemble.thresholds.to_json(),
        # The profile is in the bundle: a row of the database that is read for every list stays small.
        **{name: figure for name, figure in ensemble.figures.items() if name != "profile"},
    }
