"""A sink that fails is left alone, and tried again by one at a time."""

from __future__ import annotations

from purchase_intent.tracking.sinks.breaker import REST, Breaker


def test_a_closed_breaker_lets_everybody_through() -> None:
    breaker = Breaker()
    assert [breaker.allows() for _ in range(3)] == [True] * 3
    assert not breaker.succeed()
    assert breaker.is_closed


def test_a_failure_opens_it_for_a_while_and_then_one_tries() -> None:
    now = [100.0]
    breaker = Breaker(lambda: now[0])
    assert breaker.fail()
    assert not breaker.is_closed
    now[0] += REST - 0.1
    assert not breaker.allows()
    now[0] += 0.1
    assert [breaker.allows() for _ in range(3)] == [True, False, False]
    assert not breaker.fail()
    now[0] += REST
    assert breaker.allows()
    assert breaker.succeed()
    assert [breaker.allows() for _ in range(3)] == [True] * 3
