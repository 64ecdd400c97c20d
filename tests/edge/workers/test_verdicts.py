"""From a person's answer to the part's fate: exactly one, the first that was not taken back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from edge.review.verdicts import FILE, PAGE
from edge.store.journal import Journal
from edge.workers.verdicts import SAVE_AFTER, STATE_THROUGH
from tests.edge.store.builders import disposition, inspection
from tests.edge.workers.answering import Bench
from tests.edge.workers.parts import ORIGIN, SECOND


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.close()


def test_an_answer_decides_an_open_escalation_once_it_can_no_longer_be_undone(bench: Bench) -> None:
    made = bench.wait_for("P-1")
    given = bench.say(made.id, "reject")
    assert bench.look(1.99) == []
    (record,) = bench.look(0.2)
    assert (record.inspection, record.part_id, record.verdict) == (made.id, "P-1", given.id)
    assert (record.disposition, record.by) == ("reject", "person")
    assert bench.look() == []


def test_without_time_for_undo_it_decides_at_once(tmp_path: Path) -> None:
    bench = Bench(tmp_path, undo_s=0.0)
    bench.say(bench.wait_for().id)
    assert len(bench.look()) == 1
    bench.close()


def test_it_decides_no_later_than_at_the_deadline(bench: Bench) -> None:
    made = bench.wait_for(seconds=1.0)
    bench.clock.move(0.5)
    given = bench.say(made.id, "reject")
    bench.clock.move(0.5)
    found = bench.reader.at_deadline([made.id], bench.clock.now_ns)
    assert found is not None
    entry = found[made.id]
    assert entry is not None
    (record,) = bench.commit([entry])
    assert (record.by, record.verdict) == ("person", given.id)


def test_hold_holds_by_person(bench: Bench) -> None:
    made = bench.wait_for()
    bench.say(made.id, "unsure", hold=True)
    (record,) = bench.look(2.5)
    assert (record.disposition, record.by) == ("hold", "person")


def test_an_answer_that_was_taken_back_decides_nothing(bench: Bench) -> None:
    made = bench.wait_for()
    first = bench.say(made.id, "accept")
    bench.look(1.0)
    undone = bench.take_back(first)
    assert not bench.reader.undone
    assert bench.look(5.0) == []
    assert bench.reader.undone
    assert bench.reader.place["seq"] == 2
    second = bench.say(made.id, "reject")
    (record,) = bench.look(2.5)
    assert (record.disposition, record.verdict) == ("reject", second.id)
    assert undone.verdict == first.id


def test_one_that_is_taken_back_before_it_was_ever_read_decides_nothing(bench: Bench) -> None:
    made = bench.wait_for()
    bench.take_back(bench.say(made.id, "accept"))
    bench.clock.move(10)
    assert bench.look() == []


def test_too_late_taken_back_changes_nothing(bench: Bench) -> None:
    made = bench.wait_for()
    given = bench.say(made.id, "accept")
    assert len(bench.look(2.5)) == 1
    bench.take_back(given)
    bench.say(made.id, "reject")
    assert bench.look(2.5) == []
    assert len(bench.fates(made.id)) == 1


def test_a_correction_of_the_label_takes_no_fate_away(bench: Bench) -> None:
    made = bench.wait_for()
    bench.take_back(bench.say(made.id, "accept"), undo=False)
    assert [one.disposition for one in bench.look(2.5)] == ["accept"]


def test_the_second_answer_counts_where_the_first_was_taken_back(bench: Bench) -> None:
    made = bench.wait_for()
    first = bench.say(made.id, "accept")
    second = bench.say(made.id, "reject")
    bench.look(0.5)
    bench.take_back(first)
    assert [one.verdict for one in bench.look(2.5)] == [second.id]


def test_the_first_of_two_answers_counts(bench: Bench) -> None:
    made = bench.wait_for()
    first = bench.say(made.id, "accept")
    bench.say(made.id, "reject")
    assert [one.verdict for one in bench.look(2.5)] == [first.id]
    assert bench.look(2.5) == []
    assert bench.journal.state(STATE_THROUGH) == f"{bench.queue.head[0]} 2"


def test_what_the_fall_back_decided_stays_so(bench: Bench) -> None:
    made = bench.wait_for()
    assert bench.reader.at_deadline([made.id], bench.clock.now_ns) == {}
    bench.reader.fell_back(made.id)
    bench.say(made.id)
    assert bench.handed(2.5) == [], "handed to the store, and not on the disk yet"
    bench.journal.append([disposition(made, by="fallback", fate="hold")])
    bench.openings.close(made.id)
    assert bench.look(2.5) == []


def test_labels_move_nothing(bench: Bench) -> None:
    sure, unasked = inspection(101), inspection(103, "escalate")
    bench.journal.append([sure, disposition(sure), unasked])
    waiting = bench.wait_for()
    bench.say(sure.id, "reject")
    bench.say(waiting.id, "unsure")
    bench.say(unasked.id, "accept")
    bench.say("nobody knows this one")
    assert bench.look(3.0) == []
    assert bench.look(3.0) == []
    bench.say(waiting.id, "accept")
    assert len(bench.look(2.5)) == 1


def test_an_answer_that_is_read_before_its_escalation_is_known_here_counts(bench: Bench) -> None:
    made = bench.wait_for()
    opening = bench.openings.find(made.id)
    assert opening is not None
    bench.openings.close(made.id)
    bench.say(made.id)
    assert bench.look(0.3) == []
    bench.openings.open([(made.id, None, opening.deadline_ns)])
    assert len(bench.look(2.5)) == 1


def test_an_answer_that_was_not_committed_counts_after_a_restart(bench: Bench) -> None:
    made = bench.wait_for()
    bench.say(made.id)
    assert len(bench.handed(2.5)) == 1
    bench.restart()
    assert len(bench.handed(0.0)) == 1, "the entry was never committed"


def test_an_answer_in_its_grace_outlives_a_restart_and_can_still_be_taken_back(
    bench: Bench,
) -> None:
    early, kept, undone = (bench.wait_for() for _ in range(3))
    bench.say(early.id, "accept")
    bench.clock.move(1.5)
    bench.say(kept.id, "reject")
    back = bench.say(undone.id, "accept")
    assert [one.inspection for one in bench.look(0.6)] == [early.id]
    assert bench.journal.state(STATE_THROUGH) == f"{bench.queue.head[0]} 1"
    bench.restart()
    bench.take_back(back)
    assert bench.look(0.2) == []
    assert [one.inspection for one in bench.look(2.0)] == [kept.id]
    assert len(bench.fates(early.id)) == 1


def test_an_answer_of_another_boot_counts_at_once(bench: Bench) -> None:
    made = bench.wait_for()
    bench.say(made.id, origin=replace(ORIGIN, boot_id="boot-0"))
    assert len(bench.look()) == 1


def test_an_answer_from_the_future_waits_no_longer_than_any(bench: Bench) -> None:
    made = bench.wait_for()
    bench.clock.move(1000)
    bench.say(made.id)
    bench.clock.move(-1000)
    assert bench.look(0.2) == []
    assert len(bench.look(2.1)) == 1


def test_a_restart_goes_on_behind_the_last_committed_answer(bench: Bench) -> None:
    parts = [bench.wait_for() for _ in range(3)]
    for made in parts:
        bench.say(made.id)
    first = bench.handed(2.5)
    assert len(first) == 3
    bench.commit(first[:2])
    bench.restart()
    (record,) = bench.look()
    assert record.inspection == parts[2].id


def test_labels_are_not_all_read_again_after_a_restart(bench: Bench) -> None:
    about = inspection(101)
    for _ in range(SAVE_AFTER):
        bench.say(about.id, "unsure")
    bench.look()
    bench.look(0.0)
    assert bench.look() == []
    assert bench.journal.state(STATE_THROUGH) == f"{bench.queue.head[0]} {SAVE_AFTER}"
    assert bench.look() == []


def test_a_new_queue_is_read_from_its_beginning(bench: Bench) -> None:
    made, late = bench.wait_for(), bench.wait_for()
    bench.say(made.id)
    assert len(bench.look(2.5)) == 1
    kept = bench.say(late.id, "reject")
    bench.look()
    bench.queue.close()
    for path in bench.folder.glob("queue.db*"):
        path.unlink()
    bench.queue = Journal.open(bench.folder / FILE, "boot-1", 0, "queue")
    other = bench.wait_for()
    bench.say(other.id)
    assert {one.inspection for one in bench.look(2.5)} == {late.id, other.id}
    assert bench.fates(late.id)[0]["verdict"] == kept.id, "read before the file was lost"


def test_a_damaged_queue_is_a_trouble_that_ends(bench: Bench) -> None:
    bench.queue.close()
    for path in bench.folder.glob("queue.db*"):
        path.unlink()
    (bench.folder / FILE).write_bytes(b"no database at all" * 1000)
    assert bench.look() == []
    assert bench.reader.failing is not None
    assert bench.reader.at_deadline(["any"], bench.clock.now_ns) == {}
    (bench.folder / FILE).unlink()
    assert bench.look() == []
    assert bench.reader.failing is None


def test_what_was_read_before_the_queue_was_damaged_counts_at_the_deadline(bench: Bench) -> None:
    made = bench.wait_for()
    given = bench.say(made.id)
    bench.look(0.5)
    bench.queue.close()
    (bench.folder / FILE).write_bytes(b"no database at all" * 1000)
    assert bench.handed(5.0) == [], "it may have been taken back meanwhile"
    found = bench.reader.at_deadline([made.id], bench.clock.now_ns)
    assert found is not None
    entry = found[made.id]
    assert entry is not None
    assert [one.verdict for one in bench.commit([entry])] == [given.id]


def test_an_answer_does_not_count_where_what_follows_it_was_never_read(bench: Bench) -> None:
    """Among that may be that it was taken back."""
    made = bench.wait_for(seconds=1.0)
    given = bench.say(made.id, "accept")
    other = bench.wait_for(seconds=60.0)
    for _ in range(PAGE):
        bench.say(other.id, "unsure")
    bench.take_back(given)
    assert bench.handed() == []
    bench.queue.close()
    whole = (bench.folder / FILE).read_bytes()
    (bench.folder / FILE).write_bytes(b"no database" * 1000)
    bench.clock.move(1.0)
    assert bench.reader.at_deadline([made.id], bench.clock.now_ns) == {}
    (bench.folder / FILE).write_bytes(whole)
    bench.reader.fell_back(made.id)
    assert bench.look(5.0) == []


def test_it_looks_a_few_times_a_second(bench: Bench) -> None:
    made = bench.wait_for()
    assert bench.look() == []
    bench.say(made.id, origin=replace(ORIGIN, boot_id="boot-0"))
    assert bench.handed(1 / SECOND) == []
    assert len(bench.look()) == 1


def test_it_says_how_far_it_has_read_only_once_what_it_did_is_on_the_disk(bench: Bench) -> None:
    made = bench.wait_for()
    given = bench.say(made.id)
    entries = bench.handed(2.5)
    bench.take_back(given)
    bench.handed(0.2)
    assert bench.reader.place == {"epoch": bench.queue.head[0], "seq": 0}
    bench.commit(entries)
    bench.handed(0.2)
    assert bench.reader.place == {"epoch": bench.queue.head[0], "seq": 2}


@pytest.mark.parametrize(
    "broken", [{"verdict": 7}, {"inspection": ["x"]}, {"monotonic_ns": "soon"}, {"boot_id": None}]
)
def test_nonsense_in_an_answer_holds_up_no_other(bench: Bench, broken: dict[str, object]) -> None:
    made = bench.wait_for()
    bench.queue.append([Nonsense(made.id, broken)])
    bench.say(made.id, "reject")
    assert [one.disposition for one in bench.look(2.5)][-1:] == ["reject"]
    assert bench.reader.failing is None


@pytest.mark.parametrize("body", [b'{"id":', b"[]", b"\xff", b"[" * 100_000])
def test_a_record_whose_body_is_damaged_holds_up_no_answer(bench: Bench, body: bytes) -> None:
    damaged, sound = bench.wait_for(), bench.wait_for()
    given = bench.say(damaged.id, "reject")
    bench.queue._database.execute("UPDATE records SET body = ? WHERE subject = ?", (body, given.id))
    bench.say(sound.id, "reject")
    assert [one.inspection for one in bench.look(2.5)] == [sound.id]
    assert bench.reader.failing is None


class Nonsense:
    """A verdict that is none."""

    schema = "verdict/1"
    id = "0190b2a0-0000-7000-8000-000000000000"

    def __init__(self, about: str, broken: dict[str, object]) -> None:
        self._body = {
            "schema": self.schema,
            "id": self.id,
            "inspection": about,
            "verdict": "reject",
            "monotonic_ns": 1,
            "boot_id": "boot-1",
            **broken,
        }

    def content(self) -> dict[str, object]:
        return dict(self._body)


def test_a_part_whose_answer_can_be_undone_is_still_an_open_escalation(bench: Bench) -> None:
    kept, undone = bench.wait_for(), bench.wait_for()
    bench.say(kept.id, "unsure", hold=True)
    bench.take_back(bench.say(undone.id))

    def open_ones() -> set[str]:
        return {one.inspection for one in bench.journal.open_escalations()}

    bench.look(1.9)
    assert open_ones() == {kept.id, undone.id}, "retention keeps these with their pictures"
    bench.look(1.0)
    assert open_ones() == {undone.id}
