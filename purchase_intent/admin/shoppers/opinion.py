"""The page on which TreeSHAP and LIME explain one session's score side by side."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from purchase_intent.admin.shoppers.verdicts import MOST_REASONS, moment_of, said
from purchase_intent.exceptions import IntentError
from purchase_intent.models import Session
from purchase_intent.scoring.opinion import GOOD_FIT, Opinions, opinions

__all__ = ["opinions_page"]


def opinions_page(session: Session, *, now: datetime) -> dict[str, Any]:
    """What the page shows, or the fault in its place."""
    if session.read_state().purchases:
        return {"fault": "Has bought: there is no score to explain any more."}
    try:
        found = opinions(session, at=moment_of(session, now=now), most=MOST_REASONS)
    except IntentError as error:
        return {"fault": error.message}
    return {
        "headline": "Both name the same strongest cause" if found.agree else "They differ on the strongest cause",
        "said": _said(found),
        "ways": (
            {
                "name": "TreeSHAP",
                "what": "Shares out the score exactly: all causes add up to it.",
                "reasons": [said(reason) for reason in found.shap],
            },
            {
                "name": "LIME",
                "what": f"A straight line through the scores of similar visits; R² {found.fit:.2f}.",
                "reasons": [said(reason) for reason in found.lime],
            },
        ),
    }


def _said(found: Opinions) -> str:
    if found.fit < GOOD_FIT:
        return f"No straight line fits well here: the score hangs on several things at once. By model {found.model}."
    return f"Small causes need not agree; the strongest should. By model {found.model}."
