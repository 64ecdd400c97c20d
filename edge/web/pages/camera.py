"""The page of the camera, for whoever sets up lens, light and position."""

from __future__ import annotations

from starlette.responses import Response

from edge.web.call import Call
from edge.web.pages.line import formats
from edge.web.rule import Rule


def page(call: Call) -> Response:
    """The page; pictures and numbers come by the API, about once a second."""
    camera = call.shop.config.camera
    return call.shop.pages.page(
        call,
        "camera.html",
        f=formats(call),
        up=call.shop.line.now.up,
        camera=camera.source,
        roi=camera.roi,
        limits=camera.doubts,
    )


RULES = (Rule("GET", "/camera", page, "camera"),)
