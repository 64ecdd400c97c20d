"""The first start: the one-time code that the service printed makes the first lead.

- `GET /first` → first.html: `wrong` (text or None), `given` (`name`, `number` as typed)
- `POST /first` `code`, `name`, `number`, `pin`; only `language`: chooses the language
"""

from __future__ import annotations

from starlette.responses import RedirectResponse, Response

from edge.access.denied import Denied
from edge.access.person import Language
from edge.web.call import Call
from edge.web.pages.forms import address, again, text
from edge.web.pages.sign_in import choose_language, entered, leave
from edge.web.pages_env import language_of
from edge.web.rule import Rule


def page(call: Call) -> Response:
    """There is nothing here once nobody waits for a code."""
    if not call.shop.people.code_waits:
        return RedirectResponse("/sign-in", 303)
    return call.shop.pages.page(call, "first.html", wrong=None, given={})


def first(call: Call) -> Response:
    """The code is spent, and whoever typed it is signed in."""
    if set(call.body) == {"language"}:
        return choose_language(call, "/first")
    try:
        language: Language = "de" if language_of(call) == "de" else "en"
        person = call.shop.people.first(
            text(call, "code"),
            text(call, "name"),
            text(call, "number"),
            text(call, "pin"),
            address(call),
            language,
        )
    except Denied as denied:
        typed = {name: str(call.body.get(name, ""))[:80] for name in ("name", "number")}
        return again(call, "first.html", denied, given=typed)
    if call.session is not None:
        leave(call, call.session)
    return entered(call, call.shop.sessions.begin(person, fresh=True))


RULES: tuple[Rule, ...] = (
    Rule("GET", "/first", page, "anyone"),
    Rule("POST", "/first", first, "anyone", counted=True),
)
