"""A worker's thread: it moves, it ends, and a failure is kept."""

from __future__ import annotations

from threading import Event

from edge.workers.thread import WorkerThread


class Steps:
    def __init__(self, count: int, failure: BaseException | None = None) -> None:
        self.left = count
        self.failure = failure

    def step(self) -> bool:
        self.left -= 1
        if self.left < 0 and self.failure is not None:
            raise self.failure
        return self.left >= 0


def test_it_steps_until_there_are_no_more_and_says_so() -> None:
    steps, ended = Steps(3), Event()
    thread = WorkerThread("w", steps, ended.set)
    thread.start()
    assert ended.wait(30)
    thread.join()
    assert (steps.left, thread.failure) == (-1, None)
    assert thread.moved_within(10**18, 0.0), "one that ended as it should is not stuck"


def test_a_failure_ends_it_is_kept_and_said() -> None:
    for failure in (ZeroDivisionError("oh"), SystemExit(3)):
        ended = Event()
        thread = WorkerThread("w", Steps(1, failure), ended.set)
        thread.start()
        assert ended.wait(30)
        thread.join()
        assert thread.failure is failure
        assert not thread.moved_within(thread.moved_ns + 2 * 10**9, 1.0)


def test_one_that_does_not_move_is_noticed() -> None:
    inside, go_on = Event(), Event()

    class Stuck:
        def step(self) -> bool:
            inside.set()
            go_on.wait(30)
            return False

    thread = WorkerThread("w", Stuck(), lambda: None)
    assert thread.moved_within(10**18, 0.0), "one that has not begun cannot be stuck"
    thread.start()
    assert inside.wait(30)
    assert thread.moved_within(thread.moved_ns + 999_999_999, 1.0)
    assert not thread.moved_within(thread.moved_ns + 1_000_000_001, 1.0)
    go_on.set()
    thread.join()
