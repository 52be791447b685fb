"""The stream on a Redis or Valkey server: its keys, and what is done there in one go.

Beside the stream, each session has a list of its entries that are not recorded yet, so that a score can count them in,
and a snapshot of what the drain has made of the others; and a cookie that is out of date has a note of what it must
hold. All keys share one hash tag, so that a cluster keeps
them together.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from threading import local
from typing import Any, Final, NamedTuple

from purchase_intent.exceptions import MissingExtra
from purchase_intent.tracking.sinks import scripts

__all__ = [
    "BYTES",
    "FIELD",
    "GROUP",
    "LEASE",
    "MOST_BYTES",
    "STREAM",
    "Standing",
    "Wire",
    "live_key",
    "moved_key",
    "said_key",
    "tail_key",
    "weaknesses",
    "wire_to",
]

STREAM: Final = "{purchase-intent}:stream"
GROUP: Final = "drain"
FIELD: Final = b"l"
"""The one field of an entry: its line."""
BYTES: Final = "{purchase-intent}:bytes"
"""How many bytes of lines the stream holds."""
LEASE: Final = "{purchase-intent}:lease"
"""Who drains."""
ERA: Final = "{purchase-intent}:era"
"""A number; a snapshot of an earlier one counts no more."""

MOST_BYTES: Final = 256 * 2**20
"""Of lines in the stream; what comes beyond is refused, and nothing that waits is ever cut off."""
KEPT: Final = 24 * 3600
"""Seconds for which a session's list of entries is kept without a new one."""
SHOWN: Final = 30 * 60
"""Seconds for which a snapshot of a session is kept: so long a visit may pause."""
NOTED: Final = 2 * 3600
"""Seconds for which a note of what a cookie must hold is kept."""
TIMEOUT: Final = 0.25
"""Seconds for a connection, and for an answer."""
PATIENT: Final = 30.0
"""The same where no page waits."""

_FIRST: Final = b"0"


class Done(NamedTuple):
    """An entry that is dealt with: recorded, or a dead letter. `moved` is what its sender's cookie must hold."""

    id: bytes
    size: int
    tail: str
    moved: tuple[str, str] | None = None


class Standing(NamedTuple):
    """What a session has told: the snapshot of what is recorded, if there is one, and the lines that wait, in order.

    Or instead of all that the `answer` which is kept for it. `digest` is what an answer for it is kept by.
    """

    snapshot: bytes | None
    lines: list[bytes]
    answer: bytes | None = None
    digest: bytes = b""


class Wire:
    """One process's connections to the server: of pages, which wait for a quarter of a second, or of a drain."""

    def __init__(self, url: str, *, timeout: float) -> None:
        redis = _redis()
        self.faults: tuple[type[Exception], ...] = (redis.RedisError, OSError)
        self._unknown, self._refused = redis.exceptions.NoScriptError, redis.ResponseError
        self._cut = redis.ConnectionError
        # One attempt: a page has other places for its events, and a drain begins again.
        once = redis.retry.Retry(redis.backoff.NoBackoff(), 0)
        self.client = redis.Redis.from_url(
            url, socket_timeout=timeout, socket_connect_timeout=timeout, retry=once, protocol=2
        )
        self._own, self._full = local(), redis.exceptions.OutOfMemoryError
        script = self.client.register_script
        self._add, self._standing = script(scripts.ADD), script(scripts.STANDING)
        self._hold, self._let_go = script(scripts.HOLD), script(scripts.LET_GO)
        self._make_group, self._begin_era = script(scripts.MAKE_GROUP), script(scripts.BEGIN_ERA)
        self._finish, self._finish_full = script(scripts.FINISH), script(scripts.FINISH_FULL)

    def add(self, line: bytes, *, tail: str, moved: str) -> bytes | None:
        """Add an entry; the note of what its sender's cookie must hold, if there is one. Raises one of `faults`."""
        note: bytes | None = self._run(self._add, (STREAM, tail, moved, BYTES), (line, str(MOST_BYTES), str(KEPT)))
        return note

    def _run(self, script: Any, keys: Sequence[str], args: Sequence[bytes | str] = ()) -> Any:
        """The answer of a script: of a client that packs and hands out connections it costs a page twice as much."""
        command = _packed(script.sha, keys, args)
        try:
            try:
                return self._asked(command)
            except self._cut:
                # Of a server that has been started anew since: what it has taken all the same counts once.
                return self._asked(command)
        except self._unknown:
            return script(keys=keys, args=args)

    def _asked(self, command: bytes) -> Any:
        """The answer to a command on the thread's own connection."""
        connection = self._connection()
        before, self._own.later = self._own.later, b""
        try:
            connection.send_packed_command([before + command])
            if before:
                with suppress(self._refused):  # a server that is full: the answer is not kept
                    connection.read_response()
            return connection.read_response()
        except self._refused:
            raise
        except BaseException:
            # Half an answer may wait on it: nobody must read that as the next one's.
            connection.disconnect()
            raise

    def _connection(self) -> Any:
        """The thread's own connection: a client that hands out connections costs a page as much as the rest."""
        if getattr(self._own, "pid", 0) != os.getpid():
            pool = self.client.connection_pool
            self._own.pid, self._own.connection = os.getpid(), pool.connection_class(**pool.connection_kwargs)
            self._own.later = b""
        return self._own.connection

    def standing(self, tail: str, live: str, said: str, *, mark: str = "") -> Standing:
        """What a session has told, as of one moment, or what is kept for it under that mark. Raises one of `faults`."""
        snapshot, answer, *lines = self._run(self._standing, (STREAM, tail, live, ERA, said), (mark,))
        if snapshot is None:
            return Standing(None, lines, answer)
        digest = hashlib.sha1(b"".join((snapshot, *lines)), usedforsecurity=False).hexdigest().encode()
        return Standing(snapshot.partition(b" ")[2], lines, digest=digest)

    def keep(self, said: str, answer: bytes) -> None:
        """Keep an answer, with the digest and mark before it, for as long as a visit may pause.

        It goes with what this thread sends next, so that nobody waits for it; what never goes is worked out again.
        """
        self._own.later = _command(b"SET", said, answer, b"EX", str(SHOWN))

    def era(self) -> bytes:
        """The era to be named with the snapshots of what is read from now on."""
        found: bytes | None = self.client.get(ERA)
        return found or _FIRST

    def begin_era(self) -> None:
        """Have no snapshot count that was taken until now. Raises one of `faults`."""
        self._begin_era(keys=[ERA])

    def drop(self, live: Iterable[str]) -> None:
        """Drop snapshots. Raises one of `faults`."""
        if keys := [*live]:
            self.client.delete(*keys)

    def make_group(self) -> None:
        """Have the group of those who drain, and the stream. Raises one of `faults`."""
        try:
            self._make_group(keys=[STREAM], args=[GROUP])
        except self._refused as error:
            if "BUSYGROUP" not in str(error):
                raise

    def hold(self, token: str, *, seconds: float) -> bool:
        """Take or renew the lease for so long; False where somebody else has it."""
        return bool(self._hold(keys=[LEASE], args=[token, int(seconds * 1000)]))

    def let_go(self, token: str) -> None:
        """Give the lease back."""
        self._let_go(keys=[LEASE], args=[token])

    def forgive(self, consumer: str, ids: list[bytes]) -> None:
        """Have entries that were delivered count as never delivered."""
        if ids:
            self.client.xclaim(STREAM, GROUP, consumer, 0, ids, retrycount=0, justid=True)

    def finish(self, done: list[Done], live: Mapping[str, bytes | None] | None = None, *, era: bytes = b"") -> None:
        """Acknowledge entries and take them out of the stream, and replace or drop snapshots: all or none.

        On a server that is full snapshots are dropped: room is what it needs.
        """
        if not done:
            return
        notes = dict(each.moved for each in done if each.moved is not None)
        given = {key: b"" if data is None else b"%b %b" % (era, data) for key, data in (live or {}).items()}
        keys = [STREAM, BYTES, *(each.tail for each in done), *notes, *given]
        args = [len(done), len(notes), GROUP, NOTED, SHOWN, *(each.id for each in done), *(each.size for each in done)]
        try:
            self._finish(keys=keys, args=[*args, *notes.values(), *given.values()])
        except self._full:
            self._finish_full(keys=keys, args=[*args, *notes.values(), *(b"" for _ in given)])


def weaknesses(wire: Wire) -> list[str]:
    """Why what the server has accepted may be lost, or refused; nothing for one that keeps it."""
    try:
        kept, memory = wire.client.info("persistence"), wire.client.info("memory")
    except wire.faults as error:
        return [f"does not answer ({type(error).__name__})"]
    found = [] if kept.get("aof_enabled") else ["keeps no append-only file: what it has accepted is gone with it"]
    policy = memory.get("maxmemory_policy", "noeviction")
    return found if policy == "noeviction" else [*found, f"throws events away when it is full ({policy})"]


def tail_key(site: str, session: str) -> str:
    """Where the ids of a session's waiting entries are."""
    return f"{{purchase-intent}}:tail:{site}:{session}"


def live_key(site: str, session: str) -> str:
    """Where the snapshot of a session is."""
    return f"{{purchase-intent}}:live:{site}:{session}"


def said_key(site: str, session: str) -> str:
    """Where the answer is that was given for a session."""
    return f"{{purchase-intent}}:said:{site}:{session}"


def moved_key(site: str, visitor: str, session: str) -> str:
    """Where it is noted what a cookie must hold that holds these."""
    return f"{{purchase-intent}}:moved:{site}:{visitor}:{session}"


@lru_cache(maxsize=8)
def wire_to(url: str, *, patient: bool = False) -> Wire:
    """The process's connections to a server."""
    return Wire(url, timeout=PATIENT if patient else TIMEOUT)


def _packed(sha: str, keys: Sequence[str], args: Sequence[bytes | str]) -> bytes:
    """EVALSHA as it goes over the wire."""
    return _command(b"EVALSHA", sha, str(len(keys)), *keys, *args)


def _command(*words: bytes | str) -> bytes:
    """A command as it goes over the wire."""
    told = [word.encode() if isinstance(word, str) else word for word in words]
    return b"*%d\r\n%b" % (len(told), b"".join([b"$%d\r\n%b\r\n" % (len(word), word) for word in told]))


def _redis() -> Any:
    try:
        import redis
        import redis.backoff
        import redis.exceptions
        import redis.retry
    except ModuleNotFoundError as missing:
        raise MissingExtra(extra="stream", package="redis") from missing
    return redis
