"""The evidence of a candidate as the tend thread gathers it, with a real queue.db."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.review.verdicts import FILE
from edge.rollout.evidence import Evidence
from edge.rollout.pair import Answer, Pair
from edge.rollout.pairs import Died, pairs_and_words
from edge.rollout.witness import EVERY_NS, Deaths, Sources, Witness
from edge.store.archive import Archive
from sync.assignment import Limits
from tests.edge.workers.answering import Bench

GOOD = Answer(0.1, "good", "accept", None, 5.0)
UNSURE = Answer(0.5, "good", "escalate", None, 5.0)


class Station:
    """A witness with what it hears from. `look` is one step at its next time."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.bench = folder, Bench(folder, undo_s=0.0)
        self.path = folder / "rollout" / "c.jsonl"
        self.pairs: list[Pair] = []
        self.deaths: list[Died] = []
        self.words: str | None = None
        self.now_ns = 0
        self.witness = self.start()

    def start(self) -> Witness:
        """As at a start of the line."""
        sources = Sources(lambda: taken(self.pairs), lambda: taken(self.deaths), lambda: self.words)
        queue = Archive(self.folder / FILE)
        witness = Witness(self.path, Evidence(Limits()), sources, queue)
        self.witness = witness
        self.look()
        return witness

    def look(self) -> None:
        self.now_ns += EVERY_NS
        self.witness.step(self.now_ns)

    def permissive(self, name: str) -> None:
        self.pairs.append(Pair(name, None, 1.0, "active", UNSURE, GOOD))

    @property
    def called_good(self) -> int:
        shown = self.witness.as_json()["permissive"]
        assert isinstance(shown, dict)
        return int(shown["called_good"])


def taken(things: list) -> list:  # type: ignore[type-arg]
    found, things[:] = things[:], []
    return found


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Station]:
    station = Station(tmp_path)
    yield station
    station.witness.close()
    station.bench.close()


def test_pairs_deaths_and_answers_become_evidence(station: Station) -> None:
    station.permissive("p1")
    station.deaths = ["candidate"]
    station.look()
    station.bench.say("p1")
    station.bench.say("someone-else")
    station.look()
    shown = station.witness.as_json()
    assert station.witness.parts == 1
    assert shown["deaths"] == {"candidate": 1, "other": 0}
    assert station.called_good == 1


def test_nothing_happens_between_its_looks(station: Station) -> None:
    station.permissive("p1")
    station.witness.step(station.now_ns + EVERY_NS - 1)
    assert station.witness.parts == 0


def test_a_restart_goes_on_where_it_was_also_in_the_queue(station: Station) -> None:
    for name in ("p1", "p2", "p3"):
        station.permissive(name)
    station.look()
    station.bench.say("p1")
    station.look()
    station.bench.say("p2")  # nobody has read it
    station.witness.close()
    station.start()
    assert station.witness.parts == 3
    assert station.called_good == 2
    _, words = pairs_and_words(station.path)
    assert set(words) == {"p1", "p2"}


def test_the_first_answer_counts_also_where_the_line_is_away(station: Station) -> None:
    station.permissive("p1")
    station.look()
    station.witness.close()
    station.bench.say("p1", "accept")
    station.start()
    assert station.called_good == 1


def test_what_was_answered_before_the_first_look_is_about_other_parts(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.say("p1")
    bench.close()
    station = Station(tmp_path)
    station.permissive("p1")
    station.look()
    station.look()
    assert station.called_good == 0


def test_a_queue_that_comes_later_or_anew_is_read_as_a_whole(station: Station) -> None:
    station.permissive("p1")
    for _ in range(5):
        station.bench.say("someone-else")
    station.look()
    station.bench.queue.close()
    for path in station.folder.glob(f"{FILE}*"):
        path.unlink()
    station.look()
    station.bench.close()
    station.bench = Bench(station.folder, undo_s=0.0)
    station.bench.say("p1")
    station.look()
    assert station.called_good == 1


def test_a_damaged_queue_costs_the_answers_only(station: Station) -> None:
    station.bench.queue.close()
    (station.folder / FILE).write_bytes(b"this is no database" * 1000)
    station.permissive("p1")
    station.look()
    assert station.witness.parts == 1


def test_a_disk_that_takes_nothing_holds_nobody_up(station: Station) -> None:
    station.path.unlink()
    station.path.mkdir()
    for number in range(3):
        station.permissive(f"p{number}")
        station.look()
    assert station.witness.parts == 3


def test_the_line_s_instruments_are_heard(station: Station) -> None:
    station.look()
    assert station.witness.broken() is None
    station.words = "spot checks: more than 0.01 of the defects are accepted"
    station.look()
    breach = station.witness.broken()
    assert breach is not None
    assert (breach.code, breach.words) == ("spot_check", station.words)


def test_enough_is_parts_and_nothing_against_it(station: Station) -> None:
    for number in range(200):
        station.pairs.append(Pair(f"p{number}", None, 1.0, "active", GOOD, GOOD))
    station.look()
    assert station.witness.lacking(0) is None
    assert station.witness.lacking(1) is not None


def test_deaths_are_told_once_and_by_their_side_also_over_a_promotion() -> None:
    of: dict[str, tuple[int, ...]] = {"candidate": (), "active": (5,)}
    deaths = Deaths(lambda: of["candidate"], lambda: of["active"])
    assert deaths() == []
    of["candidate"] = (10, 30)
    of["active"] = (5, 20)
    assert deaths() == ["candidate", "active", "candidate"]
    assert deaths() == []
    of["candidate"], of["active"] = (), (10, 30)  # the same child, promoted
    assert deaths() == []
    of["active"] = (10, 30, 40)
    assert deaths() == ["active"]


def test_a_death_of_the_child_that_decides_is_told_as_such(station: Station) -> None:
    candidate, main = (10, 20), (20,)
    deaths = Deaths(lambda: candidate, tuple, lambda: main)
    assert deaths() == ["candidate", "deciding"]
    station.deaths = ["deciding"]
    station.look()
    breach = station.witness.broken()
    assert breach is not None
    assert breach.code == "died"
