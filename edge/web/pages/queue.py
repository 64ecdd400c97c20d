"""The page of the queue. What it shows, its scripts ask the API for."""

from __future__ import annotations

from starlette.responses import RedirectResponse, Response

from edge.web.call import Call
from edge.web.rule import Rule


def root(call: Call) -> Response:
    """The queue is what everybody comes for."""
    return RedirectResponse("/queue", 303)


def queue(call: Call) -> Response:
    """The page."""
    return call.shop.pages.page(call, "queue.html")


RULES = (
    Rule("GET", "/", root, needs="anyone", quiet=True),
    Rule("GET", "/queue", queue, needs="answer"),
)
