"""What a page's script is told of the page."""

from __future__ import annotations

from django.http import HttpRequest

from purchase_intent.tracking.attached import attached, tracker_of
from purchase_intent.tracking.consent import is_off

__all__ = ["script_facts"]


def script_facts(request: HttpRequest, *, is_shared: bool = False) -> dict[str, str]:
    """What the script's tag says of a page: its role and, where it is one visitor's, whether that visitor agrees."""
    tracker = attached(request)
    if tracker is None:
        return {"consent": "no"} if is_off() else {}
    facts = {} if is_shared else {"consent": "yes" if tracker_of(request) is not None else "no"}
    try:
        if tracker.shop.cookieless:
            facts["storage"] = "no"
        return facts | {"page": tracker.shop.page(request).label}
    except Exception as error:  # noqa: BLE001 - the edge to the shop's own code
        tracker.fail(error)
        return facts
