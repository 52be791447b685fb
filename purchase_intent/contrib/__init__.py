"""Adapters to shops that others wrote; each imports without the shop's packages and does nothing until it is listed."""

from __future__ import annotations

__all__: list[str] = []
