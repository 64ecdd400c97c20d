"""Searching the history: filters together, bounded pieces, nothing found that is hidden."""

from __future__ import annotations

import itertools
import random
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.records import Moment, utc
from edge.recovery.history import History
from edge.review.verdict import Verdict
from edge.review.verdicts import give
from edge.store import search
from edge.store.archive import Archive
from edge.store.search import Place
from edge.web import history
from edge.web.history import Wanted, cursor, find, place_of
from tests.edge.web.parts import LineOfTests

BEGIN = 1_790_000_000.0


class Plant:
    """A line and its answers, and what a lead would see of them."""

    def __init__(self, folder: Path) -> None:
        self.line = LineOfTests(folder)
        self.folder = folder
        self.reader = History(folder / "line.db")
        self.queue = Archive(folder / "queue.db")

    def writes(self, count: int, **more: Any) -> list[Any]:
        """Parts one second apart, from BEGIN on."""
        made = [self.at(BEGIN + number, f"P-{number}", **more) for number in range(count)]
        self.line.journal.append(made)
        return made

    def at(self, wall: float, name: str, **more: Any) -> Any:
        given = {"decision": "accept", "asked": False, **more}
        return self.line.part(name, captured=Moment(wall, 0), **given)

    def answers(self, part: Any, said: Any = "reject") -> None:
        clock = self.line.clock
        given = Verdict(clock.new_id(), self.line.origin, clock.moment(), part.id, said, "p-1")
        give(self.folder, given)

    def find(self, wanted: Wanted, behind: Place | None = None, limit: int = 100) -> history.Found:
        return find(self.reader, self.queue, wanted, behind, limit, view, lambda: 0.0)

    def all(self, wanted: Wanted, limit: int = 7) -> list[str]:
        """Ids, going on until nothing is further back."""
        found: list[str] = []
        reached: Place | None = Place()
        while reached is not None:
            piece = self.find(wanted, reached, limit)
            assert piece.reached is None or piece.reached < reached
            found += [item["id"] for item in piece.items]
            reached = piece.reached
        return found


def view(record: Mapping[str, Any], said: Mapping[str, Any] | None) -> dict[str, Any]:
    return {
        "id": record["id"],
        "decision": record["decision"],
        "score": record["score"],
        "verdict": said,
    }


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[Plant]:
    made = Plant(tmp_path)
    yield made
    made.reader.close()
    made.queue.close()
    made.line.journal.close()


def test_the_newest_come_first_and_a_cursor_goes_on(plant: Plant) -> None:
    made = plant.writes(10)
    first = plant.find(Wanted(), limit=4)
    assert [item["id"] for item in first.items] == [one.id for one in made[:5:-1]]
    assert first.reached is not None
    again = plant.find(Wanted(), place_of(cursor(first.reached)), limit=100)
    assert [item["id"] for item in again.items] == [one.id for one in made[5::-1]]
    assert again.reached is None


def test_times_from_and_until_before(plant: Plant) -> None:
    made = plant.writes(10)
    found = plant.find(Wanted(since=utc(BEGIN + 2), until=utc(BEGIN + 5)))
    assert [item["id"] for item in found.items] == [one.id for one in made[4:1:-1]]


def test_parts_that_came_at_the_same_moment_are_all_found(plant: Plant) -> None:
    made = [plant.at(BEGIN, f"P-{number}") for number in range(9)]
    plant.line.journal.append(made)
    assert plant.all(Wanted(), limit=2) == [one.id for one in reversed(made)]


def test_order_is_by_time_though_the_clock_was_set_back(plant: Plant) -> None:
    made = [plant.at(BEGIN + second, str(second)) for second in (5, 6, 1, 2, 9)]
    plant.line.journal.append(made)
    order = sorted(made, key=lambda one: -one.captured.wall)
    assert plant.all(Wanted(), limit=2) == [one.id for one in order]


def test_a_part_by_its_number_by_letters_and_by_id(plant: Plant) -> None:
    made = plant.writes(30)
    same = plant.at(BEGIN + 100, "P-7")
    plant.line.journal.append([same])
    assert plant.all(Wanted(part="P-7")) == [same.id, made[7].id]
    assert plant.all(Wanted(part="*7")) == [same.id, made[27].id, made[17].id, made[7].id]
    assert plant.all(Wanted(part=made[3].id)) == [made[3].id]
    assert plant.all(Wanted(part="P_7")) == plant.all(Wanted(part="%")) == []


def test_a_part_of_an_earlier_epoch_is_found_by_number_and_id(plant: Plant) -> None:
    made = plant.writes(3)
    plant.line.journal.close()
    (plant.folder / "salvage").mkdir()
    plant.line.path.rename(plant.folder / "salvage" / "line-old.db")
    plant.line = LineOfTests(plant.folder)
    new = plant.at(BEGIN + 50, "P-1")
    plant.line.journal.append([new])
    assert plant.all(Wanted(part="P-1")) == [new.id, made[1].id]
    assert plant.all(Wanted(part=made[2].id)) == [made[2].id]
    assert plant.all(Wanted()) == [new.id]


def test_the_last_answer_counts_and_none_is_an_answer_too(plant: Plant) -> None:
    made = plant.writes(4, decision="escalate")
    plant.answers(made[0], "accept")
    plant.answers(made[1], "accept")
    plant.answers(made[1], "reject")
    assert plant.all(Wanted(verdict="accept")) == [made[0].id]
    assert plant.all(Wanted(verdict="reject")) == [made[1].id]
    assert plant.all(Wanted(verdict="none")) == [made[3].id, made[2].id]


def test_scores_at_both_ends_and_none_where_there_is_none(plant: Plant) -> None:
    scores = (0.0, 0.25, 0.5, None, 1.0, 1e-7)
    made = [plant.at(BEGIN + n, "x", score=score) for n, score in enumerate(scores)]
    plant.line.journal.append(made)
    assert plant.all(Wanted(score_min=0.25, score_max=0.5)) == [made[2].id, made[1].id]
    assert plant.all(Wanted(score_max=1e-7)) == [made[5].id, made[0].id]
    assert plant.all(Wanted(score_min=0.6)) == [made[4].id]


FILTERS = {
    "decision": (None, "accept", "reject", "escalate"),
    "verdict": (None, "accept", "reject", "none"),
    "score_min": (None, 0.3),
    "score_max": (None, 0.7),
    "part": (None, "P-1", "P-*"),
    "since": ("", utc(BEGIN + 10)),
    "until": ("9999", utc(BEGIN + 30)),
}


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Plant, list[Any], Any]]:
    made, dice = Plant(tmp_path_factory.mktemp("many")), random.Random(5)
    parts, said = [], {}
    for second in range(40):
        decision = dice.choice(("accept", "reject", "escalate"))
        name = dice.choice(("P-1", "P-22", "Q-3"))
        score = dice.choice((None, dice.random()))
        part = made.at(BEGIN + second, name, decision=decision, score=score, asked=False)
        parts.append(part)
        if dice.random() < 0.5:
            said[part.id] = dice.choice(("accept", "reject"))
    made.line.journal.append(parts)
    for part in parts:
        if part.id in said:
            made.answers(part, said[part.id])
    yield made, parts, said
    made.reader.close()
    made.queue.close()


def fits(part: Any, said: Mapping[str, str], wanted: Wanted) -> bool:
    """The plain meaning of the filters."""
    named = wanted.part
    at = utc(part.captured.wall)
    return (
        wanted.since <= at < wanted.until
        and wanted.decision in (None, part.decision)
        and wanted.verdict in (None, said.get(part.id, "none"))
        and (
            named is None or part.part_id == named or (named[-1] == "*" and part.part_id[0] == "P")
        )
        and wanted.scored(part.score)
    )


@settings(deadline=None, max_examples=120, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.fixed_dictionaries({name: st.sampled_from(values) for name, values in FILTERS.items()}),
    st.integers(1, 9),
)
def test_every_filter_goes_with_every_other(many: Any, filters: Any, limit: int) -> None:
    plant, parts, said = many
    wanted = Wanted(**filters)
    expected = [part.id for part in reversed(parts) if fits(part, said, wanted)]
    assert plant.all(wanted, limit) == expected


def test_a_search_ends_when_its_time_is_over_and_says_how_far_it_came(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "AT_ONCE", 5)
    made = plant.writes(40)
    ticking = itertools.count(0.0, history.BUDGET_S * 0.6)
    found = find(
        plant.reader, plant.queue, Wanted(score_min=2), None, 30, view, lambda: next(ticking)
    )
    assert found.items == []
    assert found.reached is not None
    assert found.reached.at == utc(made[30].captured.wall)
    rest = plant.find(replace(Wanted(score_min=0.5), score_max=0.5), found.reached)
    assert [item["id"] for item in rest.items] == [one.id for one in made[29::-1]]


def test_a_rare_decision_is_looked_for_in_slices(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "SLICE", 6)
    made = plant.writes(40)
    rare = plant.at(BEGIN - 5, "rare", decision="reject")
    plant.line.journal.append([rare])
    ticking = itertools.count(0.0, 1.0)
    first = find(
        plant.reader,
        plant.queue,
        Wanted(decision="reject"),
        None,
        30,
        view,
        lambda: next(ticking),
    )
    assert (first.items, first.reached) == ([], Place(utc(made[33].captured.wall), 0))
    assert plant.all(Wanted(decision="reject")) == [rare.id]


def test_damaged_records_are_counted_and_break_nothing(plant: Plant) -> None:
    made = plant.writes(3)
    with sqlite3.connect(plant.line.path) as database:
        database.execute("UPDATE records SET body = x'00ff7b' WHERE seq = 2")
    found = plant.find(Wanted())
    assert [item["id"] for item in found.items] == [made[2].id, made[0].id]
    assert (found.damaged, found.reached, found.trouble) == (1, None, None)


def test_a_database_that_cannot_be_read_ends_the_search_with_words(plant: Plant) -> None:
    plant.writes(3)
    plant.line.journal.close()
    plant.line.path.write_bytes(b"SQLite format 3\0" + b"\xff" * 5000)
    for side in ("-wal", "-shm"):
        plant.line.path.with_name(plant.line.path.name + side).unlink(missing_ok=True)
    found = plant.find(Wanted())
    assert found.items == []
    assert found.trouble


def test_without_records_nothing_is_found(tmp_path: Path) -> None:
    with History(tmp_path / "line.db") as line, Archive(tmp_path / "queue.db") as queue:
        for wanted in (Wanted(), Wanted(part="x"), Wanted(decision="accept", verdict="none")):
            found = find(line, queue, wanted, None, 5, view, lambda: 0.0)
            assert (found.items, found.reached, found.trouble) == ([], None, None)


@pytest.mark.parametrize("text", ["", "~", "2026~", "x'; DROP~1", "2026-11-20T12:00:00.000Z~1~2"])
def test_a_cursor_of_ours_or_none(text: str) -> None:
    with pytest.raises(ValueError, match="no such place"):
        place_of(text)


def test_a_filter_sees_only_what_may_be_seen(plant: Plant) -> None:
    plant.writes(5, score=0.9)

    def blind(record: Mapping[str, Any], said: Any) -> dict[str, Any]:
        return {"id": record["id"], "decision": None, "score": None, "verdict": None}

    for wanted in (Wanted(score_min=0.5), Wanted(decision="accept"), Wanted(verdict="reject")):
        found = find(plant.reader, plant.queue, wanted, None, 5, blind, lambda: 0.0)
        assert found.items == []
