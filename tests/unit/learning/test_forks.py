"""What a process remembers of learners, and what its children may do; real forks are in the tests of scoring."""

from __future__ import annotations

import pytest

from purchase_intent.exceptions import ForkedTooLate
from purchase_intent.learning import forks


@pytest.fixture(autouse=True)
def fresh_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remember nothing, with one thread for each learner, as a process that serves."""
    monkeypatch.setattr(forks, "_process", forks._Process())
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


def test_a_child_of_a_process_that_called_no_learner_may_call_one() -> None:
    forks.loading()
    forks._after_fork()
    forks.loading()
    forks.calling()
    assert forks.forked_too_late() is False


def test_a_child_of_a_process_that_called_one_may_neither_load_nor_call() -> None:
    forks.calling()
    assert forks.forked_too_late() is False, "the parent itself goes on"
    forks.calling()
    forks._after_fork()
    assert forks.forked_too_late() is True
    for refused in (forks.calling, forks.loading):
        with pytest.raises(ForkedTooLate):
            refused()


def test_a_grandchild_may_not_either() -> None:
    forks.calling()
    forks._after_fork()
    forks._after_fork()
    with pytest.raises(ForkedTooLate):
        forks.calling()


@pytest.mark.parametrize("threads", ["2", None], ids=["two threads", "threads unset"])
def test_with_several_threads_loading_is_calling(threads: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    if threads is None:
        monkeypatch.delenv("OMP_NUM_THREADS")
    else:
        monkeypatch.setenv("OMP_NUM_THREADS", threads)
    forks.loading()
    forks._after_fork()
    with pytest.raises(ForkedTooLate):
        forks.loading()
