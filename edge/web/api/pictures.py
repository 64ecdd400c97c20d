"""Pictures of parts, made anew for whoever may look."""

from __future__ import annotations

from starlette.responses import Response

from edge.access.denied import Denied
from edge.web.call import Call
from edge.web.pictures import LONGEST, NoPicture, Size
from edge.web.rule import Rule

FOR_EVER = "private, max-age=31536000, immutable"
"""The address holds the picture's hash: what is there never changes."""


def picture(call: Call) -> Response:
    """A JPEG; 404 where there is none, or another than this one."""
    wanted = call.request.query_params.get("size", "screen")
    size: Size | None = next((one for one in LONGEST if one == wanted), None)
    if size is None:
        raise Denied("nonsense", f"size is one of {', '.join(LONGEST)}")
    try:
        found = call.shop.pictures.get(call.path("inspection"), call.path("sha256"), size)
    except NoPicture as none:
        raise Denied("unknown", f"no picture: {none}") from none
    headers = {"Cache-Control": FOR_EVER, "X-Picture-Size": f"{found.width}x{found.height}"}
    return Response(found.data, media_type="image/jpeg", headers=headers)


RULES = (
    Rule(
        "GET",
        "/api/v1/pictures/{inspection}/{sha256}",
        picture,
        "look",
        machines=True,
        quiet=True,
        heavy=True,
    ),
)
