"""One training of uplift: gather, learn, judge, register. Nothing is registered unless all of it went well."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from django.db import router, transaction

from purchase_intent.conf import bundle_key
from purchase_intent.exceptions import ExperimentRefused, TrainingRefused
from purchase_intent.experiments.uplift.cases import Cases, gather
from purchase_intent.experiments.uplift.words import verdict_of
from purchase_intent.features.schema import schema_hash
from purchase_intent.learning.uplift import Judged, Money, dump_uplift, learn_uplift
from purchase_intent.models import Experiment, ExperimentState, UpliftStatus, UpliftVersion
from purchase_intent.scoring.bundles import check_storage, remove_bundle, store_bundle

__all__ = ["learn", "register"]

SEEDS: Final = 2**31

Progress = Callable[[str], None]


def learn(
    key: str,
    *,
    treatment: str = "",
    seed: int = 0,
    money: Money | None = None,
    force: bool = False,
    threads: int = 2,
    now: datetime,
    progress: Progress,
) -> UpliftVersion:
    """Learn who is moved by a treatment of an experiment, held against its control, and register it.

    `treatment` is the arm's key; of an experiment with two arms it may be left out.

    It serves where its ranking is better than chance, or with `force`; else it is on record as refused, without a
    bundle. ExperimentRefused for an unknown key or a draft; TrainingRefused, with the shortfall, where there is too
    little to learn from, or, without `force`, where its latest look is INVALID; LogRefused where no event is stored.
    Then nothing is registered.
    """
    if not 0 <= seed < SEEDS:
        raise TrainingRefused(f"seed: {seed} is out of range; give one from 0 to {SEEDS - 1}", field="seed")
    experiment = Experiment.objects.prefetch_related("arms").filter(key=key).first()
    if experiment is None:
        raise ExperimentRefused(field="key", reason="unknown", remedy=f"there is no experiment {key}: see the desk")
    if experiment.state == ExperimentState.DRAFT:
        raise ExperimentRefused(field="state", reason="state", remedy=f"{key} has not begun: start it first")
    if not force:
        _refuse_invalid(experiment)
    check_storage()
    cases = gather(experiment, treatment=treatment, now=now, seed=seed, progress=progress)
    judged = learn_uplift(cases.trial, seed=seed, money=money, threads=threads, progress=progress)
    return register(experiment, cases, judged, seed=seed, force=force, now=now)


def _refuse_invalid(experiment: Experiment) -> None:
    """Where something drops visitors unevenly, the arms differ in more than what was tried."""
    latest = experiment.looks.order_by("pk").last()
    if latest is not None and latest.verdict == "INVALID":
        raise TrainingRefused(
            f"experiment {experiment.key}: the look of {latest.day} found the arms without their shares, so that they "
            "differ in more than the treatment: mend the cause, and begin another experiment",
            field="experiment",
        )


def register(
    experiment: Experiment, cases: Cases, judged: Judged, *, seed: int, force: bool, now: datetime
) -> UpliftVersion:
    """Put a model on record: it takes the place of the one that serves this treatment, or is refused."""
    serves = judged.ranking.is_better_than_chance or force
    fields: dict[str, Any] = {
        "experiment": experiment,
        "status": UpliftStatus.SERVING if serves else UpliftStatus.REFUSED,
        "created_at": now,
        "known_at": now,
        "treatment": cases.treatment,
        "outcome": cases.outcome,
        "learner": judged.model.learner.value,
        "units": len(cases.trial),
        "outcomes": int(cases.trial.labels.sum()),
        "seed": seed,
        "schema_hash": schema_hash(),
        "figures": dict(judged.model.figures) | {"without_visit": cases.without_visit},
        "verdict": verdict_of(judged, force=force),
        "forced": force and not judged.ranking.is_better_than_chance,
    }
    if not serves:
        return UpliftVersion.objects.create(**fields)
    facts = {"experiment": experiment.key, "treatment": cases.treatment, "known_at": now.isoformat()}
    data = dump_uplift(judged.model, schema=schema_hash(), facts=facts, key=bundle_key())
    name = store_bundle(data)
    try:
        with transaction.atomic(using=router.db_for_write(UpliftVersion)):
            before = UpliftVersion.objects.serving().filter(experiment=experiment, treatment=cases.treatment)
            before.update(status=UpliftStatus.ARCHIVED)
            return UpliftVersion.objects.create(**fields, bundle=name, bundle_sha256=hashlib.sha256(data).hexdigest())
    except BaseException:
        remove_bundle(name)
        raise
