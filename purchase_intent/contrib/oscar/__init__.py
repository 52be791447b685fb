"""django-oscar told to `purchase_intent`: docs/oscar.md says how a shop of it is connected."""

from __future__ import annotations

__all__: list[str] = []
