"""What the challenger says beside the champion: of the same sessions or visitors, as of the same moments.

Only work in batches asks the challenger. What it says is stored with the champion's, in one statement, for judging
alone: no page, list or answer shows it. A challenger that cannot be loaded is logged and costs its own scores, never
the champion's.
"""

from __future__ import annotations

import logging
import os
from dataclasses import replace
from typing import Final

from purchase_intent.exceptions import IntentError
from purchase_intent.models import ModelVersion
from purchase_intent.scoring.bundles import load_bundle
from purchase_intent.scoring.columns import Rows, Said, said_by
from purchase_intent.scoring.serving import Serving

__all__ = ["forget_challengers", "shadows"]

logger = logging.getLogger(__name__)

_held: Final[dict[str, tuple[tuple[int, str], Serving | None]]] = {}
"""By horizon: which challenger was last looked at, and its model; None where its bundle is refused."""
_inherited: Final[list[object]] = []


def shadows(rows: Rows, champion: Said, *, horizon: str = "session") -> list[Said]:
    """What the challenger of a horizon says of rows of which the champion said something; empty without a challenger.

    Costs one query where there is none. Rules have no challenger: there is no champion to compare with.
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
    if horizon not in _held or _held[horizon][0] != identity:
        _held[horizon] = (identity, _loaded(version))
    return _held[horizon][1]


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
