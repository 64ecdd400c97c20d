"""One's own language and PIN.

- `GET /settings` → settings.html: `must_change` (the PIN was chosen by somebody else and must be
  replaced), `has_badge`, `pin_least` (digits), `wrong` (text or None), `done` (`pin`, `language`)
- `POST /settings/language` `language`
- `POST /settings/pin` `old`, `pin`
"""

from __future__ import annotations

from typing import Any, cast

from starlette.responses import Response

from edge.access.denied import Denied
from edge.access.person import Language
from edge.access.pins import SHORTEST
from edge.web.call import Call
from edge.web.pages.forms import address, again, done, text
from edge.web.rule import Rule

DONE = ("language", "pin")


def page(call: Call) -> Response:
    """What one may decide for oneself."""
    said = call.request.query_params.get("done")
    values = {**_values(call), "done": said if said in DONE else None}
    return call.shop.pages.page(call, "settings.html", wrong=None, **values)


def set_language(call: Call) -> Response:
    """From the next page on."""
    chosen = cast(Language, text(call, "language"))
    call.shop.people.set_language(call.person.id, chosen)
    return done(call, "/settings?done=language")


def set_pin(call: Call) -> Response:
    """The old one first; every other session of this person ends."""
    try:
        call.shop.people.confirm(call.person.id, text(call, "old"), address(call))
        call.shop.people.set_pin(call.person, call.person.id, text(call, "pin"))
    except Denied as denied:
        return again(call, "settings.html", denied, **_values(call))
    call.shop.sessions.end_all(call.person.id, but=call.session)
    return done(call, "/settings?done=pin")


def _values(call: Call) -> dict[str, Any]:
    entry = call.shop.people.entry(call.person.id)
    return {
        "must_change": entry is not None and entry.pin_given,
        "has_badge": entry is not None and entry.badge is not None,
        "pin_least": SHORTEST[call.person.role],
        "done": None,
    }


RULES: tuple[Rule, ...] = (
    Rule("GET", "/settings", page, "look", own=True),
    Rule("POST", "/settings/language", set_language, "look", own=True),
    Rule("POST", "/settings/pin", set_pin, "look", counted=True, own=True),
)
