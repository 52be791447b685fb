"""The statements by which an experiment is measured, the same on PostgreSQL and SQLite but for how a moment is read.

A person is a visitor with all whose past a login joined to it, as long as that is not taken back. Of a person's
exposures the earliest counts. Out is who is labelled as a bot or staff now, whenever that was found out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from functools import cached_property
from typing import Any, Final, NamedTuple

from django.db import connections, router
from django.db.backends.base.base import BaseDatabaseWrapper

from purchase_intent.models import Event, Exposure, Merge, Order, SegmentMembership, Visitor

__all__ = ["AT_ONCE", "ORDER", "Gone", "Statement", "Statements"]

AT_ONCE: Final = 20_000
"""Rows in memory."""
ORDER: Final = 0
"""What an order is called among the events, whose numbers begin with 1."""


class Statement(NamedTuple):
    """Words and what is filled in."""

    sql: str
    given: list[Any]

    def __add__(self, other: Any) -> Statement:
        return Statement(self.sql + other.sql, [*self.given, *other.given])


class Gone(NamedTuple):
    """Exposures that do not count: their keys, and how many by why, label and arm.

    `why` is `bots`, `twice` (a later exposure of the same person), or `waiting` (of nobody on record yet; no keys).
    """

    keys: list[int]
    counts: Counter[tuple[str, str, int]]


class Statements:
    """The statements of one experiment's exposures between two moments, the second left out.

    `segment` leaves only who belonged to it at the exposure that counts, as the exposure says; where it does not, who
    was a member by the nightly look before. `gone` are those of the experiment, where they are known already.

    Deeds are told up to `now`, by default up to the second moment. Without an experiment it is a subclass that says who
    takes the place of the exposed.
    """

    def __init__(
        self,
        experiment: int | None,
        *,
        since: datetime,
        until: datetime,
        now: datetime | None = None,
        segment: int | None = None,
        gone: Gone | None = None,
    ) -> None:
        self.connection: BaseDatabaseWrapper = connections[router.db_for_read(Exposure)]
        self._experiment, self._segment = experiment, segment
        if gone is not None:
            self.gone = gone
        self._since, self._until, self._now = (self._moment(each) for each in (since, until, now or until))

    def totals(self, edges: Sequence[datetime]) -> Statement:
        """Rows of: batch, arm, device, browser, units, those whose score is known, the scores' sum, that of squares.

        Batch i lies from edge i on, before the next.
        """
        batch = self._batch(edges)
        words = (
            f"SELECT {batch.sql} AS batch, e.arm_id, e.device, e.browser, COUNT(*), COUNT(e.score), "  # noqa: S608
            "COALESCE(SUM(e.score), 0), COALESCE(SUM(e.score * e.score), 0) "
            f"FROM shown e WHERE {self._counts} AND e.visitor_id IS NOT NULL GROUP BY 1, 2, 3, 4"
        )
        return self._people() + Statement(words, batch.given)

    def deeds(self, names: Sequence[int], *, with_orders: bool) -> Statement:
        """What was done after the exposure, a person's rows together: unit, arm, exposed at, score, what, at, amount.

        `names` are events, of which each person's first is told; an order is told each, as `ORDER` with its revenue.
        """
        parts = []
        if with_orders:
            parts += [self._orders(direct=True), self._orders(direct=False)]
        if names:
            parts.append(self._events(names))
        union = " UNION ALL ".join(part.sql for part in parts)
        words = f"SELECT * FROM ({union}) AS deeds ORDER BY 1"  # noqa: S608 (names of our own)
        return self._people() + Statement(words, [value for part in parts for value in part.given])

    def sets(self) -> Statement:
        """Rows of: segments that exposures name together (NULL: not known), and how many do."""
        words = (
            "SELECT e.segments, COUNT(*) FROM shown e "  # noqa: S608 (the same)
            f"WHERE {self._counts} AND e.visitor_id IS NOT NULL GROUP BY 1"
        )
        return self._people() + Statement(words, [])

    def units(self) -> Statement:
        """Rows of: person, arm, exposed at, score."""
        words = (
            f"SELECT COALESCE(k.person, e.visitor_id), e.arm_id, {self._read('e.at')}, e.score "  # noqa: S608 (the same)
            "FROM shown e LEFT JOIN kin k ON k.visitor = e.visitor_id "
            f"WHERE {self._counts} AND e.visitor_id IS NOT NULL ORDER BY e.id"
        )
        return self._people() + Statement(words, [])

    @cached_property
    def gone(self) -> Gone:
        """Who was exposed and is not counted; asked for once."""
        counts: Counter[tuple[str, str, int]] = Counter()
        keys: list[int] = []
        with self.connection.cursor() as cursor:
            cursor.execute(*self._left_out())
            while rows := cursor.fetchmany(AT_ONCE):
                counts.update((why, label, arm) for _, arm, why, label in rows)
                keys += [key for key, *_ in rows]
            waiting = "SELECT arm_id, COUNT(*) FROM shown WHERE visitor_id IS NULL GROUP BY 1"
            cursor.execute(*(self._with() + Statement(waiting, [])))
            counts.update({("waiting", "", arm): count for arm, count in cursor.fetchall()})
        return Gone(keys, counts)

    def _with(self) -> Statement:
        """The exposures, and who is one person with whom."""
        shown, merges = self._shown(), self._name(Merge)
        words = (
            f"WITH shown AS {'NOT ' if self._experiment is not None else ''}MATERIALIZED ({shown.sql}), "  # noqa: S608
            "joined AS MATERIALIZED (SELECT anonymous_id AS visitor, MIN(visitor_id) AS person "
            f"FROM {merges} WHERE undone_at IS NULL AND anonymous_id IS NOT NULL GROUP BY anonymous_id), "
            "kin AS MATERIALIZED (SELECT visitor, person FROM joined UNION SELECT person, person FROM joined) "
        )
        return Statement(words, shown.given)

    def _people(self) -> Statement:
        """The same, and the keys of exposures that do not count, as one parameter."""
        is_postgres = self.connection.vendor == "postgresql"
        words = "SELECT unnest(%s::bigint[])" if is_postgres else "SELECT value FROM json_each(%s)"
        keys = ",".join(map(str, self.gone.keys))
        return self._with() + Statement(
            f", gone (id) AS MATERIALIZED ({words}) ", [f"{{{keys}}}" if is_postgres else f"[{keys}]"]
        )

    @property
    def _counts(self) -> str:
        """Whether an exposure counts, as each database looks it up in a table of its own."""
        words = "e.id NOT IN (SELECT id FROM gone)"
        if self.connection.vendor == "postgresql":
            words = "NOT EXISTS (SELECT 1 FROM gone g WHERE g.id = e.id)"
        return words if self._segment is None else f"{words} AND {self._belongs(self._segment)}"

    def _belongs(self, segment: int) -> str:
        """Whether the visit belonged to a segment. Who counts is settled before: by each person's earliest exposure."""
        return (
            f"(e.segments LIKE '%%,{segment:d},%%' OR e.segments IS NULL AND EXISTS "  # noqa: S608 (a number)
            f"(SELECT 1 FROM {self._name(SegmentMembership)} m WHERE m.segment_id = {segment:d} "
            "AND m.visitor_id = e.visitor_id AND m.entered_at <= e.at AND (m.left_at IS NULL OR m.left_at > e.at)))"
        )

    def robots(self, edges: Sequence[datetime]) -> Statement:
        """Rows of: batch, arm, label, exposures of who is labelled; batches as in `totals`."""
        batch = self._batch(edges)
        words = (
            f"SELECT {batch.sql} AS batch, e.arm_id, e.label, COUNT(*) FROM "  # noqa: S608 (the same)
            "(SELECT id, arm_id, at, MIN(label) AS label FROM labelled GROUP BY id, arm_id, at) e GROUP BY 1, 2, 3"
        )
        return self._with() + Statement(f"{self._labelled()} ", []) + Statement(words, batch.given)

    def _left_out(self) -> Statement:
        """Rows of: exposure, arm, why it does not count, label."""
        words = (
            f"{self._labelled()}, "  # noqa: S608 (the same)
            "later AS (SELECT e.id, e.arm_id, ROW_NUMBER() OVER (PARTITION BY k.person ORDER BY e.at, e.id) AS place "
            "FROM kin k CROSS JOIN shown e LEFT JOIN labelled l ON l.id = e.id "
            "WHERE e.visitor_id = k.visitor AND l.id IS NULL) "
            "SELECT id, arm_id, 'bots', MIN(label) FROM labelled GROUP BY id, arm_id "
            "UNION ALL SELECT id, arm_id, 'twice', '' FROM later WHERE place > 1"
        )
        return self._with() + Statement(words, [])

    def _labelled(self) -> str:
        """The exposures of who is labelled, by the visitor's own label or by that of who stands for them."""
        visitors = self._name(Visitor)
        # Where a join is written as CROSS JOIN, SQLite takes the tables in this order: the few come first.
        # And NOT (… = …) is how the index of those who are labelled is spelled.
        return (
            ", labelled AS MATERIALIZED (SELECT e.id, e.arm_id, e.at, v.bot AS label "  # noqa: S608 (the same)
            f"FROM {visitors} v CROSS JOIN shown e WHERE NOT (v.bot = '') AND e.visitor_id = v.id UNION "
            f"SELECT e.id, e.arm_id, e.at, v.bot FROM kin k CROSS JOIN {visitors} v CROSS JOIN shown e "
            "WHERE v.id = k.person AND NOT (v.bot = '') AND k.visitor <> k.person AND e.visitor_id = k.visitor)"
        )

    def _shown(self) -> Statement:
        words = (
            f"SELECT id, arm_id, at, score, visitor_id, device, browser, segments FROM {self._name(Exposure)} "  # noqa: S608
            "WHERE experiment_id = %s AND at >= %s AND at < %s"
        )
        return Statement(words, [self._experiment, self._since, self._until])

    def _orders(self, *, direct: bool) -> Statement:
        unit = f"e.id, e.arm_id, {self._read('e.at')}, e.score, {ORDER}, {self._read('o.placed_at')}"
        words = (
            f"SELECT {unit}, CAST(o.revenue AS double precision) FROM {self._name(Order)} o "  # noqa: S608
            f"{self._meeting('o', direct=direct)} AND o.placed_at > e.at AND o.placed_at >= %s AND o.placed_at < %s"
        )
        return Statement(words, [self._since, self._now])

    def _events(self, names: Sequence[int]) -> Statement:
        listed = ", ".join(str(int(name)) for name in names)
        each = [
            "SELECT e.id, e.arm_id, e.at, e.score, v.name, v.occurred_at "  # noqa: S608
            f"FROM {self._name(Event)} v {self._meeting('v', direct=direct)} AND v.name IN ({listed}) "
            "AND v.occurred_at > e.at AND v.occurred_at >= %s AND v.occurred_at < %s"
            for direct in (True, False)
        ]
        words = (
            f"SELECT id, arm_id, {self._read('at')}, score, name, {self._read('MIN(occurred_at)')}, 0.0 "  # noqa: S608
            f"FROM ({' UNION ALL '.join(each)}) AS told GROUP BY id, arm_id, at, score, name"
        )
        return Statement(words, [self._since, self._now] * 2)

    def _meeting(self, row: str, *, direct: bool) -> str:
        """Joins a visitor's row to the exposure of the same person: of the same visitor, or of another of theirs."""
        if direct:
            return f"CROSS JOIN shown e WHERE e.visitor_id = {row}.visitor_id AND {self._counts}"
        return (
            "CROSS JOIN kin mine CROSS JOIN kin other CROSS JOIN shown e "
            f"WHERE mine.visitor = {row}.visitor_id AND other.person = mine.person AND other.visitor <> mine.visitor "
            f"AND e.visitor_id = other.visitor AND {self._counts}"
        )

    def _batch(self, edges: Sequence[datetime]) -> Statement:
        """Which batch an exposure is of, by halving."""
        if len(edges) <= 2:
            return Statement("0", [])
        return self._half(edges, 0, len(edges) - 2)

    def _half(self, edges: Sequence[datetime], first: int, last: int) -> Statement:
        if first == last:
            return Statement(str(first), [])
        middle = (first + last + 1) // 2
        below, above = self._half(edges, first, middle - 1), self._half(edges, middle, last)
        moment = self._moment(edges[middle])
        return Statement(
            f"CASE WHEN e.at < %s THEN {below.sql} ELSE {above.sql} END",
            [moment, *below.given, *above.given],
        )

    def _moment(self, moment: datetime) -> Any:
        return self.connection.ops.adapt_datetimefield_value(moment)

    def _read(self, moment: str) -> str:
        """A moment so that it is read without Python's help: microseconds since 1970, or SQLite's own text."""
        if self.connection.vendor == "postgresql":
            return f"CAST(EXTRACT(EPOCH FROM {moment}) * 1000000 AS bigint)"
        return f"{moment} || ''"

    def _name(self, model: Any) -> str:
        return str(self.connection.ops.quote_name(model._meta.db_table))  # noqa: SLF001 (documented by Django)
