"""What the challenger says beside the champion: of the same sessions or visitors, as of the same moments.

It says what it would say if it served: with the correction of its own that is in force.

Only work in batches asks the challenger. What it says is stored with the champion's, in one statement, for judging
alone: no page, list or answer shows it. A challenger that cannot be loaded is logged and costs its own scores, never
the champion's.
"""

from __future__ import annotations

import logging
import os
from dataclasses import replace
from typing import Final, NamedTuple

from purchase_intent.exceptions import IntentError
from purchase_intent.learning import Calibration
from purchase_intent.learning.shift import shifted
from purchase_intent.models import ModelVersion, Recalibration
from purchase_intent.scoring.bundles import load_bundle
from purchase_intent.scoring.columns import Rows, Said, said_by
from purchase_intent.scoring.serving import Serving

__all__ = ["forget_challengers", "shadows"]

logger = logging.getLogger(__name__)


class _Held(NamedTuple):
    """The challenger last looked at: its key and its bundle's SHA-256, its correction's key, and its model, if any."""

    identity: tuple[int, str]
    correction: int | None
    serving: Serving | None


_held: Final[dict[str, _Held]] = {}
"""By horizon."""
_inherited: Final[list[object]] = []


def shadows(rows: Rows, champion: Said, *, horizon: str = "session") -> list[Said]:
    """What the challenger of a horizon says of rows of which the champion said something; empty without a challenger.

    Costs one query where there is none, two where there is one. Rules have no challenger: there is no champion to
    compare with.
    """
    if champion.model is None or not rows.has_question.any():
        return []
    serving = _challenger(horizon)
    return [replace(said_by(serving, rows), shadow=True)] if serving is not None else []


def forget_challengers() -> None:
    """Drop the challengers this process holds; the next call loads anew."""
    _held.clear()


def _challenger(horizon: str) -> Serving | None:
    version = ModelVersion.objects.of(horizon).challengers().first()
    if version is None:
        _held.pop(horizon, None)
        return None
    identity = (version.pk, version.bundle_sha256)
    correction = Recalibration.objects.in_force().filter(model=version).first()
    key = correction.pk if correction is not None else None
    held = _held.get(horizon)
    if held is None or held.identity != identity or held.correction != key:
        same = held.serving if held is not None and held.identity == identity else None
        held = _held[horizon] = _Held(identity, key, _corrected(same or _loaded(version), correction))
    return held.serving


def _corrected(serving: Serving | None, correction: Recalibration | None) -> Serving | None:
    if serving is None:
        return None
    plain = serving.plain or serving.model
    if correction is None:
        return Serving(serving.version, plain)
    shift = Calibration(correction.slope, correction.intercept)
    return Serving(serving.version, shifted(plain, shift), recalibration=correction.pk, plain=plain)


def _loaded(version: ModelVersion) -> Serving | None:
    try:
        return Serving(version, load_bundle(version))
    except IntentError as refused:
        logger.error("Model %s cannot challenge: %s", version.pk, refused.message)
        return None


def _after_fork() -> None:
    """Load anew in the child: what is inherited may be half made."""
    _inherited.append(dict(_held))  # to take a used model apart may hang
    _held.clear()


if hasattr(os, "register_at_fork"):  # not on Windows, where nothing forks
    os.register_at_fork(after_in_child=_after_fork)
