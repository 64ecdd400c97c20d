"""The rules of the queue, over a real chain."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from edge.records import utc
from edge.review.answers import HAND_OVER, Answers
from edge.review.board import Board
from edge.review.case import Case
from edge.review.chain import Chain
from edge.review.lineside import Read
from edge.review.pen import Typed, Words
from edge.review.refusal import Refused
from edge.review.verdicts import FILE, after, latest
from edge.review.waiting import Claim, Decided, Outcome
from edge.store.archive import Archive
from tests.edge.review.cases import SECOND, case
from tests.edge.store.builders import ORIGIN, inspection
from tests.edge.workers.parts import FakeClock

ANNA, BERT = "p-0000000a", "p-0000000b"


@dataclass
class Line:
    """What the line says."""

    records: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    fates: dict[str, Decided] = field(default_factory=dict)
    place: Read | None = field(default_factory=lambda: Read(True, None, 0))
    failing: bool = False

    def inspection(self, name: str) -> Mapping[str, Any] | None:
        if self.failing:
            raise sqlite3.OperationalError("database is locked")
        return self.records.get(name)

    def fate(self, name: str) -> Decided | None:
        if self.failing:
            raise sqlite3.OperationalError("database is locked")
        return self.fates.get(name)

    def read(self) -> Read | None:
        return self.place


class Bench:
    def __init__(self, folder: Path) -> None:
        self.folder, self.clock, self.line = folder, FakeClock(), Line()
        self.chain = Chain(folder, "boot-1", self.clock)
        self.answers = self.begin()

    def begin(self) -> Answers:
        board = Board(lease_s=30.0)
        return Answers(board, self.chain, self.clock, ORIGIN, self.line, undo_s=2.0)

    def waits(self, *cases: Case) -> None:
        self.answers.fill([(one, self.clock.wall()) for one in cases])

    def soon(self, name: str, after_s: float = 60.0, **more: Any) -> Case:
        """A case whose deadline is so long from now."""
        made = case(name, due_s=self.clock.now_ns / SECOND + after_s, **more)
        self.waits(made)
        return made

    def claim(self, who: str, name: str | None = None) -> Claim:
        claim = self.answers.claim(who, name)
        assert claim is not None
        return claim

    def say(self, who: str, name: str, said: str = "reject", **more: Any) -> Outcome:
        claim = self.claim(who, name)
        return self.answers.verdict(who, claim.token, name, f"sha-{name}", said, **more)

    def decide(self, name: str, fate: Decided) -> None:
        self.line.fates[name] = fate
        self.answers.decided(name, fate)

    def by_line(self, outcome: Outcome, said: Any = "reject") -> None:
        at = utc(self.clock.wall())
        self.decide(outcome.inspection, Decided(said, "person", at, outcome.id))

    def reads_all(self) -> None:
        self.line.place = Read(True, *self.chain.head[:2])

    def records(self) -> list[dict[str, Any]]:
        with Archive(self.folder / FILE) as queue:
            return [dict(record) for _, record in after(queue, 0)]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.chain.close()


def refusal(use: Any) -> Refused:
    with pytest.raises(Refused) as refused:
        use()
    return refused.value


def test_an_answer_is_recorded_whole_and_can_be_undone_for_a_while(bench: Bench) -> None:
    bench.soon("a")
    claim = bench.claim(ANNA)
    assert (claim.lease_s, claim.left_s, claim.may_see) == (30.0, 60.0, True)
    done = bench.answers.verdict(
        ANNA, claim.token, "a", "sha-a", "reject", label="scratch", note="at the rim", via="api"
    )
    assert (done.state, done.undo_s, done.answer, done.fate) == ("recorded", 2.0, None, None)
    (made,) = bench.records()
    names = ("id", "by", "account", "label", "note", "via", "basis", "picture", "answer_shown")
    assert [made[name] for name in names] == [
        done.id, ANNA, None, "scratch", "at the rim", "api", "picture", "sha-a", True
    ]  # fmt: skip
    assert (made["verdict"], made["hold"], made["part_id"]) == ("reject", False, "P-a")
    state = bench.answers.state("a", ANNA)
    assert (state["state"], state["by_me"], state["fate"]) == ("answered", True, None)
    assert bench.answers.state("a", BERT)["by_me"] is False
    assert bench.answers.claim(ANNA) is None


def test_the_undo_ends_with_the_deadline(bench: Bench) -> None:
    bench.soon("a", 0.5)
    assert bench.say(ANNA, "a").undo_s == 0.5


def test_the_next_case_is_named_and_not_claimed(bench: Bench) -> None:
    bench.soon("a", 60)
    bench.soon("b", 70)
    claim = bench.claim(ANNA)
    assert claim.next is not None
    assert claim.next.inspection == "b"
    assert bench.claim(BERT).case.inspection == "b"
    assert bench.claim(ANNA).next is None


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"picture": "another"}, "wrong_picture"),
        ({"picture": None}, "wrong_picture"),
        ({"claim": "made up"}, "expired"),
        ({"who": BERT}, "expired"),
        ({"inspection": "b", "picture": "sha-b"}, "expired"),
        ({"inspection": "never", "picture": "sha-a"}, "expired"),
        ({"verdict": "maybe"}, "nonsense"),
        ({"verdict": None}, "nonsense"),
        ({"label": "x" * 101}, "nonsense"),
        ({"note": 7}, "nonsense"),
        ({"note": "a\x00b"}, "nonsense"),
        ({"label": "\ud800"}, "nonsense"),
    ],
)
def test_what_is_refused_records_nothing_and_spoils_nothing(
    bench: Bench, changed: dict[str, Any], code: str
) -> None:
    bench.soon("a")
    bench.soon("b")
    claim = bench.claim(ANNA, "a")
    right = {
        "who": ANNA,
        "claim": claim.token,
        "inspection": "a",
        "picture": "sha-a",
        "verdict": "reject",
    }
    assert refusal(lambda: bench.answers.verdict(**{**right, **changed})).code == code
    assert bench.records() == []
    assert bench.answers.verdict(**right).state == "recorded"  # type: ignore[arg-type]


def test_a_second_tap_is_a_replay(bench: Bench) -> None:
    bench.soon("a", 60)
    bench.soon("b", 70)
    claim = bench.claim(ANNA)
    words = (ANNA, claim.token, "a", "sha-a", "reject")
    bench.answers.verdict(*words)
    bench.claim(ANNA)
    for _ in range(3):
        assert refusal(lambda: bench.answers.verdict(*words)).code == "replayed"
    assert len(bench.records()) == 1


def test_of_many_answers_at_the_same_moment_one_is_recorded(bench: Bench) -> None:
    bench.soon("a")
    claim = bench.claim(ANNA)
    begin, found = threading.Barrier(8), []

    def tap() -> None:
        begin.wait()
        try:
            done = bench.answers.verdict(ANNA, claim.token, "a", "sha-a", "reject")
            found.append(done.state)
        except Refused as refused:
            found.append(refused.code)  # type: ignore[arg-type]

    threads = [threading.Thread(target=tap) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found.count("recorded") == 1
    assert len(bench.records()) == 1


def test_the_second_person_is_told_who_was_first(bench: Bench) -> None:
    bench.soon("a")
    first = bench.claim(ANNA)
    bench.clock.move(31)
    second = bench.claim(BERT, "a")
    bench.answers.verdict(BERT, second.token, "a", "sha-a", "accept")
    words = (ANNA, first.token, "a", "sha-a", "reject")
    assert refusal(lambda: bench.answers.verdict(*words)).code == "expired"
    late = refusal(lambda: bench.answers.claim(ANNA, "a"))
    assert (late.code, late.facts["by"], late.facts["verdict"]) == ("answered", BERT, "accept")
    assert refusal(lambda: bench.answers.renew(ANNA, first.token)).code == "expired"


@pytest.mark.parametrize(
    "error", [sqlite3.OperationalError("database or disk is full"), MemoryError(), RuntimeError()]
)
def test_where_the_disk_refuses_the_claim_is_still_good(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    bench.soon("a")
    claim = bench.claim(ANNA)
    words = (ANNA, claim.token, "a", "sha-a", "reject")

    def full(*words: object, **more: object) -> None:
        raise error

    with monkeypatch.context() as now:
        now.setattr(Chain, "append", full)
        assert refusal(lambda: bench.answers.verdict(*words)).code == "not_now"
        together = [("a", "sha-a")]
        use = lambda: bench.answers.together(ANNA, together, "hold")  # noqa: E731
        assert refusal(use).code == "not_now"
    assert bench.claim(ANNA, "a").case.inspection == "a"
    claim = bench.claim(ANNA, "a")
    assert bench.answers.verdict(ANNA, claim.token, "a", "sha-a", "reject").state == "recorded"


def test_an_answer_that_cannot_be_read_cannot_be_taken_back_now(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.soon("a")
    given = bench.say(ANNA, "a")

    def damaged(*words: object) -> None:
        raise sqlite3.DatabaseError("database disk image is malformed")

    monkeypatch.setattr(Archive, "record", damaged)
    assert refusal(lambda: bench.answers.undo(ANNA, str(given.id))).code == "not_now"
    assert bench.answers.state("a")["state"] == "answered"


def test_unsure_and_skip_ask_about_the_others_first(bench: Bench) -> None:
    bench.soon("a", 60)
    bench.soon("b", 70)
    done = bench.say(ANNA, "a", "unsure")
    assert (done.state, done.undo_s) == ("recorded", 0.0)
    assert bench.records()[0]["verdict"] == "unsure"
    claim = bench.claim(ANNA)
    assert claim.case.inspection == "b"
    bench.answers.skip(ANNA, claim.token)
    assert bench.claim(ANNA).case.inspection == "a"
    assert len(bench.records()) == 1


def test_what_was_shown_alone_is_revealed_and_can_no_longer_be_undone(bench: Bench) -> None:
    bench.waits(case("c", "check"))
    bench.soon("x", alone=True)
    claim = bench.claim(ANNA, "x")
    assert (claim.left_s, claim.may_see) == (None, False)
    done = bench.answers.verdict(ANNA, claim.token, "x", "sha-x", "reject")
    assert (done.answer, done.undo_s) == ({"score": 0.5}, 0.0)
    check = bench.say(ANNA, "c", "unsure")
    assert check.answer == {"score": 0.5}
    assert [record["answer_shown"] for record in bench.records()] == [False, False]
    assert done.id is not None
    back = bench.answers.undo(ANNA, done.id)
    assert (back.state, back.corrected, back.fate) == ("too_late", True, None)
    last = bench.records()[-1]
    assert (last["undo"], last["to"], last["answer_shown"]) == (False, None, True)
    assert not bench.answers.waits("x")


def test_who_has_seen_the_answer_is_not_blind(bench: Bench) -> None:
    bench.waits(case("c", "check"))
    bench.answers.saw(ANNA, "c")
    assert bench.claim(ANNA).may_see
    bench.say(ANNA, "c")
    assert bench.records()[0]["answer_shown"] is True


def test_undone_is_said_once_the_line_has_said_so(bench: Bench) -> None:
    bench.soon("a")
    given = bench.say(ANNA, "a")
    assert given.id is not None
    assert refusal(lambda: bench.answers.undo(BERT, str(given.id))).code == "not_allowed"
    assert refusal(lambda: bench.answers.undo(ANNA, "nothing")).code == "unknown"
    back = bench.answers.undo(ANNA, given.id)
    assert back.state == "undoing"
    last = bench.records()[-1]
    assert (last["undo"], last["verdict"], last["to"]) == (True, given.id, None)
    state = bench.answers.state("a", ANNA)
    assert (state["state"], state["undo"], state["answer"]) == ("waiting", "undoing", None)
    bench.reads_all()
    assert bench.answers.state("a")["undo"] == "undone"
    assert bench.answers.undo(ANNA, given.id).state == "undone"
    assert len(bench.records()) == 2, "asked again, nothing is recorded again"
    assert bench.say(BERT, "a", "accept").state == "recorded"
    assert bench.answers.state("a")["undo"] == "undone"


def test_an_undo_that_the_line_came_before_is_too_late(bench: Bench) -> None:
    bench.soon("a")
    given = bench.say(ANNA, "a")
    bench.line.fates["a"] = Decided("reject", "person", "2026-11-20T14:02:31.000Z", given.id)
    back = bench.answers.undo(ANNA, str(given.id))
    assert back.state == "undoing", "nobody here has heard of it yet"
    bench.reads_all()
    assert bench.answers.state("a")["undo"] == "too_late"
    bench.decide("a", bench.line.fates["a"])
    again = bench.answers.undo(ANNA, str(given.id))
    assert (again.state, again.corrected, again.fate) == ("too_late", True, bench.line.fates["a"])
    assert not bench.answers.waits("a")


def test_too_late_the_label_is_taken_back(bench: Bench) -> None:
    bench.soon("a")
    given = bench.say(ANNA, "a")
    bench.by_line(given)
    back = bench.answers.undo(ANNA, str(given.id))
    assert (back.state, back.corrected) == ("too_late", True)
    assert back.fate is not None
    assert back.fate.verdict == given.id
    assert bench.records()[-1]["undo"] is False
    last = latest(bench.chain, "a")
    assert last is not None
    assert last["verdict"] is None


@pytest.mark.parametrize(
    ("place", "state"),
    [
        (None, "undoing"),
        (Read(False), "undone"),
        (Read(True, "another epoch", 99), "undoing"),
    ],
)
def test_what_a_line_says_that_does_not_run_or_says_nothing(
    bench: Bench, place: Read | None, state: str
) -> None:
    bench.soon("a")
    given = bench.say(ANNA, "a")
    bench.line.place = place
    assert bench.answers.undo(ANNA, str(given.id)).state == state


def test_while_the_line_s_records_cannot_be_read_nothing_is_certain(bench: Bench) -> None:
    bench.soon("a")
    given = bench.say(ANNA, "a")
    bench.reads_all()
    bench.line.failing = True
    bench.answers.undo(ANNA, str(given.id))
    bench.reads_all()
    assert bench.answers.state("a")["undo"] == "undoing"
    bench.line.failing = False
    assert bench.answers.state("a")["undo"] == "undone"


def test_after_a_restart_answers_are_undone_as_before(bench: Bench) -> None:
    made = bench.soon("a")
    given = bench.say(ANNA, "a")
    bench.answers = bench.begin()
    bench.waits(made)
    back = bench.answers.undo(ANNA, str(given.id))
    assert back.state == "undoing"
    assert bench.records()[-1]["undo"] is True


def test_the_first_of_two_answers_is_taken_back_and_the_second_stays_the_last_word(
    bench: Bench,
) -> None:
    bench.soon("a")
    first = bench.say(ANNA, "a")
    second = bench.answers.typed("bert", "a", Words("accept", via="command"), Typed("r-1", "bert"))
    assert second.state == "recorded"
    bench.answers.undo(ANNA, str(first.id))
    assert bench.records()[-1]["verdict"] == first.id
    last = latest(bench.chain, "a")
    assert last is not None
    assert (last["id"], last["verdict"]) == ("r-1", "accept")


def test_an_old_undo_that_is_sent_again_takes_back_no_later_answer(bench: Bench) -> None:
    bench.soon("a")
    first = bench.say(ANNA, "a")
    bench.answers.undo(ANNA, str(first.id))
    bench.answers.undo(ANNA, str(bench.say(ANNA, "a").id))
    third = bench.say(ANNA, "a", "accept")
    bench.answers.undo(ANNA, str(first.id))
    assert not bench.answers.waits("a")
    assert bench.answers.state("a")["state"] == "answered"
    last = latest(bench.chain, "a")
    assert last is not None
    assert last["id"] == third.id


def test_of_a_second_undo_the_line_must_have_heard_too(bench: Bench) -> None:
    bench.soon("a")
    first = bench.say(ANNA, "a")
    bench.answers.undo(ANNA, str(first.id))
    bench.reads_all()
    assert bench.answers.state("a")["undo"] == "undone"
    second = bench.say(ANNA, "a")
    assert bench.answers.undo(ANNA, str(second.id)).state == "undoing"
    bench.reads_all()
    assert bench.answers.state("a")["undo"] == "undone"


def test_what_the_line_commits_counts_even_where_it_seemed_not_to_run(bench: Bench) -> None:
    bench.soon("a")
    given = bench.say(ANNA, "a")
    bench.line.place = Read(False)
    assert bench.answers.undo(ANNA, str(given.id)).state == "undone"
    bench.by_line(given)
    assert bench.answers.state("a")["undo"] == "too_late"


def test_a_decided_part_gets_a_label_from_who_looks_at_it(bench: Bench) -> None:
    bench.soon("a")
    claim = bench.claim(ANNA)
    held = Decided("hold", "fallback", "2026-11-20T14:02:31.000Z")
    bench.decide("a", held)
    done = bench.answers.verdict(ANNA, claim.token, "a", "sha-a", "reject")
    assert (done.fate, done.undo_s) == (held, 0.0)
    late = refusal(lambda: bench.answers.claim(BERT, "a"))
    assert late.code == "answered"


def test_several_are_held_or_rejected_together_never_accepted(bench: Bench) -> None:
    for number in range(6):
        bench.soon(f"b{number}", doubts=("blurred",))
    bench.soon("x", alone=True)
    (group,) = bench.answers.groups()
    assert group.count == 6
    bench.claim(BERT, "b1")
    parts = [(name, f"sha-{name}") for name in (*group.inspections, "x", "never")]
    parts[2] = ("b2", "another")
    for said in ("accept", "unsure", None):
        wrong = refusal(lambda said=said: bench.answers.together(ANNA, parts, said))
        assert wrong.code == "nonsense"
    assert refusal(lambda: bench.answers.together(ANNA, [], "hold")).code == "nonsense"
    done = bench.answers.together(ANNA, parts, "hold", note="lens")
    assert [one.refused for one in done] == [
        None, "claimed", "wrong_picture", None, None, None, "not_allowed", "unknown"
    ]  # fmt: skip
    assert [one.inspection for one in done] == [name for name, _ in parts]
    made = bench.records()
    assert len(made) == 4
    assert {(one["verdict"], one["hold"], one["note"]) for one in made} == {
        ("unsure", True, "lens")
    }
    assert {one["basis"] for one in made} == {"part"}
    assert bench.answers.groups() == []
    assert done[0].id is not None
    assert bench.answers.undo(ANNA, done[0].id).state == "undoing"


def test_a_label_is_corrected_by_its_giver_or_a_lead_with_a_reason(bench: Bench) -> None:
    bench.soon("a")
    waiting = lambda: bench.answers.correct(ANNA, "a", "accept", None, "slip")  # noqa: E731
    assert refusal(waiting).code == "not_allowed"
    given = bench.say(ANNA, "a")
    bench.by_line(given)
    correct = bench.answers.correct
    assert refusal(lambda: correct(BERT, "a", "accept", None, "x")).code == "not_allowed"
    assert refusal(lambda: correct(ANNA, "a", "accept", None, "")).code == "nonsense"
    assert refusal(lambda: correct(ANNA, "a", "hold", None, "x")).code == "nonsense"
    assert refusal(lambda: correct(ANNA, "nothing", "accept", None, "x")).code == "unknown"
    done = correct(ANNA, "a", "accept", None, "a reflection")
    assert (done.state, done.corrected) == ("recorded", True)
    correct(BERT, "a", "reject", "dent", "looked again", others=True)
    first, second = bench.records()[-2:]
    assert (first["verdict"], first["to"], first["reason"]) == (given.id, "accept", "a reflection")
    assert (first["undo"], first["answer_shown"]) == (False, True)
    assert (second["verdict"], second["to"], second["label"]) == (given.id, "reject", "dent")
    assert len(bench.line.fates) == 1


def test_parts_that_nobody_was_asked_about_can_be_labelled(bench: Bench) -> None:
    made = inspection(1, part="P-1")
    bench.line.records[made.id] = {**made.content(), "epoch": "e", "seq": 1}
    bench.answers.correct(ANNA, made.id, "reject", None, "came back from the customer", others=True)
    (record,) = bench.records()
    assert (record["inspection"], record["verdict"], record["to"]) == (made.id, None, "reject")
    bench.line.failing = True
    use = lambda: bench.answers.correct(ANNA, "other", None, None, "x", others=True)  # noqa: E731
    assert refusal(use).code == "not_now"


def test_a_typed_answer_needs_no_claim_and_is_applied_once(bench: Bench) -> None:
    bench.soon("a")
    bench.claim(BERT)
    words, typed = Words("hold", None, None, "command"), Typed("r-1", "root", "part")
    done = bench.answers.typed("anna", "a", words, typed)
    assert (done.state, done.id, done.undo_s) == ("recorded", "r-1", 2.0)
    assert bench.answers.typed("anna", "a", words, typed).id == "r-1"
    (made,) = bench.records()
    assert (made["id"], made["by"], made["account"], made["basis"], made["via"]) == (
        "r-1",
        "anna",
        "root",
        "part",
        "command",
    )
    assert not bench.answers.waits("a")
    unknown = lambda: bench.answers.typed("anna", "no", words, Typed("r-2", None))  # noqa: E731
    assert refusal(unknown).code == "unknown"


def test_the_end_of_a_shift(bench: Bench) -> None:
    assert bench.answers.last_hand_over() is None
    for name in "abc":
        bench.soon(name)
    bench.say(ANNA, "a")
    bench.say(ANNA, "b")
    claim = bench.claim(ANNA)
    over = bench.answers.hand_over(ANNA, "Otto knows about lane 3")
    assert (over.waiting, over.answered, over.by) == (1, 2, ANNA)
    assert refusal(lambda: bench.answers.renew(ANNA, claim.token)).code == "expired"
    record = bench.records()[-1]
    assert (record["schema"], record["action"], record["by"]) == ("access/1", "hand_over", ANNA)
    assert record["details"] == {"waiting": 1, "escalations": 1, "answered": 2}
    assert "Otto" not in str(record), "names are in no record"
    assert bench.begin().last_hand_over() == over
    assert bench.answers.hand_over(ANNA, None).answered == 0
    assert refusal(lambda: bench.answers.hand_over(ANNA, "x" * 1001)).code == "nonsense"


@pytest.mark.parametrize("kept", ['{"by":', "{}", "[]", "7", '{"by": 1, "newer": 2}'])
def test_a_hand_over_that_cannot_be_read_is_none(bench: Bench, kept: str) -> None:
    """Every page asks for it."""
    bench.chain.append([], {HAND_OVER: kept})
    assert bench.answers.last_hand_over() is None


def test_what_is_said_of_parts_that_are_over_for_long(bench: Bench) -> None:
    made = inspection(1)
    bench.line.records[made.id] = {**made.content(), "epoch": "e", "seq": 1}
    assert bench.answers.state(made.id)["state"] == "waiting"
    bench.line.fates[made.id] = Decided("accept", "model", "2026-11-20T12:00:00.000Z")
    state = bench.answers.state(made.id, ANNA)
    assert (state["state"], state["by_me"], state["answer"]) == ("decided", False, None)
    assert refusal(lambda: bench.answers.state("nothing")).code == "unknown"
