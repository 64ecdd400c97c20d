"""The degree of automation: what another one would mean, and asking the line for it.

- `GET /api/v1/degree?wanted=DEGREE` → `{"in_force", "why", "ceiling", "wanted", "consequence"}`
- `POST /api/v1/degree` `{"degree", "reason"}` → `{"in_force", "why"}`; 202 `{"state": "waiting"}`
  where the line has not answered within 5 s. Needs a fresh PIN. The line records it with the
  person's opaque id.
"""

from __future__ import annotations

from starlette.responses import JSONResponse, Response

from edge.access.denied import Denied
from edge.decision.policy import DEGREES
from edge.records import Degree
from edge.requests import Request, ask
from edge.review.refusal import Refused
from edge.traffic import foreseen
from edge.web.call import Call
from edge.web.pages.forms import text
from edge.web.rule import Rule

LONGEST_REASON = 500


def show(call: Call) -> Response:
    """What holds now, and what people would have to do in the degree that is wanted."""
    config, said = call.shop.config, call.shop.line.now.said
    wanted = call.request.query_params.get("wanted")
    consequence = None
    if wanted is not None:
        with call.shop.reading() as line:
            consequence = foreseen(line, config, _degree(wanted))
    return JSONResponse(
        {
            "in_force": said.get("degree"),
            "why": said.get("degree_why"),
            "ceiling": config.decision.automation,
            "wanted": wanted,
            "consequence": consequence,
        }
    )


def change(call: Call) -> Response:
    """The line decides: a ceiling and limits stay above what a person asks for."""
    degree, reason = _degree(text(call, "degree")), text(call, "reason", LONGEST_REASON).strip()
    if not reason:
        raise Denied("nonsense", "a reason is wanted")
    if not call.shop.line.now.up:
        raise Refused("not_now", "the line is not running")
    arguments = {"degree": degree, "reason": reason}
    request = Request(call.shop.clock.new_id(), "set_degree", arguments, call.person.id)
    try:
        answer = ask(call.shop.config.state_dir / "requests" / "line", request)
    except OSError as error:
        raise Refused("not_now", f"the line cannot be asked: {error}") from error
    if answer is None:
        return JSONResponse({"state": "waiting"}, 202)
    if answer.get("ok") is not True:
        raise Refused("nonsense", str(answer.get("message")))
    return JSONResponse({name: answer.get(name) for name in ("in_force", "why")})


def _degree(wanted: str) -> Degree:
    found: Degree | None = next((known for known in DEGREES if known == wanted), None)
    if found is None:
        raise Denied("nonsense", f"a degree is one of {', '.join(DEGREES)}")
    return found


RULES: tuple[Rule, ...] = (
    Rule("GET", "/api/v1/degree", show, "degree"),
    Rule("POST", "/api/v1/degree", change, "degree"),
)
