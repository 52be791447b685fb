"""A log in words, in the order of its batches: what is needed to write it into a database."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from purchase_intent.events.names import EventName
from purchase_intent.events.reasons import LONGEST_TEXT, Reason
from purchase_intent.sources.log import EventLog
from purchase_intent.sources.rejects import REJECT_COLUMNS
from purchase_intent.sources.texts import TEXTS

__all__ = ["tell", "write_unfit"]

PURCHASE = EventName.PURCHASE.value
SPOKEN = ("product", "category", "brand")
SHOWN = ("search", "device", "channel", "country")
# What a log of its own accord calls nothing is named by what it says, and by which of its equals it is, so that the
# name is the same in whatever files and order the log is given.
SAME = "t.visitor, t.session, s.time, s.kind, s.page, t.product, t.category, t.brand, t.price, t.quantity"


def tell(log: EventLog) -> None:
    """Create `told`, the fit rows in the order of `batches`, `told_orders`, and `unfit` for the rows left out."""
    connection = log.connection
    columns = {row[0] for row in connection.execute("DESCRIBE stage").fetchall()}
    session = "coalesce(t.session, 'v-' || md5(t.visitor) || '-' || began.time)"
    event_id = "t.event_id"
    if "event_id" not in columns:
        nth = f"row_number() OVER (PARTITION BY {SAME} ORDER BY s.row) - 1"
        event_id = f"md5(concat_ws('{chr(31)}', {SAME})) || '-' || ({nth})"
    order = "coalesce(t.order_id, '')"
    if "order_key" not in columns:
        order = f"CASE WHEN s.kind = {PURCHASE} THEN 'o-' || md5(concat_ws('{chr(31)}', t.visitor, {session}, "
        order += "s.time // 1000)) ELSE '' END"
    connection.execute(
        f"""CREATE TABLE spoken AS
        SELECT s.row, s.time, s.kind, s.page, t.visitor, {session} AS session, {event_id} AS event_id,
            {", ".join(f"coalesce(t.{name}, '') AS {name}" for name in SPOKEN)}, t.price, t.quantity,
            {order} AS order_id, t.revenue, {", ".join(f"coalesce(t.{name}, '') AS {name}" for name in SHOWN)}
        FROM (SELECT *, rowid AS place FROM sorted) AS s JOIN texts AS t USING (row)
        JOIN (SELECT session, min(time) AS time FROM sorted GROUP BY session) AS began ON began.session = s.session
        ORDER BY s.place"""
    )
    texts = ("visitor", "session", "event_id", *SPOKEN, "order_id", *SHOWN)
    fit = f"greatest({', '.join(f'length({name})' for name in texts)}) <= {LONGEST_TEXT}"
    fit += f" AND NOT regexp_matches(concat_ws('', {', '.join(texts)}), '\\p{{Cc}}')"
    connection.execute(f"CREATE TABLE told AS SELECT * FROM spoken WHERE {fit} ORDER BY rowid")
    connection.execute(f"CREATE TABLE unfit AS SELECT row, {', '.join(texts)} FROM spoken WHERE NOT ({fit})")
    connection.execute("DROP TABLE spoken")
    total_orders(log, has_revenue="revenue" in columns)


def total_orders(log: EventLog, *, has_revenue: bool) -> None:
    """Create `told_orders` (number, visitor, session, time, revenue); a log without totals gets them on its lines."""
    line = "coalesce(price, 0) * greatest(coalesce(quantity, 1), 1)"
    revenue = "coalesce(max(revenue), 0)" if has_revenue else f"fsum({line} ORDER BY row)"
    log.connection.execute(
        f"""CREATE TABLE told_orders AS SELECT order_id, arg_min(visitor, row) AS visitor,
            arg_min(session, row) AS session, min(time) AS time, {revenue} AS revenue
        FROM told WHERE kind = {PURCHASE} GROUP BY order_id ORDER BY min(row)"""
    )
    if not has_revenue:
        log.connection.execute(
            f"""UPDATE told SET revenue = told_orders.revenue FROM told_orders
            WHERE told_orders.order_id = told.order_id AND told.kind = {PURCHASE}"""
        )


def write_unfit(log: EventLog, paths: Sequence[Path], rejects: Path | None) -> int:
    """Add the rows of `unfit`, of the log in `paths`, to the rejects file; how many there are."""
    query = "SELECT staged.source, to_json(unfit), unfit.* FROM unfit JOIN staged USING (row) ORDER BY row"
    cursor = log.connection.execute(query)
    names = [column[0] for column in cursor.description or []][3:]
    found = cursor.fetchall()
    if found and rejects is not None:
        new = not rejects.exists()
        rejects.parent.mkdir(parents=True, exist_ok=True)
        with rejects.open("a", encoding="utf-8", newline="") as out:
            writer = csv.writer(out)
            if new:
                writer.writerow(REJECT_COLUMNS)
            for source, content, row, *texts in found:
                name, text = next(pair for pair in zip(names, texts, strict=True) if is_unfit(pair[1]))
                column = TEXTS[name]
                writer.writerow((paths[source], "row", row, str(Reason.BAD_TEXT), column, text, content))
    return len(found)


def is_unfit(text: str) -> bool:
    """Whether a text is too long or holds a control character."""
    return len(text) > LONGEST_TEXT or any(ord(letter) < 32 or 127 <= ord(letter) < 160 for letter in text)
