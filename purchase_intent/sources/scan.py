"""SQL that reads one file into texts, times and numbers, each with a flag for what could not be understood."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from purchase_intent.sources.files import LogFile, refused
from purchase_intent.sources.layouts import SOURCE_OF_KEY, Layout, kind_sql, quoted
from purchase_intent.sources.lines import PlainText

__all__ = ["NUMBERS", "Scan"]

NUMBERS = ("price", "quantity", "revenue")
ZONED = r"'\d\d:\d\d.*([Zz]|UTC|[+-]\d\d(:?\d\d)?)$'"


@dataclass(frozen=True, slots=True)
class Scan:
    """How to read `file` in `layout`, from `path`; `text` is set for CSV."""

    layout: Layout
    file: LogFile
    path: Path
    text: PlainText | None

    def has(self, column: str) -> bool:
        """Whether the file has the column and the layout reads it."""
        return column in self.file.types and column in self.layout.columns

    def rows(self) -> str:
        """The table function over the file's raw columns."""
        if self.text is None:
            return f"read_parquet({quoted(str(self.path))})"
        columns = ", ".join(f"'c{position}': 'VARCHAR'" for position in range(len(self.file.types)))
        return f"""read_csv({quoted(str(self.path))}, auto_detect=false, header={self.text.header},
            delim={quoted(self.text.separator)}, quote='', escape='', strict_mode=true, new_line='\\n',
            compression='none', store_rejects=true, rejects_limit=0, columns={{{columns}}})"""

    def parsed(self) -> str:
        """SELECT of one row a line, columns as `staging` names them."""
        keys = [f"{self.string(source)} AS {key}_text" for key, source in SOURCE_OF_KEY.items() if self.has(source)]
        page = self.string(self.layout.page_column) if self.layout.page_column else "NULL::VARCHAR"
        columns = [
            f"{self.string('event_id')} AS event_id",
            f"{self.string('user_id')} AS visitor_text",
            f"{self.string('user_session')} AS session_text",
            f"{self.string('order_id')} AS order_text",
            f"{page} AS page_text",
            *keys,
            f"{kind_sql(self.string('event_type'))} AS kind",
            *self.time(),
            *(part for name in NUMBERS if self.has(name) for part in self.number(name)),
        ]
        return f"SELECT {', '.join(columns)} FROM {self.rows()}"

    def string(self, name: str) -> str:
        """A text, NULL where it is missing or empty."""
        if not self.has(name):
            return "NULL::VARCHAR"
        column = self.file.column(name)
        if not self.file.parquet:
            return column  # the reader has made empty values NULL
        return f"nullif({column}::VARCHAR, '')"

    def number(self, name: str) -> tuple[str, str]:
        """A number, and whether one was given."""
        column = self.string(name)
        if self.file.types[name] != "VARCHAR":
            column = self.file.column(name)
        return f"try_cast({column} AS DOUBLE) AS {name}", f"{column} IS NOT NULL AS {name}_given"

    def time(self) -> tuple[str, str, str]:
        """Milliseconds UTC with the flags `time_given` and `time_naive`."""
        kind, column = self.file.types["event_time"], self.file.column("event_time")
        given = f"{self.string('event_time')} IS NOT NULL AS time_given"
        if kind == "VARCHAR":
            usual = f"try_strptime({column}, '%Y-%m-%d %H:%M:%S UTC')"
            zoned = "true" if self.layout.utc else f"ends_with({column}, ' UTC') OR regexp_matches({column}, {ZONED})"
            # The usual form is tried first because it is twice as fast as the general cast.
            time = f"coalesce(epoch_ms({usual}), epoch_ms(try_cast({column} AS TIMESTAMPTZ)))"
            return f"{time} AS time", given, f"NOT ({zoned}) AS time_naive"
        if not kind.startswith("TIMESTAMP"):
            raise refused(
                self.file.path,
                f"column event_time is of type {kind}; write timestamps with a time zone, or ISO 8601 text with one",
                column="event_time",
            )
        if "WITH TIME ZONE" not in kind and not self.layout.utc:
            raise refused(
                self.file.path,
                "column event_time is a timestamp without time zone; write it with one (UTC)",
                column="event_time",
            )
        return f"epoch_ms({column}::TIMESTAMPTZ) AS time", given, "false AS time_naive"
