"""Lines on disk: each is there once it is said to be, and none that was refused."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from purchase_intent.tracking.sinks.spool import Spool, taken

if sys.platform == "win32":
    pytest.skip("there are no file locks and limits of this kind", allow_module_level=True)

import resource


def lines(folder: Path) -> list[bytes]:
    """What is in the spool, in order, leaving nothing behind."""
    found = b""
    with taken(folder) as files:
        for path in files:
            found += path.read_bytes()
            path.unlink()
    return found.splitlines()


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """Let no file of this process grow beyond so many bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_lines_come_back_in_their_order_and_once(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "deep" / "spool")
    assert (spool.size(), lines(spool.folder)) == (0, [])
    for word in (b"one", b"two"):
        spool.append(word)
    assert spool.size() == 8
    assert spool.folder.stat().st_mode & 0o777 == 0o700
    assert lines(spool.folder) == [b"one", b"two"]
    spool.append(b"three")
    assert lines(spool.folder) == [b"three"]
    assert lines(spool.folder) == []


def test_a_file_that_was_taken_is_written_no_more(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.append(b"one")
    with taken(tmp_path) as files:
        spool.append(b"two")
        assert [path.read_bytes() for path in files] == [b"one\n"]
        with taken(tmp_path) as others:
            assert others == []
    assert lines(tmp_path) == [b"one", b"two"]


def test_a_child_writes_a_file_of_its_own(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.append(b"parent")
    child = os.fork()
    if child == 0:
        spool.append(b"child")
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert len(list(tmp_path.glob("*.spool"))) == 2
    assert sorted(lines(tmp_path)) == [b"child", b"parent"]


def test_a_spool_that_is_full_refuses_and_takes_again_once_it_is_emptied(tmp_path: Path) -> None:
    spool = Spool(tmp_path, most=16)
    spool.append(b"0123456")
    spool.append(b"0123456")
    with pytest.raises(OSError, match="may not hold more") as refused:
        spool.append(b"x")
    assert refused.value.errno == errno.ENOSPC
    assert lines(tmp_path) == [b"0123456"] * 2
    spool.append(b"x")
    assert lines(tmp_path) == [b"x"]


def test_a_full_disk_leaves_no_half_of_a_line(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.append(b"one")
    with files_of_at_most(10):
        with pytest.raises(OSError, match=r"No space|too large"):
            spool.append(b"a line that is too long")
        spool.append(b"two")
    assert lines(tmp_path) == [b"one", b"two"]


def test_what_a_killed_process_was_told_is_there_is_there(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from purchase_intent.tracking.sinks.spool import Spool\n"
        "spool, number = Spool(Path(sys.argv[1])), 0\n"
        "while True:\n"
        "    spool.append(b'line %d' % number)\n"
        "    print(number, flush=True)\n"
        "    number += 1\n"
    )
    writer = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    for line in writer.stdout:
        if line == "20\n":
            break
    writer.send_signal(signal.SIGKILL)
    said = 21 + len(writer.stdout.read().splitlines())
    assert writer.wait() == -signal.SIGKILL
    writer.stdout.close()
    kept = lines(tmp_path)
    assert kept[:said] == [b"line %d" % number for number in range(said)]
    assert len(kept) <= said + 1
