"""Lines on disk, for while the database is gone: written through to the device before they count, in bounded files.

Each process appends to a file of its own, and whoever replays the spool takes files away from their writers: both hold
a file's lock while they do. So one folder serves all processes of a machine.
"""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Final

try:
    import fcntl
except ModuleNotFoundError:  # Windows has no such locks: there, replay while no page is served
    fcntl = None  # type: ignore[assignment]

__all__ = ["MOST_BYTES", "Spool", "spool_in", "taken"]

MOST_BYTES: Final = 256 * 2**20
"""Of all files in the folder together; what comes beyond is refused."""

_OPEN: Final = ".spool"
_TAKEN: Final = ".taken"


class Spool:
    """The writing end, safe between threads and after a fork."""

    def __init__(self, folder: Path, *, most: int = MOST_BYTES) -> None:
        self.folder, self.most = folder, most
        self._lock = Lock()
        self._pid, self._file, self._path = 0, -1, folder

    def append(self, line: bytes) -> None:
        """Add one line and its end, on the device when this returns. Raises OSError, with nothing added."""
        with self._lock, self._held() as file:
            if self.size() + len(line) >= self.most:
                raise OSError(errno.ENOSPC, f"the spool holds {self.most:,} bytes, and may not hold more")
            size = os.fstat(file).st_size
            try:
                if os.write(file, line + b"\n") != len(line) + 1:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                os.fsync(file)
            except OSError:
                with suppress(OSError):
                    os.ftruncate(file, size)
                raise

    def size(self) -> int:
        """Bytes in the folder: what is being written, and what has been taken and is not yet recorded."""
        with suppress(FileNotFoundError), os.scandir(self.folder) as found:
            return sum(entry.stat().st_size for entry in found if entry.name.endswith((_OPEN, _TAKEN)))
        return 0

    @contextmanager
    def _held(self) -> Iterator[int]:
        """The process's file, locked and still in its place: a new one where it was taken meanwhile."""
        if self._pid != os.getpid():
            self._pid, self._file = os.getpid(), -1  # a child writes a file of its own
        while True:
            if self._file < 0:
                self._open()
            _lock(self._file)
            try:
                if self._is_in_place():
                    yield self._file
                    return
            finally:
                _unlock(self._file)
            os.close(self._file)
            self._file = -1

    def _open(self) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path = self.folder / f"{self._pid}-{secrets.token_hex(6)}{_OPEN}"
        self._file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o600)
        _sync_folder(self.folder)

    def _is_in_place(self) -> bool:
        with suppress(FileNotFoundError):
            return os.path.samestat(os.fstat(self._file), self._path.stat())
        return False


@lru_cache(maxsize=8)
def spool_in(folder: str) -> Spool:
    """The process's spool in a folder."""
    return Spool(Path(folder))


@contextmanager
def taken(folder: Path) -> Iterator[list[Path]]:
    """The spool's files, the oldest first, none of which is written any more; none where another replays them.

    A file that is recorded is for the caller to delete; the rest comes again.
    """
    if not folder.is_dir():
        yield []
        return
    with (folder / "replay.lock").open("ab") as alone:
        try:
            _lock(alone.fileno(), wait=False)
        except BlockingIOError:
            yield []
            return
        for path in folder.glob(f"*{_OPEN}"):
            with path.open("rb") as file:
                _lock(file.fileno())
                path.rename(path.with_suffix(_TAKEN))
        found = [(path.stat().st_mtime_ns, path) for path in folder.glob(f"*{_TAKEN}")]
        yield [path for _, path in sorted(found)]


def _lock(file: int, *, wait: bool = True) -> None:
    if fcntl is not None:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))


def _unlock(file: int) -> None:
    if fcntl is not None:
        fcntl.flock(file, fcntl.LOCK_UN)


def _sync_folder(folder: Path) -> None:
    """Have a new file's name on the device too, where folders can be written through."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
