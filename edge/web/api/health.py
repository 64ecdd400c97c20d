"""`GET /api/v1/health`: whether the service works; for anybody."""

from __future__ import annotations

from starlette.responses import JSONResponse, Response

from edge.web.call import Call
from edge.web.rule import Rule


def health(call: Call) -> Response:
    """`ok`, or `degraded` where the line is down or cannot be followed. It names nothing else."""
    known = call.shop.line.now
    state = "ok" if known.up and not known.stale and not known.unreadable else "degraded"
    return JSONResponse({"service": "web", "state": state})


RULES = (Rule("GET", "/api/v1/health", health, needs="anyone", machines=True, quiet=True),)
