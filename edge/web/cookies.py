"""The cookie that names a session."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

PLAIN = "edge_inspect"
SECURE = "__Host-edge_inspect"
"""With TLS: browsers take it over TLS and from this very host only."""
LONGEST = 128


def cookie_of(request: Request, secure: bool) -> str | None:
    """Its value, if the browser sent one."""
    found = request.cookies.get(SECURE if secure else PLAIN)
    return found if found and len(found) <= LONGEST else None


def set_cookie(response: Response, value: str, secure: bool) -> None:
    """Until the browser is closed; scripts cannot read it, other sites cannot have it sent."""
    response.set_cookie(
        SECURE if secure else PLAIN,
        value,
        path="/",
        secure=secure,
        httponly=True,
        samesite="strict",
    )


def clear_cookie(response: Response, secure: bool) -> None:
    """The browser forgets it."""
    response.delete_cookie(
        SECURE if secure else PLAIN, path="/", secure=secure, httponly=True, samesite="strict"
    )
