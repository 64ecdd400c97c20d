"""The queue for pages and programs: list, claim, answer, undo, correct, hand over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.responses import JSONResponse, Response

from edge.access.person import Person
from edge.review.refusal import Refused
from edge.review.verdict import Via
from edge.web.api import shown
from edge.web.call import Call
from edge.web.following import counted
from edge.web.rule import Rule

MOST_LISTED = 50
LONGEST_ID = 200


def overview(call: Call) -> Response:
    """How much waits, what first, and how the line is. A locked session is told the numbers."""
    shop = call.shop
    counts = counted(shop.answers.waiting())
    if call.who is None:
        return JSONResponse(counts)
    over = shop.answers.last_hand_over()
    return JSONResponse(
        {
            **counts,
            **shop.line.now.as_json(),
            "groups": [shown.group(shop, one) for one in shop.answers.groups()],
            "items": [shown.listed(one) for one in shop.answers.listed(MOST_LISTED, call.who.id)],
            "hand_over": None if over is None else over.as_json(),
        }
    )


def claim(call: Call) -> Response:
    """Take the next part, or the one that is named; 204 where nothing waits."""
    who, wanted = _who(call), call.body.get("inspection")
    found = call.shop.answers.claim(who, None if wanted is None else _text(call.body, "inspection"))
    if found is None:
        return Response(status_code=204)
    if shown.sees(found):
        call.shop.looks.want(found.case, may_see=True)
    _tell(call, found.case.inspection)
    return JSONResponse(shown.claimed(call.shop, found))


def renew(call: Call) -> Response:
    """A sign of life."""
    call.shop.answers.renew(_who(call), call.path("claim"))
    return Response(status_code=204)


def release(call: Call) -> Response:
    """Give it back."""
    call.shop.answers.release(_who(call), call.path("claim"))
    return Response(status_code=204)


def skip(call: Call) -> Response:
    """Ask about the others first."""
    call.shop.answers.skip(_who(call), call.path("claim"))
    return Response(status_code=204)


def verdict(call: Call) -> Response:
    """Answer: with the claim, the part, and the hash of the picture that was on the screen."""
    body = call.body
    outcome = call.shop.answers.verdict(
        _who(call),
        _text(body, "claim"),
        _text(body, "inspection"),
        _picture(body),
        body.get("verdict"),
        body.get("label"),
        body.get("note"),
        _via(call),
    )
    _tell(call, outcome.inspection)
    return JSONResponse(shown.given(call.shop, outcome))


def undo(call: Call) -> Response:
    """Take an answer of one's own back."""
    outcome = call.shop.answers.undo(_who(call), call.path("verdict"))
    _tell(call, outcome.inspection)
    return JSONResponse(shown.amended(outcome))


def correct(call: Call) -> Response:
    """Another label for a part. Others' labels: with the right `correct` only."""
    assert call.who is not None
    outcome = call.shop.answers.correct(
        call.who.id,
        _text(call.body, "inspection"),
        call.body.get("to"),
        call.body.get("label"),
        call.body.get("reason"),
        others=call.who.may("correct"),
    )
    return JSONResponse(shown.amended(outcome))


def together(call: Call) -> Response:
    """Reject or hold several; what could not be is said for each."""
    named = call.body.get("inspections")
    if not isinstance(named, list) or not all(isinstance(one, dict) for one in named):
        raise Refused("nonsense", "inspections: expected a list of {inspection, picture}")
    parts = [(_text(one, "inspection"), _picture(one)) for one in named]
    body = call.body
    outcomes = call.shop.answers.together(
        _who(call), parts, body.get("verdict"), body.get("label"), body.get("note"), _via(call)
    )
    for one in outcomes:
        if one.refused is None:
            _tell(call, one.inspection)
        else:
            call.shop.refused.note(one.refused)
    results = [{**shown.given(call.shop, one), "refused": one.refused} for one in outcomes]
    return JSONResponse({"results": results})


def hand_over(call: Call) -> Response:
    """The end of a shift. The note is shown to whoever comes next and is in no record."""
    over = call.shop.answers.hand_over(call.person.id, call.body.get("note"))
    return JSONResponse(over.as_json())


def _who(call: Call) -> str:
    assert call.who is not None
    return call.who.id


def _via(call: Call) -> Via:
    return "page" if isinstance(call.who, Person) else "api"


def _text(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_ID:
        raise Refused("nonsense", f"{name}: expected a text", {"field": name})
    return value


def _picture(body: Mapping[str, Any]) -> str | None:
    if "picture" in body and body["picture"] is None:
        return None
    return _text(body, "picture")


def _tell(call: Call, inspection: str) -> None:
    """Everybody, what has become of the part; not who it was."""
    state = call.shop.answers.state(inspection, None)
    told = {name: state[name] for name in ("state", "fate")}
    call.shop.hub.publish("part", {"inspection": inspection, **told})


RULES = (
    Rule("GET", "/api/v1/queue", overview, "known", machines=True, quiet=True),
    Rule("POST", "/api/v1/claims", claim, "answer", machines=True),
    Rule("POST", "/api/v1/claims/{claim}/renew", renew, "answer", machines=True, quiet=True),
    Rule("DELETE", "/api/v1/claims/{claim}", release, "answer", machines=True),
    Rule("POST", "/api/v1/claims/{claim}/skip", skip, "answer", machines=True),
    Rule("POST", "/api/v1/verdicts", verdict, "answer", machines=True),
    Rule("POST", "/api/v1/verdicts/{verdict}/undo", undo, "answer", machines=True),
    Rule("POST", "/api/v1/corrections", correct, "answer", machines=True),
    Rule("POST", "/api/v1/together", together, "answer", machines=True),
    Rule("POST", "/api/v1/hand-over", hand_over, "answer"),
)
