import threading

import pytest

from camera.source import CameraError
from camera.supervised import Backoff, NewestFeed, Supervisor, WaitingFeed
from tests.simulators.camera import HandClock, ScriptedSource, frame

GONE = CameraError("the camera is gone", "plug it in")


def supervisor(source, feed=None, clock=None) -> Supervisor:
    return Supervisor(source, feed or NewestFeed(), clock or HandClock())


def test_pictures_reach_the_feed_in_order_and_the_end_ends_it():
    feed = WaitingFeed(room=5)
    watched = supervisor(ScriptedSource([frame(1), frame(2)], live=False), feed)
    assert [watched.step() for _ in range(4)] == [0.0, 0.0, 0.0, None]
    assert [got.number for got in iter(lambda: feed.get(0), None)] == [1, 2]
    assert feed.ended


def test_a_camera_that_is_not_there_is_tried_again_with_growing_waits():
    source = ScriptedSource(openings=[GONE] * 8)
    watched = supervisor(source)
    waits = [watched.step() for _ in range(8)]
    assert waits == [0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 5.0]
    assert watched.check(0) == "the camera is gone (plug it in)"
    assert watched.losses == 0


def test_waits_begin_anew_after_a_picture():
    watched = supervisor(ScriptedSource([GONE, GONE, frame(1), GONE]))
    waits = [watched.step() for _ in range(8)]
    assert waits == [0.0, 0.2, 0.0, 0.4, 0.0, 0.0, 0.2, 0.0]
    assert watched.losses == 1


def test_down_lasts_until_a_picture_comes_not_until_it_opens():
    watched = supervisor(ScriptedSource([frame(1), GONE, frame(2)]))
    told = []
    for _ in range(5):
        watched.step()
        told.append(watched.check(0) is None)
    assert told == [True, True, False, False, True]


def test_a_lost_source_is_closed_before_it_is_opened_again():
    source = ScriptedSource([frame(1), GONE, frame(2)])
    watched = supervisor(source)
    for _ in range(5):
        watched.step()
    assert (source.opened, source.closed) == (2, 1)


@pytest.mark.parametrize("failure", [OSError("bus"), ValueError("shape"), RuntimeError("driver")])
def test_whatever_a_driver_raises_the_camera_is_only_down(failure):
    watched = supervisor(ScriptedSource([failure]))
    watched.step()
    assert watched.step() == 0.2
    assert str(failure) in (watched.check(0) or "")


def test_a_reading_that_hangs_is_seen_from_another_thread_within_two_seconds():
    clock, hang, inside = HandClock(), threading.Event(), threading.Event()

    def hanging():
        inside.set()
        hang.wait(30)
        return frame(2)

    feed = NewestFeed()
    watched = supervisor(ScriptedSource([frame(1), hanging]), feed, clock)
    watched.start()
    assert inside.wait(20)
    assert watched.check(clock.now_ns) is None
    clock.move(1.4)
    assert watched.check(clock.now_ns) is None
    clock.move(0.5)
    assert watched.check(clock.now_ns) == "the camera has given no picture for 2 s"
    assert feed.get(20) is not None
    hang.set()
    got = feed.get(20)
    assert got is not None
    assert got.number == 2
    watched.close()


def test_a_camera_has_a_little_longer_for_its_first_picture():
    clock, hang, inside = HandClock(), threading.Event(), threading.Event()

    def slow_opening():
        inside.set()
        hang.wait(30)

    watched = supervisor(ScriptedSource(openings=[slow_opening]), clock=clock)
    watched.start()
    assert inside.wait(20)
    clock.move(3)
    assert watched.check(clock.now_ns) is None
    clock.move(3)
    assert watched.check(clock.now_ns) is not None
    hang.set()
    watched.close()


def test_a_folder_on_a_slow_disc_is_not_called_stalled():
    clock, hang, inside = HandClock(), threading.Event(), threading.Event()

    def slow():
        inside.set()
        hang.wait(30)
        return frame(1)

    watched = supervisor(ScriptedSource([slow], live=False), WaitingFeed(), clock)
    watched.start()
    assert inside.wait(20)
    clock.move(20)
    assert watched.check(clock.now_ns) is None
    hang.set()
    watched.close()


def test_waiting_for_room_is_no_stall():
    clock = HandClock()

    class SlowlyEmptied(WaitingFeed):
        def put(self, frame):
            told.append(watched.check(clock.now_ns + 1000 * 10**9))

    told: list[str | None] = []
    watched = supervisor(ScriptedSource([frame(1)], live=False), SlowlyEmptied(), clock)
    watched.step()
    watched.step()
    assert told == [None]


def test_only_one_thread_touches_the_source_and_it_closes_it():
    source = ScriptedSource([frame(number) for number in range(50)], live=False)
    feed = WaitingFeed()
    watched = supervisor(source, feed)
    watched.start()
    while not feed.ended:
        feed.get(1.0)
    watched.close()
    assert len(source.threads) == 1
    assert source.threads != {threading.get_ident()}
    assert source.closed == 1


def test_closing_does_not_wait_for_a_driver_that_hangs(monkeypatch):
    monkeypatch.setattr("camera.supervised.JOIN_S", 0.01)
    hang, inside = threading.Event(), threading.Event()

    def hanging():
        inside.set()
        hang.wait(30)

    feed = NewestFeed()
    watched = supervisor(ScriptedSource([hanging]), feed)
    watched.start()
    assert inside.wait(20)
    watched.close()
    assert feed.ended
    assert not hang.is_set()
    hang.set()


def test_a_camera_thread_that_died_is_said(monkeypatch):
    def refuse(passed):
        if passed.number == 1:
            raise MemoryError

    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    source = ScriptedSource([frame(1), frame(2), frame(3)])
    watched = Supervisor(source, NewestFeed(refuse), HandClock())
    before = set(threading.enumerate())
    watched.start()
    for thread in set(threading.enumerate()) - before:
        thread.join(20)
    assert watched.check(0) == "the camera's thread has ended; restart the line"
    assert source.closed == 1
    watched.close()


def test_backoff_never_overflows():
    backoff = Backoff()
    assert [backoff.next_s() for _ in range(3000)][-1] == 5.0


def test_opening_and_closing_leaves_no_threads_behind():
    before = threading.active_count()
    for _ in range(50):
        watched = supervisor(ScriptedSource([frame(1)], live=False), WaitingFeed())
        watched.start()
        watched.close()
    assert threading.active_count() == before
