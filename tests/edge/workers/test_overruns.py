"""Parts that came while the line was busy."""

from __future__ import annotations

import sys

from edge.workers.overruns import Overruns
from tests.edge.workers.parts import FakeClock, frame


def test_they_are_kept_in_order_without_their_pictures() -> None:
    overruns, clock = Overruns(), FakeClock()
    for number in (1, 2):
        overruns.add(frame(clock, number, encoded=b"jpeg", part_id=f"p{number}"))
    assert len(overruns) == 2
    first = overruns.take()
    assert first is not None
    assert (first.number, first.part_id, first.image, first.encoded) == (1, "p1", None, None)
    second = overruns.take()
    assert second is not None
    assert second.number == 2
    assert overruns.take() is None
    assert (overruns.total, overruns.unrecorded) == (2, 0)


def test_beyond_the_bound_they_are_only_counted() -> None:
    overruns, clock = Overruns(bound=3), FakeClock()
    for number in range(5):
        overruns.add(frame(clock, number))
    assert (len(overruns), overruns.total, overruns.unrecorded) == (3, 5, 2)
    overruns.take()
    overruns.add(frame(clock, 9))
    assert (len(overruns), overruns.unrecorded) == (3, 2)


def test_one_that_waits_is_small() -> None:
    overruns, clock = Overruns(), FakeClock()
    overruns.add(frame(clock))
    kept = overruns.take()
    assert sys.getsizeof(kept) < 200
