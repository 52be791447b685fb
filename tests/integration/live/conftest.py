"""What the tests of live recording share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.dispatch import Signal

from purchase_intent import signals
from purchase_intent.scoring.facts import facts


@pytest.fixture(autouse=True)
def no_facts_held() -> Iterator[None]:
    """Begin each test with nothing held of another test's catalogue days."""
    facts.forget()
    yield
    facts.forget()


@pytest.fixture
def heard() -> Iterator[list[tuple[str, dict[str, Any]]]]:
    """Return what the signals say, by name, in order."""
    said: list[tuple[str, dict[str, Any]]] = []
    named = {name: getattr(signals, name) for name in signals.__all__}

    def hear(name: str) -> Callable[..., None]:
        return lambda **given: said.append(
            (name, {key: given[key] for key in given if key not in ("signal", "sender")})
        )

    ears: list[tuple[Signal, Callable[..., None]]] = [(signal, hear(name)) for name, signal in named.items()]
    for signal, ear in ears:
        signal.connect(ear, weak=False)
    yield said
    for signal, ear in ears:
        signal.disconnect(ear)
