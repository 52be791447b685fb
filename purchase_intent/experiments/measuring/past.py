"""The shop's past in the place of an experiment: each visitor counts from one moment on, all of them in one arm."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from purchase_intent.experiments.measuring.sql import Statement, Statements
from purchase_intent.models import Score, SegmentMembership, Session

__all__ = ["Entry", "PastEntries", "PastVisits"]


class Entry(NamedTuple):
    """Where a visitor would have been exposed: the key of the visit's row, whose it was, when, and the chance then."""

    visit: int
    visitor: int
    at: datetime
    score: float | None


class PastVisits(Statements):
    """Each visitor from their first visit between two moments on, the second left out; deeds are told up to `now`.

    `scored` leaves only those of whose visit a score was stored, and begins with the first of them: what came before it
    is in it. `segment`, the key of a row, leaves only visits of who was a member by the nightly look before.
    """

    def __init__(
        self, *, since: datetime, until: datetime, now: datetime, scored: bool = False, segment: int | None = None
    ) -> None:
        super().__init__(None, since=since, until=until, now=now)
        self._scored, self._member = scored, segment

    def _shown(self) -> Statement:
        visits, given = self._name(Session), [self._since, self._until]
        member = ""
        if self._member is not None:
            member = (
                f" AND EXISTS (SELECT 1 FROM {self._name(SegmentMembership)} m WHERE m.segment_id = {self._member:d} "  # noqa: S608
                "AND m.visitor_id = v.visitor_id AND m.entered_at <= v.started_at "
                "AND (m.left_at IS NULL OR m.left_at > v.started_at))"
            )
        first = (
            "SELECT MIN(id) AS id, MIN(started_at) AS at, visitor_id "  # noqa: S608 (names of our own)
            f"FROM {visits} v WHERE started_at >= %s AND started_at < %s{member} GROUP BY visitor_id"
        )
        if not self._scored:
            return Statement(_in_one_arm("f.at", "CAST(NULL AS double precision)", f"({first}) f"), given)
        scores = self._name(Score)
        earliest = (
            f"SELECT s.id FROM {scores} s WHERE s.session_id = f.id AND NOT s.shadow "  # noqa: S608 (the same)
            "ORDER BY s.moment, s.id LIMIT 1"
        )
        told = f"({first}) f JOIN {scores} t ON t.id = ({earliest}) AND t.moment < %s"
        return Statement(_in_one_arm("t.moment", "t.probability", told), [*given, self._until])


class PastEntries(Statements):
    """Visitors from given moments on; deeds are told up to `now`."""

    def __init__(self, entries: Sequence[Entry], *, since: datetime, until: datetime, now: datetime) -> None:
        super().__init__(None, since=since, until=until, now=now)
        self._entries = entries

    def _shown(self) -> Statement:
        if self.connection.vendor == "postgresql":
            columns: list[list[Any]] = [list(column) for column in zip(*self._entries, strict=True)] or [[], [], [], []]
            arrays = "%s::bigint[], %s::bigint[], %s::timestamptz[], %s::float8[]"
            words = f"unnest({arrays}) AS f(id, visitor_id, at, score)"
            return Statement(_in_one_arm("f.at", "f.score", words), columns)
        rows = [(visit, owner, self._moment(at), score) for visit, owner, at, score in self._entries]
        words = (
            "(SELECT json_extract(value, '$[0]') AS id, json_extract(value, '$[1]') AS visitor_id, "
            "json_extract(value, '$[2]') AS at, json_extract(value, '$[3]') AS score FROM json_each(%s)) f"
        )
        return Statement(_in_one_arm("f.at", "f.score", words), [json.dumps(rows)])


def _in_one_arm(at: str, score: str, source: str) -> str:
    return (
        f"SELECT f.id AS id, 0 AS arm_id, {at} AS at, {score} AS score, f.visitor_id AS visitor_id, "  # noqa: S608
        f"'' AS device, '' AS browser FROM {source}"
    )
