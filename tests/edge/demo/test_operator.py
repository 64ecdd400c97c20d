from dataclasses import dataclass, field

import pytest

from edge.demo.operator import IDLE_S, LEAVES_S, LOOKS_S, UNSURE, WRONG, Asked, Operator, Waiting

ALLOWED_S = 60.0
TYPES = ("scratch", "dent")


@dataclass
class Desk:
    """A queue in memory."""

    parts: list[Waiting]
    gone: set[str] = field(default_factory=set)
    answers: list[tuple[str, str, str | None]] = field(default_factory=list)
    claims: list[str] = field(default_factory=list)

    def waiting(self):
        return self.parts

    def claim(self, inspection):
        self.claims.append(inspection)
        return None if inspection in self.gone else Asked("token", inspection, "hash", TYPES)

    def answer(self, asked, verdict, label):
        self.answers.append((asked.inspection, verdict, label))
        return asked.inspection not in self.gone


def chances(*given):
    """These chances first, then one that errs in nothing."""
    left = list(given)
    return lambda: left.pop(0) if left else 0.9


def ripe(name, claimed=False):
    return Waiting(name, ALLOWED_S - LEAVES_S, claimed)


def test_it_takes_the_first_part_looks_for_a_while_and_answers_with_the_truth():
    desk = Desk([ripe("a"), ripe("b")])
    operator = Operator(desk, {"a": "defect/scratch"}.get, ALLOWED_S, chances(0.5))
    assert operator.step(100.0) == pytest.approx(100.0 + sum(LOOKS_S) / 2)
    assert desk.claims == ["a"]
    assert not desk.answers
    operator.step(103.0)
    assert desk.answers == [("a", "reject", "scratch")]
    assert operator.answered == 1


def test_what_somebody_has_claimed_is_left_alone():
    desk = Desk([ripe("mine", claimed=True), ripe("free")])
    Operator(desk, dict.get, ALLOWED_S, chances()).step(0.0)
    assert desk.claims == ["free"]


def test_a_part_that_came_just_now_is_left_to_a_person():
    desk = Desk([Waiting("new", ALLOWED_S - LEAVES_S + 0.1, False)])
    operator = Operator(desk, dict.get, ALLOWED_S, chances())
    assert operator.step(7.0) == 7.0 + IDLE_S
    assert not desk.claims


def test_a_part_without_a_deadline_may_be_taken_at_any_time():
    desk = Desk([Waiting("check", None, False)])
    Operator(desk, dict.get, ALLOWED_S, chances()).step(0.0)
    assert desk.claims == ["check"]


def test_a_part_that_is_gone_meanwhile_is_not_answered():
    desk = Desk([ripe("a")], gone={"a"})
    operator = Operator(desk, {"a": "good"}.get, ALLOWED_S, chances())
    assert operator.step(0.0) == IDLE_S
    operator.step(IDLE_S)
    assert not desk.answers


def test_an_answer_that_came_second_is_not_counted():
    desk = Desk([ripe("a")])
    operator = Operator(desk, {"a": "good"}.get, ALLOWED_S, chances())
    operator.step(0.0)
    desk.gone.add("a")
    operator.step(4.0)
    assert desk.answers == [("a", "accept", None)]
    assert operator.answered == 0


@pytest.mark.parametrize(
    ("truth", "chance", "said"),
    [
        ("good", (UNSURE, WRONG), ("accept", None)),
        ("good", (UNSURE, WRONG - 1e-9), ("reject", None)),
        ("good", (UNSURE - 1e-9,), ("unsure", None)),
        ("defect/dent", (UNSURE, WRONG), ("reject", "dent")),
        ("defect/hole", (UNSURE, WRONG), ("reject", None)),
        ("defect/dent", (UNSURE, WRONG - 1e-9), ("accept", None)),
        (None, (UNSURE, WRONG), ("unsure", None)),
    ],
)
def test_it_errs_as_often_as_stated_and_no_more(truth, chance, said):
    operator = Operator(Desk([]), dict.get, ALLOWED_S, chances(*chance))
    assert operator.judge(truth, TYPES) == said
