"""What a theme is: features that say one thing, and the sentence each of them leads to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _

from purchase_intent.features.state import Past, State
from purchase_intent.features.vector import Vector
from purchase_intent.models import Session

__all__ = ["Saying", "Theme", "Told", "new_here", "no_product"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a sentence is told from. `up`: the theme speaks for a purchase; `session` gives names, where it is known."""

    state: State
    past: Past
    row: Vector
    up: bool
    session: Session | None = None


Saying = Callable[[Told], str]
"""One sentence, without a full stop, in the language active at the call."""


@dataclass(frozen=True, slots=True)
class Theme:
    """Features that say one thing. The one that adds most in the theme's own direction chooses the sentence."""

    name: str
    sayings: Mapping[str, Saying]


def new_here(say: Saying) -> Saying:
    """Say that nothing came before this visit, where nothing did: all that follows from it is one cause."""
    return lambda told: say(told) if told.row.past_sessions > 0 else _("No earlier visit is known")


def no_product(say: Saying) -> Saying:
    """Say that no product was met, where none was: all that follows from it is one cause."""
    return lambda told: say(told) if told.row.products > 0 else _("Has not looked at a product yet")
