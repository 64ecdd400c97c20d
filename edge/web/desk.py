"""What commands can ask of the running service, through `requests/web/`."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from edge.requests import Answer, Refused, Request
from edge.review import refusal
from edge.review.answers import Answers
from edge.review.pen import Typed, Words, basis

Handlers = Mapping[str, Callable[[Request], Answer]]


def handlers(answers: Answers) -> Handlers:
    """One handler for each kind of request."""

    def verdict(request: Request) -> Answer:
        """Arguments: inspection, verdict, label, note, basis. The record gets the request's id."""
        said = request.arguments
        name = said.get("inspection")
        if not isinstance(name, str) or not request.by:
            raise Refused("expected an inspection, and the person who answers")
        try:
            words = Words.of(said.get("verdict"), said.get("label"), said.get("note"), "command")
            typed = Typed(request.id, request.account, basis(said.get("basis")))
            outcome = answers.typed(request.by, name, words, typed)
        except refusal.Refused as refused:
            raise Refused(str(refused)) from refused
        fate = None if outcome.fate is None else outcome.fate.as_json()
        return {"verdict": outcome.id, "state": outcome.state, "fate": fate}

    return {"verdict": verdict}
