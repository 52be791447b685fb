"""Where the demo is served, what to look at there, and the model ready before the first page asks for it."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from typing import Final

from django.urls import reverse

from demo_shop.models import Product
from purchase_intent.features.live import read_row
from purchase_intent.features.state import Past, State
from purchase_intent.scoring.serving import champion

__all__ = ["HOST", "PortsTaken", "first_free_port", "links", "load_champion"]

HOST: Final = "127.0.0.1"
"""This machine and nobody else."""


class PortsTaken(Exception):
    """Every port that was tried is in use."""


def first_free_port(first: int, *, tries: int = 50) -> int:
    """Return the first port from `first` on at which nobody listens. Raises PortsTaken."""
    for port in range(first, min(first + tries, 65_536)):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            # As the server does it: a port whose last connections are still closing is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return port
    raise PortsTaken(f"Ports {first} to {first + tries - 1} are all in use: give another with --port.")


def links() -> Sequence[tuple[str, str]]:
    """Return seven pages to look at: what each shows, and its path."""
    product = Product.objects.filter(on_sale=True, stock__gt=0).order_by("-popularity", "pk").first()
    return (
        ("The shop", reverse("home")),
        ("A product: put it into the basket", product.get_absolute_url() if product else reverse("listing")),
        ("Sessions, each with its score", reverse("admin:purchase_intent_session_changelist")),
        ("Customers", reverse("admin:purchase_intent_visitor_changelist")),
        ("Segments, each with what it brings", reverse("admin:purchase_intent_segment_changelist")),
        ("Experiments, each with its verdict", reverse("admin:purchase_intent_experiment_changelist")),
        ("The model and how well it predicts", reverse("admin:purchase_intent_modelversion_changelist")),
    )


def load_champion() -> bool:
    """Load the champion and its learners, which takes seconds; whether there is one. This process must not fork."""
    serving = champion()
    if serving is None:
        return False
    row = read_row(State(), Past(), 0)
    serving.model.predict(row)
    serving.model.contributions(row)
    return True
