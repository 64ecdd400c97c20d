"""`GET /api/v1/figures`: today's figures, the line's own word and delivery's, for programs."""

from __future__ import annotations

from starlette.responses import JSONResponse, Response

from edge.web.call import Call
from edge.web.figures import period_of, shown
from edge.web.rule import Rule


def figures(call: Call) -> Response:
    """Since the last shift began, or with `?period=day` (and without shifts) since midnight."""
    return JSONResponse(shown(call, period_of(call)).as_json())


RULES = (Rule("GET", "/api/v1/figures", figures, "look", machines=True, quiet=True),)
