"""What makes a part: every picture, or a grid of ticks on a clock that tests move."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camera.frame import Frame
from edge.line.trigger import PATIENCE_NS, Continuous, Interval
from tests.edge.workers.parts import NOON, SECOND, FakeClock, frame

MS = 10**6


class Camera:
    """A feed over pictures that arrive at given times; waiting moves the clock."""

    def __init__(self, clock: FakeClock, *arrivals_ms: float) -> None:
        self._clock = clock
        self._start_ns = clock.now_ns
        self._arrivals = deque(clock.now_ns + round(ms * MS) for ms in arrivals_ms)
        self.closed = False

    def get(self, timeout: float) -> Frame | None:
        end_ns = self._clock.now_ns + round(timeout * SECOND)
        if self.closed:
            return None
        if not self._arrivals or self._arrivals[0] > end_ns:
            self._clock.now_ns = end_ns
            return None
        at_ns = self._arrivals.popleft()
        self._clock.now_ns = max(self._clock.now_ns, at_ns)
        return Frame(None, at_ns, NOON, (at_ns - self._start_ns) // MS)

    @property
    def ended(self) -> bool:
        return self.closed


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


class Bench:
    def __init__(self, clock: FakeClock, camera: Camera, every_ms: float, live: bool) -> None:
        self.missed: list[Frame] = []
        self.start_ns = clock.now_ns
        self.trigger = Interval(
            camera, every_ms, live, self.missed.append, clock.monotonic_ns, clock.wall, clock.move
        )

    def ms(self, given_frame: Frame | None) -> float | None:
        """When the picture was taken, in milliseconds since the start."""
        return None if given_frame is None else (given_frame.monotonic_ns - self.start_ns) / MS

    def take(self, steps: int, after: Callable[[], None] = lambda: None) -> list[Frame]:
        found = []
        for _ in range(steps):
            got = self.trigger.next(0.25)
            if got is not None:
                found.append(got)
                after()
        return found


def test_continuous_every_picture_is_a_part(clock: FakeClock) -> None:
    camera = Camera(clock, 10, 20)
    trigger = Continuous(camera)
    assert [trigger.next(1) is not None for _ in range(3)] == [True, True, False]
    assert not trigger.ended
    camera.closed = True
    assert trigger.ended


def test_a_part_gets_the_first_picture_taken_at_or_after_its_tick(clock: FakeClock) -> None:
    bench = Bench(clock, Camera(clock, *range(30, 500, 40)), 100, live=True)
    assert [bench.ms(one) for one in bench.take(3)] == [110, 230, 310]


def test_before_its_tick_there_is_no_part(clock: FakeClock) -> None:
    bench = Bench(clock, Camera(clock, 900, 1001), 1000, live=True)
    assert [bench.ms(bench.trigger.next(0.3)) for _ in range(4)] == [None, None, None, 1001]


def test_ticks_are_on_a_grid_however_late_the_pictures_come(clock: FakeClock) -> None:
    bench = Bench(clock, Camera(clock, *(100 * n + 30 for n in range(1, 60))), 100, live=True)
    pictures = bench.take(50)
    assert [bench.ms(one) for one in pictures] == [100 * n + 30 for n in range(1, 51)]


def test_no_picture_in_time_is_a_part_with_a_doubt(clock: FakeClock) -> None:
    bench = Bench(clock, Camera(clock), 2000, live=True)
    (part,) = bench.take(9)
    assert part.image is None
    assert [doubt.name for doubt in part.doubts] == ["no_picture"]
    assert bench.ms(part) == 2000
    assert clock.now_ns - bench.start_ns <= 2000 * MS + PATIENCE_NS + 250 * MS


def test_patience_never_exceeds_the_interval(clock: FakeClock) -> None:
    bench = Bench(clock, Camera(clock), 100, live=True)
    assert [bench.ms(part) for part in bench.take(5)] == [100, 200, 300, 400, 500]
    assert bench.missed == []


def test_ticks_that_pass_while_the_line_is_busy_are_parts_too(clock: FakeClock) -> None:
    bench = Bench(clock, Camera(clock, *range(5, 3000, 10)), 100, live=True)
    first = bench.trigger.next(0.25)
    assert bench.ms(first) == 105
    clock.move(0.42)
    wall = clock.wall()
    rest = bench.take(5)
    assert [bench.ms(one) for one in bench.missed] == [200, 300, 400]
    assert [one.doubts for one in bench.missed] == [(), (), ()]
    assert bench.missed[0].captured_at == pytest.approx(wall - 0.325)
    assert [bench.ms(one) for one in rest] == [505, 605]


def test_when_the_feed_ends_no_part_is_made_up(clock: FakeClock) -> None:
    camera = Camera(clock)
    bench = Bench(clock, camera, 100, live=True)
    clock.move(0.1)
    camera.closed = True
    assert bench.trigger.next(0.25) is None
    assert bench.trigger.ended
    assert bench.missed == []


def test_a_replayable_source_is_only_paced(clock: FakeClock) -> None:
    bench = Bench(clock, Camera(clock, *[0] * 20), 100, live=False)
    times = []
    for _ in range(5):
        assert bench.trigger.next(0.25) is not None
        times.append((clock.now_ns - bench.start_ns) / MS)
    assert times == [100, 200, 300, 400, 500]
    clock.move(1.0)  # a slow part: the pace goes on from there, nothing is missed
    for _ in range(3):
        assert bench.trigger.next(0.25) is not None
    assert (clock.now_ns - bench.start_ns) / MS <= 1700
    assert bench.missed == []


@given(
    st.integers(5, 300),
    st.lists(st.integers(0, 3000), max_size=40),
    st.lists(st.integers(0, 500), min_size=1, max_size=20),
)
def test_every_tick_is_one_part(every: int, arrivals: list[int], busy: list[int]) -> None:
    clock = FakeClock()
    bench = Bench(clock, Camera(clock, *sorted(arrivals)), every, live=True)
    pauses = iter(busy)
    seen = bench.take(len(busy), lambda: clock.move(next(pauses) / 1000))
    while len(got := bench.take(1)) == 0 and len(bench.missed) < 5000:
        pass  # until the line has caught up
    seen += got
    ticks = (clock.now_ns - bench.start_ns) // (every * MS)
    assert ticks - 1 <= len(seen) + len(bench.missed) <= ticks
    assert all(one.monotonic_ns <= clock.now_ns for one in [*seen, *bench.missed])


def test_a_frame_is_given_as_it_came(clock: FakeClock) -> None:
    clock.move(1)
    made = frame(clock)

    class One(Camera):
        def get(self, timeout: float) -> Frame | None:
            return made

    bench = Bench(clock, One(clock), 100, live=True)
    made = frame(FakeClock(clock.now_ns + 100 * MS))
    clock.move(0.1)
    assert bench.trigger.next(0.25) is made
