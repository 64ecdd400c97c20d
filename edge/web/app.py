"""The application: the table of routes behind the guard, the guard behind the gate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from edge.access.denied import Denied
from edge.web import refusing
from edge.web.call import Call
from edge.web.gate import Gate, hosts_of
from edge.web.guard import Guard
from edge.web.routes import ROUTES

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from edge.web.shop import Shop


def build_app(shop: Shop) -> ASGIApp:
    """Everything that a browser or a program can reach."""
    guard = Guard(shop)

    async def unknown(request: Request, error: Exception) -> Response:
        shop.refused.note("unknown")
        return refusing.refused(Call(request, shop), Denied("unknown", "there is nothing here"))

    app = Starlette(
        routes=[guard.route(rule) for rule in ROUTES],
        exception_handlers={404: unknown, 405: unknown},
    )
    app.router.redirect_slashes = False
    return Gate(app, hosts_of(shop.config.web), shop.refused)
