"""Open escalations by deadline."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edge.workers.openings import Openings


def test_each_due_one_is_given_once_the_oldest_first() -> None:
    openings = Openings()
    openings.open([("b", "part", 20), ("a", None, 10), ("c", None, 30)])
    assert openings.take_due(9) == []
    assert openings.take_due(20) == [("a", None), ("b", "part")]
    assert openings.take_due(20) == []
    assert openings.take_due(99) == [("c", None)]


def test_one_given_stays_open_until_it_is_closed() -> None:
    openings = Openings()
    openings.open([("a", None, 10)])
    openings.take_due(10)
    assert len(openings) == 1
    openings.close("a")
    assert len(openings) == 0


def test_a_closed_one_is_never_due() -> None:
    openings = Openings()
    openings.open([("a", None, 10), ("b", None, 10)])
    openings.close("a")
    openings.close("unknown")
    assert openings.take_due(10) == [("b", None)]


def test_many_are_given_in_pieces() -> None:
    openings = Openings()
    openings.open((str(number), None, number) for number in range(25))
    pieces = [openings.take_due(99, most=10) for _ in range(4)]
    assert [len(piece) for piece in pieces] == [10, 10, 5, 0]


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("open"), st.integers(0, 9), st.integers(0, 50)),
            st.tuples(st.just("close"), st.integers(0, 9), st.just(0)),
            st.tuples(st.just("due"), st.just(0), st.integers(0, 60)),
        )
    )
)
def test_only_the_open_and_due_are_given_and_each_once(steps: list[tuple[str, int, int]]) -> None:
    openings = Openings()
    waiting: dict[str, int] = {}
    opened: set[str] = set()
    for kind, number, at in steps:
        name = str(number)
        if kind == "open" and name not in opened:
            opened.add(name)
            waiting[name] = at
            openings.open([(name, None, at)])
        elif kind == "close":
            waiting.pop(name, None)
            openings.close(name)
        elif kind == "due":
            given_now = [one for one, _ in openings.take_due(at)]
            assert sorted(given_now) == sorted(n for n, due in waiting.items() if due <= at)
            for one in given_now:
                del waiting[one]
