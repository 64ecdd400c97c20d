"""`/api/v1/camera`: the newest picture of the running line and its numbers, for setting up."""

from __future__ import annotations

from starlette.responses import JSONResponse, Response

from edge.access.denied import Denied
from edge.web.call import Call
from edge.web.rule import Rule


def figures(call: Call) -> Response:
    """Numbers of the newest picture, their trend, and what could be better.

    `state`: live, waiting (the line has given no picture yet) or line_down.
    """
    live = call.shop.camera
    if not call.shop.line.now.up:
        return JSONResponse({"state": "line_down"})
    look = live.look()
    if look is None:
        return JSONResponse({"state": "waiting"})
    return JSONResponse(
        {
            "state": "live",
            "number": look.number,
            "captured_at": look.captured_at,
            "age_s": round(look.age_s, 2),
            "figures": look.reading.as_json(),
            "advice": list(look.advice),
            "trend": [[round(value, 4) for value in one] for one in live.trend],
            "picture_url": f"/api/v1/camera/picture?number={look.number}",
        }
    )


def picture(call: Call) -> Response:
    """The last picture that `figures` told of, the inspected region drawn. Raises Denied."""
    look = call.shop.camera.last
    if look is None:
        raise Denied("unknown", "no picture yet: ask for the figures first")
    return Response(look.picture, media_type="image/jpeg", headers={"cache-control": "no-store"})


RULES = (
    Rule("GET", "/api/v1/camera/figures", figures, "camera", quiet=True),
    Rule("GET", "/api/v1/camera/picture", picture, "camera", quiet=True),
)
