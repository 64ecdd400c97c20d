"""What forms and scripts send, and how both are answered."""

from __future__ import annotations

from typing import Any

from starlette.responses import JSONResponse, RedirectResponse, Response

from edge.access.denied import Denied
from edge.web.call import Call
from edge.web.pages_env import words_of
from edge.web.refusing import refused, wants_json

LONGEST = 200


def text(call: Call, name: str, longest: int = LONGEST) -> str:
    """A field. Raises Denied("nonsense") where it is missing, no text or too long."""
    found = call.body.get(name)
    if not isinstance(found, str) or len(found) > longest:
        raise Denied("nonsense", f"{name} is a text of at most {longest} characters")
    return found


def optional(call: Call, name: str, longest: int = LONGEST) -> str | None:
    """The same; None where it is missing or empty."""
    return None if call.body.get(name) in (None, "") else text(call, name, longest)


def yes(call: Call, name: str) -> bool:
    """A switch: true, or what a ticked box of a form sends."""
    return call.body.get(name) in (True, "on", "true", "1")


def address(call: Call) -> str:
    """Where the request came from: the peer itself; what proxies claim is not believed."""
    client = call.request.client
    return client.host if client else "?"


def done(call: Call, to: str, facts: dict[str, Any] | None = None) -> Response:
    """It was done: JSON for scripts, the next page for a form."""
    if wants_json(call.request):
        return JSONResponse({**(facts or {}), "to": to})
    return RedirectResponse(to, 303)


def again(call: Call, template: str, denied: Denied, **values: object) -> Response:
    """It was not: JSON for scripts, for a form the same page once more with `wrong`, a text."""
    call.shop.refused.note(denied.code)
    if wants_json(call.request):
        return refused(call, denied)
    answer = call.shop.pages.page(
        call, template, denied.status, wrong=in_words(call, denied), **values
    )
    if denied.wait_s:
        answer.headers["retry-after"] = str(seconds(denied))
    return answer


def in_words(call: Call, denied: Denied) -> str:
    """The refusal in the person's language."""
    return words_of(call)(f"denied.{denied.code}", wait=seconds(denied))


def seconds(denied: Denied) -> int:
    """How long to wait, rounded up."""
    return -int(-denied.wait_s // 1)
