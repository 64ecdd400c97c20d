import pytest

from edge.retention.forecast import DAY_S, Forecast, Rate, days, rate
from edge.retention.outlook import Level, Waiting, outlook, size
from edge.store.tidying import Mark

GB = 10**9


def _marks(hours: int) -> list[Mark]:
    """1,000 records and 1 MB of pictures an hour."""
    return [Mark(h * 3600.0, h * 1000, h * 10**6, 0) for h in range(hours)]


def test_the_rate_is_that_of_the_last_day() -> None:
    marks = [
        Mark(0.0, 0, 0, 0),
        *(Mark(DAY_S + m.odometer_s, m.seq, m.written, 0) for m in _marks(30)),
    ]
    now = Mark(DAY_S + 30 * 3600.0, 30_000, 30 * 10**6, 0)
    found = rate(marks, now, 1500.0)
    assert found is not None
    assert found.pictures * 3600 == pytest.approx(10**6)
    assert found.records * 3600 == pytest.approx(1_500_000)


def test_ten_minutes_are_needed_for_a_rate() -> None:
    assert rate([], Mark(10_000.0, 5, 5, 5), 1500.0) is None
    assert rate([Mark(0.0, 0, 0, 0)], Mark(599.0, 5, 5, 5), 1500.0) is None
    assert rate([Mark(0.0, 0, 0, 0)], Mark(600.0, 5, 600, 5), 1500.0) == Rate(1.0, 12.5)


def test_a_new_epoch_gives_no_negative_rate() -> None:
    assert rate([Mark(0.0, 900, 900, 0)], Mark(900.0, 5, 5, 0), 1500.0) == Rate(0.0, 0.0)


def test_where_nothing_comes_there_are_no_days() -> None:
    assert days(GB, None) is None
    assert days(GB, 0.0) is None
    assert days(-5, 1.0) == 0.0
    assert days(DAY_S * 11, 1.0) == 11.0


@pytest.mark.parametrize(
    ("forecast", "waits", "words"),
    [
        (Forecast(11.2), False, "11 days left at today's rate"),
        (Forecast(0.5, 2.0), False, "12.0 hours left at today's rate"),
        (
            Forecast(2.5, 40.0),
            True,
            "2.5 days left at today's rate; without acknowledgement, records for 40 days",
        ),
        (
            Forecast(0.0, None, 3.0, 40.0),
            True,
            "the limit is reached, the oldest pictures make room; pictures reach back 3.0 days;"
            " records reach back 40 days",
        ),
        (Forecast(0.01), False, "14 minutes left at today's rate"),
        (Forecast(), True, "no forecast yet"),
    ],
)
def test_the_forecast_in_words(forecast: Forecast, waits: bool, words: str) -> None:
    assert forecast.in_words(waits) == words


PLENTY = Level(used=1 * GB, limit=20 * GB, begin=19 * GB, pictures=GB // 2, deletable=0)


def test_days_count_to_the_beginning_of_eviction_and_what_could_go_counts_for_an_outage() -> None:
    per_day = Rate(1.5 * GB / DAY_S, 0.5 * GB / DAY_S)
    found = outlook(PLENTY, per_day, Waiting(), (None, None)).forecast
    assert found.days_left == pytest.approx(9.0)
    assert found.outage_days == pytest.approx(39.0)


def test_the_alarms() -> None:
    some = Rate(1.0 * GB / DAY_S, 8.0 * GB / DAY_S)
    stuck = Waiting(1234, 700.0)
    reach = (None, None)
    assert outlook(PLENTY, some, Waiting(1234, 10.0), reach).trouble is None, "it moves"
    assert outlook(PLENTY, some, stuck, reach).trouble == (
        "1,234 records are not acknowledged; there is room for 2.4 days of them"
    )
    slow = Rate(0.0, 0.5 * GB / DAY_S)
    assert outlook(PLENTY, slow, stuck, reach).trouble is None
    full = Level(18 * GB, 20 * GB, 19 * GB, unheld=False)
    assert outlook(full, None, stuck, reach).trouble == (
        "18.0 GB of 20.0 GB are used: 1,234 records are not acknowledged"
    )
    assert "nothing is left" in str(outlook(full, None, Waiting(), reach).trouble)
    more = Level(18 * GB, 20 * GB, 19 * GB, unheld=True)
    assert outlook(more, None, Waiting(), reach).trouble is None
    assert outlook(more, None, Waiting(), reach, missing=5).trouble
    records = Level(18 * GB, 20 * GB, 19 * GB, deletable=GB, unheld=False)
    assert outlook(records, None, Waiting(), reach).trouble is None


def test_bytes_for_people() -> None:
    assert [size(n) for n in (500, 2_500_000, 20 * GB)] == ["0 kB", "2.5 MB", "20.0 GB"]
