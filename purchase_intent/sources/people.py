"""Persons: visitors whom a shared session connects, as a login does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import duckdb

__all__ = ["connected", "link_visitors"]


def connected(pairs: list[tuple[int, int]]) -> dict[int, int]:
    """Visitor to person for every visitor of `pairs`; the person is the lowest visitor reached.

    Union-find with path halving (Tarjan and van Leeuwen, 1984).
    """
    parent: dict[int, int] = {}

    def root(visitor: int) -> int:
        parent.setdefault(visitor, visitor)
        while parent[visitor] != visitor:
            parent[visitor] = parent[parent[visitor]]
            visitor = parent[visitor]
        return visitor

    for one, other in pairs:
        low, high = sorted((root(one), root(other)))
        parent[high] = low
    return {visitor: root(visitor) for visitor in list(parent)}


def link_visitors(connection: duckdb.DuckDBPyConnection) -> None:
    """Create `people` (visitor, person) for the visitors that share a session with another; the rest stand alone."""
    pairs = connection.execute(
        """SELECT DISTINCT shared.one, stage.visitor
        FROM (SELECT session, one FROM session_days WHERE one <> other) AS shared JOIN stage USING (session)
        WHERE stage.reason IS NULL AND stage.visitor <> shared.one"""
    ).fetchall()
    person = connected(pairs)
    arrays = {
        "visitor": np.array(list(person), np.uint64),
        "person": np.array(list(person.values()), np.uint64),
    }
    connection.register("linked", arrays)
    connection.execute("CREATE TABLE people AS SELECT visitor, person FROM linked")
    connection.unregister("linked")
