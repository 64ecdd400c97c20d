"""Age is running time: it goes on over restarts, and no clock can change it."""

from hypothesis import given
from hypothesis import strategies as st

from edge.retention.ages import STATE, Ages, Odometer
from edge.retention.forecast import DAY_S
from edge.store.tidying import Mark

S = 10**9


def test_the_odometer_counts_running_time_and_goes_on_after_a_restart() -> None:
    first = Odometer(None, 100 * S)
    first.advance(130 * S)
    assert (first.seconds, first.to_save()) == (30.0, {})
    first.advance(165 * S)
    kept = first.to_save()
    assert kept == {STATE: "65.0"}
    assert first.to_save() == {}
    # Another boot: its clock begins at nothing, and the time in between does not count.
    second = Odometer(kept[STATE], 5 * S)
    second.advance(6 * S)
    assert second.seconds == 66.0


def test_a_clock_that_goes_back_takes_nothing_away() -> None:
    odometer = Odometer("10", 100 * S)
    odometer.advance(50 * S)
    assert odometer.seconds == 10.0
    odometer.advance(51 * S)
    assert odometer.seconds == 11.0


def test_nonsense_in_the_database_begins_at_nothing() -> None:
    for kept in ("nan", "-5", "inf", "ten", ""):
        assert Odometer(kept, 0).seconds == 0.0


def _ages(pictures_days: float = 1.0, records_days: float = 3.0) -> Ages:
    return Ages((), pictures_days * DAY_S, records_days * DAY_S)


def test_what_is_over_is_what_a_mark_says_was_there_long_enough() -> None:
    ages = _ages()
    for hour in range(30):
        ages.add(Mark(hour * 3600.0, hour * 10, 0, 0))
    now = 29 * 3600.0
    assert ages.pictures_through(now) == 50
    assert ages.pictures_through(5 * 3600.0) is None
    assert ages.records_through(now) is None
    assert ages.days(now, 55) == 1.0
    assert ages.days(now, None) is None
    assert Ages((), 1, 1).days(now, 55) is None


def test_marks_are_hourly_and_closer_where_the_terms_are_short() -> None:
    long = _ages()
    assert long.due(0.0)
    long.add(Mark(0.0, 0, 0, 0))
    assert not long.due(3599.0)
    assert long.due(3600.0)
    short = _ages(pictures_days=0.1)
    short.add(Mark(0.0, 0, 0, 0))
    assert short.due(361.0)


def test_the_newest_mark_beyond_the_longest_term_stays() -> None:
    ages = _ages()
    for day in range(10):
        ages.add(Mark(day * DAY_S, day, 0, 0))
    before = ages.records_through(9.5 * DAY_S)
    assert ages.forget(9.5 * DAY_S) == 5 * DAY_S
    assert ages.records_through(9.5 * DAY_S) == before == 6
    assert ages.forget(9.5 * DAY_S) is None


@given(
    st.lists(st.tuples(st.floats(0, 1e6), st.integers(0, 50)), max_size=40),
    st.floats(0.01, 5),
    st.floats(0.01, 5),
)
def test_nothing_is_over_before_its_time(steps, pictures_days, records_days) -> None:
    """`born` knows the true age of every record; what is said to be over is at least that old."""
    ages, now, seq = _ages(pictures_days, records_days), 0.0, 0
    born: list[float] = [0.0]
    for seconds, records in steps:
        now += seconds
        if ages.due(now):
            ages.add(Mark(now, seq, 0, 0))
        born += [now] * records
        seq += records
        ages.forget(now)
        for through, days in (
            (ages.pictures_through(now), pictures_days),
            (ages.records_through(now), records_days),
        ):
            if through:
                assert now - born[through] >= days * DAY_S * (1 - 1e-9)
