"""A model's card as one HTML file that needs nothing beside it."""

from __future__ import annotations

from django.template.loader import render_to_string

from purchase_intent.insights.card import Card
from purchase_intent.models import ModelVersion

__all__ = ["file_name", "filed"]


def filed(card: Card) -> str:
    """The text of the file: its charts are SVG within it, and it loads nothing."""
    return render_to_string("purchase_intent/card.html", {"card": card})


def file_name(version: ModelVersion) -> str:
    """What the file is called: "model-12-session.html"."""
    return f"model-{version.pk}-{version.horizon}.html"
