"""The queue without files: order, claims, skips, answers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edge.review.board import Board
from edge.review.least import FEWEST
from edge.review.refusal import Refused
from edge.review.standing import Given
from edge.review.waiting import Decided
from tests.edge.review.cases import SECOND, case

ANNA, BERT = "p-0000000a", "p-0000000b"
HELD = Decided("hold", "fallback", "2026-11-20T12:01:00.000Z")


def filled(*cases: object) -> Board:
    board = Board(lease_s=10.0)
    board.fill((one, 100.0 + place) for place, one in enumerate(cases))  # type: ignore[misc]
    return board


def order(board: Board, now_s: float = 0.0) -> list[str]:
    return [row.inspection for row in board.listed(99, round(now_s * SECOND))]


def take(board: Board, who: str, now_s: float = 0.0, wanted: str | None = None) -> str | None:
    held = board.claim(who, f"{who} {now_s}", round(now_s * SECOND), wanted)
    return None if held is None else held.inspection


def answer(board: Board, who: str, verdict: str = "v") -> Given:
    held = board._claims.of(who)
    assert held is not None
    standing = board.begin(who, held.token, held.inspection)
    given = Given(verdict, who, "reject", False, "2026-11-20T12:00:30.000Z")
    board.answered(standing, given)
    return given


def test_the_oldest_deadline_comes_first_then_what_has_none_the_oldest_first() -> None:
    board = filled(
        case("s", "seeded"), case("late", due_s=90), case("c", "check"), case("soon", due_s=30)
    )
    assert order(board) == ["soon", "late", "s", "c"]


def test_each_takes_another_one_and_keeps_it() -> None:
    board = filled(case("a", due_s=30), case("b", due_s=40))
    assert take(board, ANNA) == "a"
    assert take(board, BERT) == "b"
    assert take(board, "p-third") is None
    assert take(board, ANNA, 5) == "a"
    with pytest.raises(Refused, match="somebody else") as refused:
        take(board, ANNA, 5, "b")
    assert refused.value.code == "claimed"
    with pytest.raises(Refused) as refused:
        take(board, ANNA, 5, "unheard of")
    assert refused.value.code == "unknown"


def test_who_takes_another_gives_the_first_back() -> None:
    board = filled(case("a", due_s=30), case("b", due_s=40))
    take(board, ANNA)
    assert take(board, ANNA, 0, "b") == "b"
    assert take(board, BERT) == "a"


def test_a_lease_that_ends_frees_the_case_for_others_only() -> None:
    board = filled(case("a"))
    held = board.claim(ANNA, "token", 0)
    assert held is not None
    assert take(board, BERT, 9.9) is None
    board.renew(ANNA, "token", 9 * SECOND)
    assert take(board, BERT, 18.9) is None
    board.renew(ANNA, "token", 30 * SECOND)  # late, and nobody has taken it
    assert take(board, BERT, 40.0) == "a"
    for use in (
        lambda: board.renew(ANNA, "token", 41 * SECOND),
        lambda: board.begin(ANNA, "token", "a"),
        lambda: board.skip(ANNA, "token", 41 * SECOND),
    ):
        with pytest.raises(Refused) as refused:
            use()
        assert refused.value.code == "expired"


def test_a_claim_is_of_one_person_and_one_case() -> None:
    board = filled(case("a", due_s=30), case("b", due_s=40))
    held = board.claim(ANNA, "token", 0)
    assert held is not None
    for who, about in ((BERT, "a"), (ANNA, "b")):
        with pytest.raises(Refused) as refused:
            board.begin(who, "token", about)
        assert refused.value.code == "expired"
    board.release(BERT, "token")
    assert board.holder("a", 0) == ANNA
    board.release_all(ANNA)
    assert board.holder("a", 0) is None
    board.release(ANNA, "token")


def test_skipped_ones_go_to_the_back_of_their_kind_until_time_is_short() -> None:
    board = filled(case("a", due_s=60), case("b", due_s=70), case("c", "check"), case("d", "check"))
    held = board.claim(ANNA, "t", 0)
    assert held is not None
    board.skip(ANNA, "t", 0)
    assert order(board) == ["b", "a", "c", "d"]
    take(board, ANNA, 0, "c")
    board.skip(ANNA, f"{ANNA} 0", 0)
    assert order(board) == ["b", "a", "d", "c"]
    assert order(board, 39.9) == ["b", "a", "d", "c"]
    assert order(board, 40.0) == ["a", "b", "d", "c"], "the last third of its minute"
    take(board, ANNA, 41, "a")
    board.skip(ANNA, f"{ANNA} 41", 41 * SECOND)
    assert order(board, 41) == ["a", "b", "d", "c"]


def test_one_whose_time_is_all_but_over_lets_those_go_first_that_can_be_answered() -> None:
    board = filled(
        case("a", due_s=30), case("b", due_s=33), case("c", due_s=60), case("s", "check")
    )
    assert board.next(ANNA, 25 * SECOND) == "a", "five seconds are enough"
    assert board.next(ANNA, 26 * SECOND) == "b"
    assert board.next(ANNA, 26 * SECOND, behind="b") == "c"
    assert take(board, ANNA, 29) == "c"
    assert take(board, BERT, 29) == "a", "no other escalation is left, and it comes before a check"
    assert order(board, 29)[:2] == ["a", "b"]


def test_who_answers_slower_than_parts_come_gets_each_with_time_to_answer() -> None:
    due_s = [60 + second for second in range(200)]
    board = filled(*(case(f"{one:03}", due_s=one) for one in due_s))
    for now_s in range(100, 190, 3):
        for gone in due_s[: now_s - 60]:
            board.decided(f"{gone:03}", HELD)
        name = take(board, ANNA, now_s)
        assert name is not None
        assert int(name) >= now_s + 5
        answer(board, ANNA)


def test_a_case_without_a_deadline_gives_way_to_an_escalation() -> None:
    board = filled(case("c", "check"))
    assert take(board, ANNA) == "c"
    board.add(case("a"), 200.0)
    assert board.waiting(0, 300.0).pressing is False
    assert board.waiting(40 * SECOND, 300.0).pressing is True
    assert take(board, BERT, 1) == "a"
    assert board.waiting(40 * SECOND, 300.0).pressing is True, "the lease is over"
    board.add(case("b"), 200.0)
    assert take(board, ANNA, 2) == "b"
    assert take(board, "p-third", 2) == "c"


def test_the_first_answer_wins() -> None:
    board = filled(case("a"))
    take(board, ANNA)
    standing = board.begin(ANNA, f"{ANNA} 0.0", "a")
    for use in (lambda: take(board, BERT, 0, "a"), lambda: board.begin_free(BERT, "a", 0)):
        with pytest.raises(Refused) as refused:
            use()
        assert refused.value.code == "answered"
    board.answered(standing, Given("v", ANNA, "accept", False, "12:00:30"))
    with pytest.raises(Refused) as refused:
        take(board, BERT, 0, "a")
    assert (refused.value.code, refused.value.facts["by"], refused.value.facts["at"]) == (
        "answered",
        ANNA,
        "12:00:30",
    )
    assert order(board) == []
    assert board.find("a") is board.by_verdict("v")


def test_while_an_answer_is_being_written_nobody_is_offered_the_case() -> None:
    board = filled(case("a"))
    take(board, ANNA)
    standing = board.begin(ANNA, f"{ANNA} 0.0", "a")
    assert take(board, BERT) is None
    board.give_back(standing)
    assert take(board, BERT) == "a"


def test_an_answer_that_was_taken_back_lets_the_case_wait_again() -> None:
    board = filled(case("a", due_s=60), case("b", due_s=70))
    take(board, ANNA)
    answer(board, ANNA)
    assert order(board) == ["b"]
    standing = board.find("a")
    assert standing is not None
    board.reopen(standing)
    assert order(board) == ["a", "b"]
    take(board, BERT)
    answer(board, BERT, "w")
    board.decided("a", replace(HELD, by="person", verdict="w"))
    board.reopen(standing)
    assert order(board) == ["b"], "it is decided"


def test_a_part_that_is_decided_can_still_get_a_label_from_who_looks_at_it() -> None:
    board = filled(case("a"), case("b", due_s=70))
    take(board, ANNA)
    board.decided("a", HELD)
    assert order(board) == ["b"]
    with pytest.raises(Refused) as refused:
        take(board, BERT, 0, "a")
    assert (refused.value.code, refused.value.facts["disposition"]) == ("too_late", "hold")
    with pytest.raises(Refused) as refused:
        board.renew(ANNA, f"{ANNA} 0.0", 0)
    assert refused.value.code == "too_late"
    assert board.begin(ANNA, f"{ANNA} 0.0", "a").fate == HELD
    assert take(board, ANNA) == "b"


def test_what_waits_is_counted() -> None:
    board = filled(
        case("a", due_s=60),
        case("x", due_s=20, alone=True),
        case("c", "check"),
        case("b", due_s=50),
    )
    now = board.waiting(10 * SECOND, 160.0)
    assert (now.count, now.escalations, now.alone) == (4, 2, 2)
    assert (now.oldest_s, now.next_deadline_s) == (60.0, 10.0)
    board.decided("x", HELD)
    board.decided("a", HELD)
    now = board.waiting(10 * SECOND, 160.0)
    assert (now.count, now.escalations, now.alone) == (2, 1, 1)
    assert (now.oldest_s, now.next_deadline_s) == (58.0, 40.0)
    board.withdraw("c")
    board.decided("b", HELD)
    empty = board.waiting(10 * SECOND, 160.0)
    assert (empty.count, empty.oldest_s, empty.next_deadline_s) == (0, None, None)


def test_a_row_says_nothing_of_a_case_that_is_shown_alone() -> None:
    board = filled(case("a", due_s=60), case("x", due_s=20, alone=True))
    take(board, ANNA)
    alone, plain = board.listed(9, 5 * SECOND, BERT)
    assert (alone.alone, alone.left_s, alone.claimed, alone.mine) == (True, None, True, False)
    assert (plain.alone, plain.left_s, plain.claimed) == (False, 55.0, False)
    assert board.listed(1, 5 * SECOND, ANNA)[0].mine
    assert [row.claimed for row in board.listed(9, 15 * SECOND)] == [False, False]


def test_many_of_one_cause_are_one_group() -> None:
    blurred = [case(f"b{n}", doubts=("blurred", "black")) for n in range(6)]
    others = [case(f"u{n}") for n in range(9)] + [case(f"l{n}", reason="late") for n in range(5)]
    hidden = [case(f"x{n}", doubts=("blurred",), alone=True) for n in range(9)]
    board = filled(*blurred, *others, *hidden)
    first, second = board.groups()
    assert (first.cause, first.count, first.inspections[0]) == ("blurred", 6, "b0")
    assert (second.cause, second.count) == ("late", 5)
    assert len(board.groups(3)[0].inspections) == 3
    board.decided("l0", HELD)
    take(board, ANNA, 0, "b0")
    assert [group.cause for group in board.groups()] == ["blurred"]
    answer(board, ANNA)
    assert board.groups()[0].count == 5


def test_a_deadline_that_begins_anew_is_the_one_that_counts() -> None:
    board = filled(case("a", due_s=60), case("b", due_s=70))
    board.add(case("a", due_s=90), 100.0)
    assert order(board) == ["b", "a"]
    assert board.waiting(0, 200.0).next_deadline_s == 70.0
    assert len(board) == 2
    board.decided("b", HELD)
    board.add(case("b", due_s=10), 100.0)
    assert order(board) == ["a"], "what is over stays over"


def test_one_that_waits_for_months_keeps_no_others_in_memory() -> None:
    board = filled(case("old", "check"))
    for number in range(5 * FEWEST):
        board.add(case(f"e{number}", due_s=number + 60), 200.0 + number)
        board.decided(f"e{number}", HELD)
        assert board.waiting(0, 300.0).oldest_s == 200.0
    assert len(board._since._heap) <= FEWEST + 1
    assert board.waiting(0, 300.0).next_deadline_s is None


def test_a_case_that_comes_twice_at_once_is_one() -> None:
    board = filled(case("a"), case("a"))
    assert order(board) == ["a"]
    board.decided("a", HELD)
    assert take(board, ANNA) is None
