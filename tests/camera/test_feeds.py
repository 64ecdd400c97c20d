import threading

from hypothesis import given
from hypothesis import strategies as st

from camera.feeds import NewestFeed, WaitingFeed
from camera.frame import Frame
from tests.simulators.camera import frame


def numbers(frames: list[Frame]) -> list[int]:
    return [frame.number for frame in frames]


def test_nothing_is_lost_or_reordered_by_a_waiting_feed():
    feed = WaitingFeed(room=2)

    def fill() -> None:
        for number in range(200):
            feed.put(frame(number))
        feed.end()

    thread = threading.Thread(target=fill)
    thread.start()
    taken = []
    while not feed.ended:
        got = feed.get(1.0)
        if got is not None:
            taken.append(got)
            newest = feed.newest()
            assert newest is not None
            assert newest.number <= got.number + 2
    thread.join()
    assert numbers(taken) == list(range(200))


def test_a_producer_that_waits_for_room_goes_on_when_the_feed_is_closed():
    feed = WaitingFeed(room=1)
    feed.put(frame(1))
    thread = threading.Thread(target=feed.put, args=(frame(2),))
    thread.start()
    feed.close()
    thread.join(20)
    assert not thread.is_alive()
    assert feed.ended
    assert feed.get(0) is None


def test_what_waits_can_be_taken_after_the_end():
    for feed in (WaitingFeed(), NewestFeed()):
        feed.put(frame(1))
        feed.end()
        assert not feed.ended
        got = feed.get(0)
        assert got is not None
        assert got.number == 1
        assert feed.ended
        assert feed.get(0) is None


def test_the_newest_picture_replaces_the_one_before_which_is_an_overrun():
    overruns: list[Frame] = []
    feed = NewestFeed(overruns.append)
    for number in (1, 2, 3):
        feed.put(frame(number))
    got = feed.get(0)
    assert got is not None
    assert got.number == 3
    assert got.image is not None
    assert numbers(overruns) == [1, 2]
    assert all(passed.image is None and passed.encoded is None for passed in overruns)
    assert [passed.part_id for passed in overruns] == ["P1", "P2"]


@given(st.lists(st.booleans(), max_size=40))
def test_every_live_picture_is_taken_or_an_overrun(steps):
    overruns: list[Frame] = []
    taken: list[Frame] = []
    feed = NewestFeed(overruns.append)
    put = 0
    for give in steps:
        if give:
            put += 1
            feed.put(frame(put))
        elif (got := feed.get(0)) is not None:
            taken.append(got)
    feed.close()
    assert sorted(numbers(taken) + numbers(overruns)) == list(range(1, put + 1))
    assert numbers(taken) == sorted(numbers(taken))


def test_looking_at_the_newest_picture_takes_nothing():
    for feed in (WaitingFeed(), NewestFeed()):
        assert feed.newest() is None
        feed.put(frame(7))
        for _ in range(2):
            newest = feed.newest()
            assert newest is not None
            assert newest.number == 7
        assert feed.get(0) is not None
        assert feed.newest() is not None


def test_nothing_goes_into_a_closed_feed():
    overruns: list[Frame] = []
    for feed in (WaitingFeed(), NewestFeed(overruns.append)):
        feed.close()
        feed.put(frame(1))
        assert feed.get(0) is None
        assert feed.ended
    assert overruns == []
