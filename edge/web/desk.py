"""What commands can ask of the running service, through `requests/web/`."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from edge.requests import Answer, Refused, Request
from edge.review import refusal
from edge.review.answers import Answers
from edge.review.pen import Typed, Words, basis
from edge.review.waiting import Outcome

Handlers = Mapping[str, Callable[[Request], Answer]]


def handlers(answers: Answers) -> Handlers:
    """One handler for each kind of request. A record that follows gets the request's id."""

    def verdict(request: Request) -> Answer:
        """Arguments: inspection, verdict, label, note, basis."""
        said = request.arguments
        words = Words.of(said.get("verdict"), said.get("label"), said.get("note"), "command")
        typed = Typed(request.id, request.account, basis(said.get("basis")))
        return _told(answers.typed(_by(request), _text(request, "inspection"), words, typed))

    def undo(request: Request) -> Answer:
        """Arguments: verdict (its id)."""
        typed = Typed(request.id, request.account)
        return _told(answers.undo(_by(request), _text(request, "verdict"), typed))

    def correct(request: Request) -> Answer:
        """Arguments: inspection, to, label, reason. Who may type commands here may correct all."""
        said, typed = request.arguments, Typed(request.id, request.account)
        about = _text(request, "inspection")
        words = said.get("to"), said.get("label"), said.get("reason")
        return _told(answers.correct(_by(request), about, *words, others=True, typed=typed))

    return {"verdict": _plainly(verdict), "undo": _plainly(undo), "correct": _plainly(correct)}


def _plainly(handler: Callable[[Request], Answer]) -> Callable[[Request], Answer]:
    """The same, refusing in the words of requests."""

    def handle(request: Request) -> Answer:
        try:
            return handler(request)
        except refusal.Refused as refused:
            raise Refused(str(refused)) from refused

    return handle


def _told(outcome: Outcome) -> Answer:
    fate = None if outcome.fate is None else outcome.fate.as_json()
    return {"id": outcome.id, "state": outcome.state, "fate": fate}


def _by(request: Request) -> str:
    if not request.by:
        raise Refused("expected the person who says it")
    return request.by


def _text(request: Request, name: str) -> str:
    value = request.arguments.get(name)
    if not isinstance(value, str) or not value:
        raise Refused(f"expected {name}")
    return value
