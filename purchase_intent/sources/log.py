"""Open an event log: check it, stage it, sort it, and hand out batches."""

from __future__ import annotations

import math
import shutil
import tempfile
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from purchase_intent.exceptions import LogRefused, MissingExtra
from purchase_intent.sources.batches import Batch, Sorted, sort_events
from purchase_intent.sources.clock import LocalClock, milliseconds, moment
from purchase_intent.sources.facts import build_facts
from purchase_intent.sources.files import agreed_layout, first_line, open_files
from purchase_intent.sources.orders import order_view
from purchase_intent.sources.people import link_visitors
from purchase_intent.sources.rejects import rejected_counts, write_rejects
from purchase_intent.sources.sessions import assign_sessions, session_table
from purchase_intent.sources.staging import Stage, stage_files
from purchase_intent.sources.texts import text_view

if TYPE_CHECKING:
    import duckdb

__all__ = ["EventLog", "layout_zone", "open_log", "read_log"]

PREFIX = "intent-log-"


@dataclass
class EventLog:
    """A log that has been read, as a context manager: leaving it removes every trace from the disk.

    `layout` is the layout's name, `zone` the time zone of its local times; `rows` counts what was read, `accepted` what
    `batches` yields, `rejected` the rest by reason; `first` and `last` are the moments (UTC) of the first and last
    accepted event. `connection` holds the view `staged`, described in `docs/logs.md`, and the view `orders`.
    """

    connection: duckdb.DuckDBPyConnection
    layout: str
    zone: str
    rejected: dict[str, int]
    accepted: int
    first: datetime
    last: datetime
    stage: Stage = field(repr=False)
    clock: LocalClock = field(repr=False)
    memory: str
    folder: Path = field(repr=False)

    def __post_init__(self) -> None:
        # Also where the log is dropped without being closed, and at the end of the process.
        self._remove = weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the database and remove its folder; the log is of no use afterwards."""
        self.connection.close()
        self._remove()

    @property
    def rows(self) -> int:
        """Rows read: accepted and rejected."""
        return self.accepted + sum(self.rejected.values())

    @cached_property
    def sessions(self) -> int:
        """Sessions with at least one accepted event."""
        return self._count("SELECT count(*) FROM session_days")

    @cached_property
    def buying_sessions(self) -> int:
        """Sessions with at least one purchase."""
        return self._count("SELECT count(*) FROM session_days WHERE bought IS NOT NULL")

    @cached_property
    def visitors(self) -> int:
        """Visitors as the log names them; a person who logged in may be two."""
        return self._count("SELECT count(DISTINCT visitor) FROM stage WHERE reason IS NULL")

    @cached_property
    def orders(self) -> int:
        """Orders, each counted once however many lines it has."""
        return self._count("SELECT count(*) FROM orders")

    @cached_property
    def revenue(self) -> float:
        """Revenue summed over orders, in the shop's currency: exactly, so that it does not hang on their order."""
        return math.fsum(self.connection.execute("SELECT revenue FROM orders").fetchnumpy()["revenue"])

    @cached_property
    def events(self) -> Sorted:
        """The accepted events in order, sorted at the first call. Raises LogRefused where `memory` does not suffice."""
        with enough(self.memory):
            return sort_events(self.connection, self.stage, self.clock)

    def sort(self) -> None:
        """Have the table `sorted`, of the accepted events in order, on `connection`."""
        self.events  # noqa: B018 (worked out once)

    def batches(self, limit: int = 500_000, *, event_ids: bool = False) -> Iterator[Batch]:
        """Sorted events of whole persons, at most `limit` rows at a time (more where one person alone has more)."""
        if limit < 1:
            raise ValueError(f"limit must be at least 1, got {limit}")
        return self.events.batches(limit, event_ids=event_ids)

    def _count(self, query: str) -> int:
        return int(self.connection.execute(query).fetchall()[0][0])


def open_log(
    paths: Sequence[Path],
    *,
    layout: str | None = None,
    zone: str,
    until: datetime | None = None,
    rejects: Path | None = None,
    memory: str = "2GB",
    threads: int = 2,
    scratch: Path | None = None,
) -> EventLog:
    """Read `paths` as one log, in their order, into a database file in a folder of its own.

    `layout` is told from the columns where it is None. `zone` is the shop's IANA time zone (`layout_zone` knows it for
    some logs). `until` is an aware moment: only events before it are read. Rejected rows are written to the CSV file
    `rejects`. `memory` bounds the database, which spills to the folder, made under `scratch` (the system's temporary
    folder where None). Raises LogRefused where a path cannot be read as a log or holds no event that can be used, or
    `memory` does not suffice, and MissingExtra without DuckDB.
    """
    log = read_log(
        paths,
        layout=layout,
        zone=zone,
        until=until,
        rejects=rejects,
        memory=memory,
        threads=threads,
        scratch=scratch,
    )
    try:
        log.sort()
    except BaseException:
        log.close()
        raise
    return log


def read_log(
    paths: Sequence[Path],
    *,
    layout: str | None = None,
    zone: str,
    until: datetime | None = None,
    rejects: Path | None = None,
    memory: str = "2GB",
    threads: int = 2,
    scratch: Path | None = None,
) -> EventLog:
    """What `open_log` does before it sorts: the table `sorted` is there once `batches` is called."""
    shop_zone = zone_named(zone)
    if until is not None and until.tzinfo is None:
        raise LogRefused("until: give a moment with its time zone", field="until")
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=scratch))
    try:
        connection = connect(folder, memory=memory, threads=threads)
        try:
            with enough(memory):
                files = open_files(connection, paths)
                end = None if until is None else milliseconds(until)
                stage = stage_files(connection, agreed_layout(files, layout), files, folder, until=end)
                return finished_log(stage, shop_zone, rejects, memory)
        except BaseException:
            connection.close()
            raise
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def layout_zone(paths: Sequence[Path]) -> str | None:
    """The time zone that goes with the layout of a log: known where one shop alone writes it, else None.

    Raises LogRefused where a path is no log.
    """
    with tempfile.TemporaryDirectory(prefix=PREFIX) as folder:
        connection = connect(Path(folder), memory="256MB", threads=1)
        try:
            return agreed_layout(open_files(connection, paths), None).zone
        finally:
            connection.close()


@contextmanager
def enough(memory: str) -> Iterator[None]:
    """Name the remedy where the database runs out of memory, or of disk to spill to."""
    import duckdb

    try:
        yield
    except duckdb.OutOfMemoryException as error:
        raise LogRefused(
            f"memory: {memory} and the scratch folder do not hold this log ({first_line(error)}); give more of either",
            memory=memory,
        ) from error


def finished_log(stage: Stage, zone: ZoneInfo, rejects: Path | None, memory: str) -> EventLog:
    """Everything between the reading and the sort: rejects, sessions, people, facts."""
    connection = stage.connection
    rejected = rejected_counts(stage)
    if rejects is not None:
        write_rejects(stage, rejects)
    accepted = stage.count("stage WHERE reason IS NULL")
    if not accepted:
        names = ", ".join(str(file.path) for file in stage.files)
        why = ", ".join(f"{reason} {count}" for reason, count in rejected.items()) or "all of them lie after `until`"
        raise LogRefused(f"{names}: no event can be used ({why}); see docs/logs.md for what an event needs", path=names)
    first, last = connection.execute("SELECT min(time), max(time) FROM stage WHERE reason IS NULL").fetchall()[0]
    clock = LocalClock.of(zone, first, last)
    assign_sessions(connection)
    session_table(connection, clock)
    link_visitors(connection)
    build_facts(connection, clock.day_sql("time"))
    order_view(connection, has_ids=stage.has("order_id"), has_revenue=stage.has("revenue"))
    text_view(stage)
    return EventLog(
        connection=connection,
        layout=stage.layout.name,
        zone=zone.key,
        rejected=rejected,
        accepted=accepted,
        first=moment(first),
        last=moment(last),
        stage=stage,
        clock=clock,
        memory=memory,
        folder=stage.folder,
    )


def connect(folder: Path, *, memory: str, threads: int) -> duckdb.DuckDBPyConnection:
    """A database of its own in `folder`, which needs no network."""
    try:
        import duckdb
    except ImportError as error:
        raise MissingExtra(extra="train", package="duckdb") from error
    connection = duckdb.connect(
        ":memory:",  # three times as fast as a database file: what does not fit spills, uncompressed
        config={
            "memory_limit": memory,
            "threads": threads,
            "temp_directory": str(folder),
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        },
    )
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET enable_progress_bar = false")  # it would write over what the command says
    return connection


def zone_named(name: str) -> ZoneInfo:
    """The IANA zone of that name."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise LogRefused(f"zone: {name!r} is no IANA time zone; write one like 'Europe/Berlin'", zone=name) from error
