"""How a refusal is said: to programs as JSON, to persons as a page."""

from __future__ import annotations

import math
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from edge.access.denied import Denied
from edge.review.refusal import Refused
from edge.web.call import Call

ELSEWHERE = {"signed_out": "/sign-in", "locked": "/locked", "pin_new": "/settings"}
"""Where a browser goes that asked for a page it may not see now."""


def refused(call: Call, refusal: Denied | Refused) -> Response:
    """The answer to a request that was refused. It names nobody."""
    wait_s = refusal.wait_s if isinstance(refusal, Denied) else 0.0
    facts: dict[str, Any] = {} if isinstance(refusal, Denied) else dict(refusal.facts)
    if wait_s:
        facts["wait_s"] = math.ceil(wait_s)
    answer = _said(call, refusal.code, str(refusal), refusal.status, facts)
    if wait_s:
        answer.headers["retry-after"] = str(math.ceil(wait_s))
    return answer


def failed(call: Call) -> Response:
    """The answer where we have failed; why is in the log only."""
    return _said(call, "failed", "that failed; the service's log says why", 500, {})


def wants_json(request: Request) -> bool:
    """Whether a program asks, our own scripts among them."""
    if request.scope["path"].startswith(("/api/", "/events")):
        return True
    named = (request.headers.get("accept", ""), request.headers.get("content-type", ""))
    return any("application/json" in one for one in named) or "authorization" in request.headers


def error(code: str, message: str, status: int, facts: dict[str, Any]) -> JSONResponse:
    """`{"error": {"code", "message", "facts"}}`."""
    return JSONResponse({"error": {"code": code, "message": message, "facts": facts}}, status)


def _said(call: Call, code: str, message: str, status: int, facts: dict[str, Any]) -> Response:
    if wants_json(call.request):
        return error(code, message, status, facts)
    if call.request.method in ("GET", "HEAD") and code in ELSEWHERE:
        where = ELSEWHERE[code]
        if code == "signed_out" and call.shop.people.nobody:
            where = "/first"
        return RedirectResponse(where, 303)
    return call.shop.pages.page(call, "refused.html", status, code=code, facts=facts)
