"""What persons said about one part, found in queue.db."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.clock import Clock
from edge.records import Moment, Origin, utc
from edge.review.verdict import Answer, Verdict
from edge.review.verdicts import give
from edge.store import answers
from edge.store.archive import Archive

BEGIN = 1_790_000_000.0


class Queue:
    """A queue.db that answers are put into."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.archive = Archive(folder / "queue.db")
        self.clock = Clock()

    def says(self, part: str, said: Answer, at: float = BEGIN) -> None:
        origin = Origin("a/b/c", "boot", "c", "1")
        give(
            self.folder,
            Verdict(self.clock.new_id(), origin, Moment(at, 0), part, said, "p-1"),
        )


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[Queue]:
    made = Queue(tmp_path)
    yield made
    made.archive.close()


def test_all_answers_about_a_part(queue: Queue) -> None:
    for part, said in (("one", "accept"), ("two", "accept"), ("one", "unsure")):
        queue.says(part, said)  # type: ignore[arg-type]
    found = answers.about(queue.archive, "one", "")
    assert [one["verdict"] for one in found] == ["accept", "unsure"]
    assert answers.about(queue.archive, "three", "") == []


def test_the_last_answer_is_found_however_late_it_came(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "MOST", 1)
    for said in ("accept", "unsure", "reject"):
        queue.says("one", said)  # type: ignore[arg-type]
    found = answers.about(queue.archive, "one", "")
    assert [one["verdict"] for one in found] == ["accept", "reject"]


def test_answers_since_a_time(queue: Queue) -> None:
    for second in range(20):
        queue.says("one", "accept", BEGIN + second)
    for second in range(20):
        assert answers.after(queue.archive, utc(BEGIN + second)) == second
    assert answers.after(queue.archive, utc(BEGIN + 99)) == 20


def test_without_a_queue_nobody_has_answered(tmp_path: Path) -> None:
    with Archive(tmp_path / "none.db") as none:
        assert answers.about(none, "one", "") == []
        assert (answers.after(none, "2026"), answers.latest(none, ["one"])) == (0, {})


def test_the_last_answers_of_many(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "AT_ONCE", 2)
    names = [str(number) for number in range(7)]
    for name in names:
        queue.says(name, "reject")
    found = answers.latest(queue.archive, [*names, "nobody"])
    assert {name: said["verdict"] for name, said in found.items()} == dict.fromkeys(names, "reject")
