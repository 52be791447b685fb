"""Catalogue days counted from a log: the same counts, by the same local days, as the facts of the log's own events."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

from purchase_intent.models import CatalogueDay, Subject
from purchase_intent.models.catalogue_day import COUNTS as WRITTEN
from purchase_intent.sources.facts import COUNTS
from purchase_intent.sources.orm import StoredLog

__all__ = ["freeze_days"]

EPOCH: Final = date(1970, 1, 1)


def freeze_days(stored: StoredLog, *, before: date) -> int:
    """Write the counts of every local day of the log before the day `before`; how many rows differed.

    A day still going on is left out: its counts would change under the scores that use them.
    """
    count_days(stored)
    return sum(write_day(day, rows) for day, rows in counted_days(stored) if day < before)


def count_days(stored: StoredLog) -> None:
    """Create `counted`: day (since 1970), subject, key and the counts."""
    connection, clock = stored.log.connection, stored.log.clock
    connection.execute(
        f"""CREATE TABLE daily_events AS SELECT {clock.day_sql("stage.time")} AS day, kind, stage.price AS price,
            product_id, category_code
        FROM stage JOIN read_parquet(?, file_row_number = true) AS events ON events.file_row_number = stage.rowid
        WHERE reason IS NULL""",
        [str(stored.path)],
    )
    parts = [
        f"""SELECT day, '{subject.value}' AS subject, {column} AS key, {COUNTS}, 0 AS sessions, 0 AS buyers
        FROM daily_events WHERE {column} <> '' GROUP BY day, {column}"""
        for subject, column in ((Subject.PRODUCT, "product_id"), (Subject.CATEGORY, "category_code"))
    ]
    parts.append(
        f"""SELECT day, '{Subject.SHOP.value}', '', {COUNTS},
            (SELECT count(*) FROM session_days WHERE began = day),
            (SELECT count(*) FROM session_days WHERE bought = day)
        FROM daily_events GROUP BY day"""
    )
    connection.execute(f"CREATE TABLE counted AS {' UNION ALL '.join(parts)}")
    connection.execute("DROP TABLE daily_events")


def counted_days(stored: StoredLog) -> Iterator[tuple[date, list[tuple[Any, ...]]]]:
    """The rows of `counted`, one day at a time."""
    cursor = stored.log.connection.cursor()
    cursor.execute(f"SELECT day, subject, key, {', '.join(WRITTEN)} FROM counted ORDER BY day, subject, key")
    rows = iter(cursor.fetchone, None)
    for day, found in groupby(rows, key=itemgetter(0)):
        yield EPOCH + timedelta(days=day), list(found)


def write_day(day: date, rows: list[tuple[Any, ...]]) -> int:
    """Bring the rows of one day up to date; how many differed."""
    counted = {(subject, key): tuple(map(int, counts)) for _, subject, key, *counts in rows}
    return CatalogueDay.objects.write(day, counted)
