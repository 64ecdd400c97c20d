"""Today's figures, and counting what was before the start."""

from __future__ import annotations

import random
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.records import utc
from edge.store.archive import Archive
from edge.web import counting
from edge.web.counting import Counting
from edge.web.today import DECISIONS, LAST, Today
from tests.edge.web.parts import LineOfTests

BERLIN = ZoneInfo("Europe/Berlin")
SHIFTS = ("06:00", "14:00", "22:00")
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=timezone.utc).timestamp()


def part(at: float, decision: str = "accept", name: str = "i", **more: Any) -> dict[str, Any]:
    return {
        "id": name,
        "captured_at": utc(at),
        "decision": decision,
        "asked": decision == "escalate",
        "tags": {},
        **more,
    }


def fate(at: float, what: str, by: str, about: str = "i") -> dict[str, Any]:
    return {"inspection": about, "disposition": what, "by": by, "at": utc(at)}


def day(today: Today, now: float = NOON) -> Any:
    return today.figures(now, "day")


def test_parts_decisions_and_fates_of_the_day() -> None:
    today = Today(timezone.utc)
    for decision in ("accept", "accept", "reject", "escalate"):
        today.inspection(part(NOON - 60, decision))
    for what, by in (("accept", "model"), ("accept", "model"), ("reject", "model")):
        today.disposition(fate(NOON - 60, what, by))
    today.disposition(fate(NOON - 1, "hold", "fallback"))
    found = day(today)
    assert (found.parts, found.decisions) == (4, {"accept": 2, "reject": 1, "escalate": 1})
    assert found.dispositions["accept"] == {"model": 2, "person": 0, "fallback": 0}
    assert found.dispositions["hold"]["fallback"] == 1
    assert found.good_share == 0.5
    assert found.complete


def test_the_yield_is_of_parts_whose_fate_is_known() -> None:
    today = Today(timezone.utc)
    assert day(today).good_share is None
    today.inspection(part(NOON, "escalate"))
    assert day(today, NOON + 1).good_share is None
    today.disposition(fate(NOON, "accept", "person"))
    assert day(today, NOON + 1).good_share == 1.0


def test_challenge_parts_count_nowhere_but_by_themselves() -> None:
    today = Today(timezone.utc)
    today.inspection(part(NOON, "accept", tags={"challenge": "x"}, asked=False))
    today.disposition(fate(NOON, "hold", "model"))
    found = day(today, NOON + 1)
    assert (found.parts, found.challenge, found.good_share) == (0, 1, None)
    assert sum(map(sum, found.bars.counts)) == 0


def test_parts_that_nobody_was_asked_about_are_said() -> None:
    today = Today(timezone.utc)
    today.inspection(part(NOON, "escalate", asked=False))
    today.inspection(part(NOON, "accept", asked=False))
    found = day(today, NOON + 1)
    assert (found.not_asked, found.decisions["escalate"]) == (1, 1)


def test_a_part_is_counted_when_it_was_seen_a_fate_when_it_was_made() -> None:
    today = Today(timezone.utc, ("12:00",))
    today.inspection(part(NOON - 30, "escalate"))
    today.disposition(fate(NOON + 30, "accept", "person"))
    found = today.figures(NOON + 60, "shift")
    assert (found.parts, found.dispositions["accept"]["person"]) == (0, 1)


@pytest.mark.parametrize(
    ("local", "begin", "end"),
    [
        ((2026, 11, 20, 6, 0), (20, 6), (20, 14)),
        ((2026, 11, 20, 5, 59), (19, 22), (20, 6)),
        ((2026, 11, 20, 23, 30), (20, 22), (21, 6)),
        ((2026, 11, 20, 0, 10), (19, 22), (20, 6)),
    ],
)
def test_a_shift_begins_where_it_is_configured(local: Any, begin: Any, end: Any) -> None:
    now = datetime(*local, tzinfo=BERLIN).timestamp()
    span = Today(BERLIN, SHIFTS).span(now, "shift")
    found = [datetime.fromtimestamp(t, BERLIN) for t in (span.begin, span.end)]
    assert [(one.day, one.hour) for one in found] == [begin, end]


@pytest.mark.parametrize(("month", "on", "hours"), [(3, 29, 23), (10, 25, 25), (11, 20, 24)])
def test_a_day_has_the_hours_that_it_has(month: int, on: int, hours: int) -> None:
    now = datetime(2026, month, on, 12, tzinfo=BERLIN).timestamp()
    span = Today(BERLIN).span(now, "shift")
    assert (span.end - span.begin) / 3600 == hours


def test_yesterday_is_forgotten_and_the_memory_bounded() -> None:
    today = Today(timezone.utc)
    for minute in range(4000):
        today.inspection(part(NOON + 60 * minute))
    assert len(today._minutes) <= 26 * 60
    assert day(today, NOON).parts == 0
    end = NOON + 60 * 3999
    assert day(today, end).parts == int(end % 86400 // 60) + 1


def test_the_last_parts_newest_first_with_what_became_of_them() -> None:
    today = Today(timezone.utc)
    for number in range(LAST + 5):
        today.inspection(part(NOON + number, "escalate", name=str(number)))
    today.disposition(fate(NOON + 60, "accept", "person", about="7"))
    today.disposition(fate(NOON + 60, "accept", "person", about="2"))
    last = today.last()
    assert [one.inspection["id"] for one in last] == [str(n) for n in range(LAST + 4, 4, -1)]
    assert [one.inspection["id"] for one in last if one.disposition] == ["7"]


@pytest.mark.parametrize(
    "damaged",
    [
        {},
        part(NOON, "perhaps"),
        part(NOON, name=None),  # type: ignore[arg-type]
        {**part(NOON), "captured_at": "yesterday"},
        {**part(NOON), "captured_at": 5},
    ],
)
def test_damaged_records_are_counted_and_left_out(damaged: Any) -> None:
    today = Today(timezone.utc)
    today.inspection(damaged)
    today.disposition(damaged)
    assert (day(today).parts, today.damaged, today.last()) == (0, 2, [])


moments = st.floats(min_value=NOON - 30 * 3600, max_value=NOON, allow_nan=False)


@given(st.lists(st.tuples(moments, st.sampled_from(DECISIONS)), max_size=60), st.randoms())
def test_the_order_does_not_matter_and_the_bars_add_up(parts: Any, dice: random.Random) -> None:
    first, second = Today(BERLIN, SHIFTS), Today(BERLIN, SHIFTS)
    for at, decision in parts:
        first.inspection(part(at, decision))
    dice.shuffle(parts)
    for at, decision in parts:
        second.inspection(part(at, decision))
    for period in ("shift", "day"):
        found = first.figures(NOON, period)  # type: ignore[arg-type]
        assert found == second.figures(NOON, period)  # type: ignore[arg-type]
        assert sum(map(sum, found.bars.counts)) == found.parts
        begin = int(found.span.begin // 60)
        assert found.parts == sum(begin <= int(at // 60) for at, _ in parts)


@pytest.fixture
def line(tmp_path: Path) -> LineOfTests:
    return LineOfTests(tmp_path)


def counted(line: LineOfTests, today: Today, monkeypatch: pytest.MonkeyPatch) -> int:
    """Count in slices of 7 records; how many steps that took."""
    monkeypatch.setattr(counting, "SLICE", 7)
    with Archive(line.path) as archive:
        work = Counting(today, archive.head()[0], archive.epoch, line.clock.wall())
        steps = 1
        while work.step(archive):
            assert not today.figures(line.clock.wall(), "day").complete
            steps += 1
    return steps


def test_what_was_before_the_start_is_counted_in_slices(
    line: LineOfTests, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = line.sure(30)
    today = Today(timezone.utc)
    assert counted(line, today, monkeypatch) == 9
    found = today.figures(line.clock.wall(), "day")
    assert (found.parts, found.good_share, found.complete) == (30, 1.0, True)
    assert [one.inspection["id"] for one in today.last()] == [one.id for one in made[:9:-1]]
    assert all(one.disposition is not None for one in today.last())


def test_parts_that_come_while_it_counts_are_counted_once(
    line: LineOfTests, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "SLICE", 5)
    line.sure(10)
    today = Today(timezone.utc)
    with Archive(line.path) as archive:
        work = Counting(today, archive.head()[0], archive.epoch, line.clock.wall())
        work.step(archive)
        line.sure(1)
        today.inspection(part(line.clock.wall(), name="new"))
        while work.step(archive):
            pass
    assert today.figures(line.clock.wall(), "day").parts == 11
    assert today.last()[0].inspection["id"] == "new"


def test_counting_ends_at_the_beginning_of_the_day(
    line: LineOfTests, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "QUIET", 10)
    long_ago = line.clock.moment()
    old = type(long_ago)(long_ago.wall - 3 * 86400, long_ago.monotonic_ns)
    line.journal.append(
        [line.part(captured=old, decision="reject", asked=False) for _ in range(50)]
    )
    line.sure(2)
    today = Today(timezone.utc)
    assert counted(line, today, monkeypatch) < 5
    assert today.figures(line.clock.wall(), "day").parts == 2


def test_another_file_ends_the_counting(line: LineOfTests) -> None:
    line.sure(3)
    today = Today(timezone.utc)
    with Archive(line.path) as archive:
        work = Counting(today, 6, "another epoch", line.clock.wall())
        assert not work.step(archive)
    assert today.figures(line.clock.wall(), "day").complete


def test_nothing_to_count(tmp_path: Path) -> None:
    today = Today(timezone.utc)
    with Archive(tmp_path / "none.db") as archive:
        assert not Counting(today, 0, None, NOON).step(archive)
    assert day(today).complete
