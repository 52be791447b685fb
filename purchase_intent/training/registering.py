"""A trained model goes on record: bundle and row, both or neither, and its place by what the gate said."""

from __future__ import annotations

import hashlib
from typing import Any, Final

from django.db import transaction
from django.utils import timezone

from purchase_intent.models import ModelVersion, Status
from purchase_intent.scoring.bundles import remove_bundle, store_bundle
from purchase_intent.training import promotion
from purchase_intent.training.gate import Outcome, Verdict

__all__ = ["THE_GATE", "put_on_record", "put_refusal_on_record"]

THE_GATE: Final = "the gate"
"""Who promotes after a training."""


def put_on_record(data: bytes, fields: dict[str, Any], verdict: Verdict, *, forced: bool) -> ModelVersion:
    """Keep a bundle and the record of it, both or neither; promote it, or name it challenger, where the gate says so.

    A process that is killed in between leaves the champion as it is, and a file that no version names.
    """
    name = store_bundle(data)
    try:
        with transaction.atomic():
            version = ModelVersion.objects.create(
                **fields,
                verdict=verdict.text,
                reasons=list(verdict.codes),
                bundle=name,
                bundle_sha256=hashlib.sha256(data).hexdigest(),
                forced=forced,
            )
            if not forced:
                _placed(version, verdict)
    except BaseException:
        remove_bundle(name)
        raise
    return version


def put_refusal_on_record(fields: dict[str, Any], verdict: Verdict) -> ModelVersion:
    """Keep why a model was refused; its bundle is not kept."""
    return ModelVersion.objects.create(
        **fields, verdict=verdict.text, reasons=list(verdict.codes), status=Status.REFUSED
    )


def _placed(version: ModelVersion, verdict: Verdict) -> None:
    ModelVersion.objects.lock_all(version.horizon)
    if verdict.outcome is Outcome.PROMOTE:
        champion = ModelVersion.objects.of(version.horizon).champions().first()
        if champion is None or champion.pk in verdict.rivals:
            promotion.promote(version, who=THE_GATE, why=version.verdict)
            return
        version.verdict += f" But model {champion.pk} was promoted meanwhile, and was not compared: it waits."
        version.reasons = [*version.reasons, "champion_changed"]
        version.save(update_fields=("verdict", "reasons"))
    elif verdict.is_promising and promotion.is_seat_free(version.horizon, now=timezone.now()):
        promotion.challenge(version, who=THE_GATE, why=version.verdict)
