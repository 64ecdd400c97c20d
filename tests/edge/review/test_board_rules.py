"""The board against a simple model: whatever happens, no case is lost, doubled or out of order."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from edge.review.board import Board
from edge.review.lineup import LAST, SHORT_NS
from edge.review.refusal import Refused
from edge.review.standing import Given
from edge.review.waiting import Decided
from tests.edge.review.cases import SECOND, case

PERSONS = ("anna", "bert", "cleo")
LEASE_S = 10.0
ALLOWED_S = 30.0


@dataclass
class Known:
    number: int
    due_s: float | None
    skipped: int | None = None
    verdict: str | None = None
    decided: bool = False

    def key(self, now_s: float) -> tuple[float, float, str]:
        name = f"{self.number:04}"
        if self.due_s is None:
            return (2, self.number, name) if self.skipped is None else (3, self.skipped, name)
        short = now_s >= self.due_s - ALLOWED_S / 3
        if self.skipped is None or short:
            return 0, self.due_s, name
        return 1, self.skipped, name


class Rules(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.board = Board(LEASE_S)
        self.now_s = 0.0
        self.numbers = itertools.count(1)
        self.known: dict[str, Known] = {}
        self.claims: dict[str, tuple[str, str, float]] = {}

    @property
    def now_ns(self) -> int:
        return round(self.now_s * SECOND)

    def waiting(self) -> list[str]:
        open_ones = [n for n, k in self.known.items() if k.verdict is None and not k.decided]
        return sorted(open_ones, key=lambda name: self.known[name].key(self.now_s))

    def first(self, free: list[str]) -> str:
        """Of these in their order: one that leaves time to look at it, where there is one."""
        short_s = min(SHORT_NS / SECOND, ALLOWED_S / LAST)
        dues = [(name, self.known[name].due_s) for name in free]
        timely = [n for n, due_s in dues if due_s is not None and due_s - self.now_s >= short_s]
        return (timely or free)[0]

    def live(self) -> dict[str, str]:
        """Who has which case in hand now."""
        return {who: name for who, (name, _, end) in self.claims.items() if end > self.now_s}

    @initialize(dues=st.lists(st.integers(1, 60), min_size=2, max_size=5))
    def some_wait(self, dues: list[int]) -> None:
        self.comes(escalated=False, after=0)
        for after in dues:
            self.comes(escalated=True, after=after)
            self.claims_the_next(PERSONS[after % 3])

    @rule(escalated=st.booleans(), after=st.integers(1, 60))
    def comes(self, escalated: bool, after: int) -> None:
        number = next(self.numbers)
        due_s = self.now_s + after if escalated else None
        kind = "escalation" if escalated else "check"
        name = f"{number:04}"
        self.board.add(case(name, kind, due_s, allowed_s=ALLOWED_S), self.now_s)  # type: ignore[arg-type]
        self.known[name] = Known(number, due_s)

    @rule(seconds=st.integers(1, 25))
    def time_goes_by(self, seconds: int) -> None:
        self.now_s += seconds

    @rule(who=st.sampled_from(PERSONS))
    def claims_the_next(self, who: str) -> None:
        token = f"t{next(self.numbers)}"
        held = self.board.claim(who, token, self.now_ns)
        others = {name for other, name in self.live().items() if other != who}
        free = [name for name in self.waiting() if name not in others]
        if held is None:
            assert free == []
            self.claims.pop(who, None)
            return
        mine = self.claims.get(who)
        own = mine[0] if mine is not None else None
        keeps = own in free and (
            self.known[str(own)].due_s is not None or self.known[free[0]].due_s is None
        )
        assert held.inspection == (own if keeps else self.first(free))
        self._took(who, held.inspection, held.token)

    @precondition(lambda self: self.known)
    @rule(who=st.sampled_from(PERSONS), data=st.data())
    def claims_one(self, who: str, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.known)))
        token = f"t{next(self.numbers)}"
        others = {one for other, one in self.live().items() if other != who}
        try:
            held = self.board.claim(who, token, self.now_ns, name)
        except Refused:
            assert name in others or name not in self.waiting()
            return
        assert held is not None
        assert name in self.waiting()
        assert name not in others
        self._took(who, name, held.token)

    def _took(self, who: str, name: str, token: str) -> None:
        for other, (taken, _, _) in [*self.claims.items()]:
            if taken == name and other != who:
                assert other not in self.live(), "two persons with one case"
                del self.claims[other]
        self.claims[who] = (name, token, self.now_s + LEASE_S)

    @precondition(lambda self: self.claims)
    @rule(who=st.sampled_from(PERSONS))
    def gives_a_sign_of_life(self, who: str) -> None:
        if who in self.claims:
            name, token, _ = self.claims[who]
            if name in self.waiting():
                self.board.renew(who, token, self.now_ns)
                self.claims[who] = (name, token, self.now_s + LEASE_S)

    @precondition(lambda self: self.claims)
    @rule(who=st.sampled_from(PERSONS))
    def skips(self, who: str) -> None:
        if who in self.claims:
            name, token, _ = self.claims.pop(who)
            self.board.skip(who, token, self.now_ns)
            known = self.known[name]
            short = known.due_s is not None and self.now_s >= known.due_s - ALLOWED_S / 3
            if name in self.waiting() and not short:
                known.skipped = next(self.numbers)

    @precondition(lambda self: self.claims)
    @rule(who=st.sampled_from(PERSONS))
    def answers(self, who: str) -> None:
        if who in self.claims:
            name, token, _ = self.claims.pop(who)
            standing = self.board.begin(who, token, name)
            verdict = f"v{next(self.numbers)}"
            self.board.answered(standing, Given(verdict, who, "reject", False, "now"))
            assert self.known[name].verdict is None, "answered twice"
            self.known[name].verdict = verdict

    @rule(data=st.data())
    def is_taken_back(self, data: st.DataObject) -> None:
        answered = [k.verdict for k in self.known.values() if k.verdict and not k.decided]
        if answered:
            verdict = data.draw(st.sampled_from(answered))
            standing = self.board.by_verdict(str(verdict))
            assert standing is not None
            self.board.reopen(standing)
            self.known[standing.case.inspection].verdict = None
            self.known[standing.case.inspection].skipped = None

    @precondition(lambda self: self.known)
    @rule(data=st.data())
    def is_decided(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.known)))
        self.board.decided(name, Decided("hold", "fallback", "now"))
        self.known[name].decided = True

    @invariant()
    def all_that_wait_are_there_once_and_in_order(self) -> None:
        rows = self.board.listed(1000, self.now_ns)
        assert [row.inspection for row in rows] == self.waiting()
        assert len(self.board) == len(rows)

    @invariant()
    def it_is_said_who_has_what(self) -> None:
        rows = self.board.listed(1000, self.now_ns)
        held = set(self.live().values())
        assert {row.inspection for row in rows if row.claimed} == held & set(self.waiting())

    @invariant()
    def counts_agree(self) -> None:
        now, waiting = self.board.waiting(self.now_ns, self.now_s), self.waiting()
        dues = [k.due_s for k in map(self.known.__getitem__, waiting) if k.due_s is not None]
        assert (now.count, now.escalations) == (len(waiting), len(dues))
        wanted = None if not dues else max(0.0, min(dues) - self.now_s)
        assert now.next_deadline_s == wanted


Rules.TestCase.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
TestRules = Rules.TestCase
