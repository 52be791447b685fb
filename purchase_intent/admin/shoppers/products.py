"""Products at the desk, by the names that the shop's own people know them by."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from purchase_intent.adapters import current_shop
from purchase_intent.models import Event

__all__ = ["Named", "named_products"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Named:
    """A product as a page shows it: its name, or its key where the shop gives none; `whole` has both."""

    name: str
    whole: str


def named_products(events: Iterable[Event]) -> Mapping[str, Named]:
    """The products of some events, by key. The shop is asked once; where its adapter fails, the keys stand."""
    keys = {event.product for event in events if event.product}
    try:
        names = current_shop().product_names(keys) if keys else {}
        return {key: Named(names[key], f"{names[key]} ({key})") if names.get(key) else Named(key, key) for key in keys}
    except Exception:  # the edge to the shop's own code: the page is shown without its names
        logger.exception("Products are shown by their keys: mend product_names of the shop's adapter.")
        return {key: Named(key, key) for key in keys}
