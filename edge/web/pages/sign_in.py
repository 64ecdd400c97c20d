"""Coming in and going: sign in, lock, unlock, give the PIN again, sign out.

Endpoints take a form or JSON. Forms are answered with a page, JSON with JSON
(`{"to": path}`, errors `{"error": {"code", "message", "facts"}}`).

- `GET /sign-in` → sign_in.html: `wrong` (text or None), `waiting` (None for strangers)
- `POST /sign-in` `number`, `pin`, or `badge`; only `language`: chooses the language of the door.
  JSON: also `csrf`, the new session's
- `GET /locked` → locked.html: `wrong`, `waiting`
- `POST /unlock` `pin` or `badge` of the same person
- `POST /lock`, `POST /sign-out` nothing
- `POST /confirm` `pin`: for 2 minutes what needs a fresh PIN may be done; `next`: the page to go to
"""

from __future__ import annotations

import re

from starlette.responses import RedirectResponse, Response

from edge.access.denied import Denied
from edge.access.sessions import Session
from edge.access.words import BADGE_LONGEST
from edge.web.call import Call
from edge.web.cookies import clear_cookie, set_cookie
from edge.web.pages.forms import address, again, done, optional, text
from edge.web.pages_env import LANGUAGE_COOKIE
from edge.web.rule import Rule
from edge.web.texts import LANGUAGES

HOME = "/queue"
PAGE = re.compile(r"^/[a-z0-9-]+(/[A-Za-z0-9-]+)?$")
A_YEAR_S = 365 * 24 * 3600


def page(call: Call) -> Response:
    """Whoever is in already has nothing to do here."""
    if call.who is not None:
        return RedirectResponse(HOME, 303)
    if call.shop.people.nobody:
        return RedirectResponse("/first", 303)
    return call.shop.pages.page(call, "sign_in.html", wrong=None, waiting=None)


def sign_in(call: Call) -> Response:
    """A new session with a new cookie; the one before, if any, ends."""
    if set(call.body) == {"language"}:
        return choose_language(call, "/sign-in")
    try:
        badge = optional(call, "badge", BADGE_LONGEST)
        people = call.shop.people
        if badge is not None:
            person = people.check_badge(badge, address(call))
        else:
            person = people.check(text(call, "number"), text(call, "pin"), address(call))
    except Denied as denied:
        return again(call, "sign_in.html", denied, waiting=None)
    if call.session is not None:
        leave(call, call.session)
    session = call.shop.sessions.begin(person, fresh=badge is None)
    return entered(call, session)


def entered(call: Call, session: Session) -> Response:
    """The answer that carries the cookie."""
    answer = done(call, HOME, {"csrf": session.csrf})
    set_cookie(answer, session.cookie or "", call.shop.secure)
    return answer


def leave(call: Call, session: Session) -> None:
    """The session is over; what its person had claimed goes back to the queue."""
    call.shop.sessions.end(session)
    call.shop.hub.end(session.id)
    call.shop.answers.release_all(session.person)


def locked_page(call: Call) -> Response:
    """Shown in place of every page while the session is locked."""
    if call.session is None or not call.session.locked:
        return RedirectResponse(HOME, 303)
    return _locked(call)


def unlock(call: Call) -> Response:
    """The same person again. A badge unlocks; it does not count as a fresh PIN."""
    session = _session(call)
    try:
        badge = optional(call, "badge", BADGE_LONGEST)
        if badge is not None:
            call.shop.people.confirm_badge(session.person, badge, address(call))
        else:
            call.shop.people.confirm(session.person, text(call, "pin"), address(call))
    except Denied as denied:
        waiting = call.shop.answers.waiting().count
        return again(call, "locked.html", denied, waiting=waiting)
    if call.shop.sessions.unlock(session, fresh=badge is None) is None:
        raise Denied("signed_out", "the session has ended")
    return done(call, HOME)


def lock(call: Call) -> Response:
    """Now, by hand, or because nobody is there; what the person had claimed goes back."""
    session = _session(call)
    call.shop.sessions.lock(session)
    call.shop.answers.release_all(session.person)
    return done(call, "/locked")


def sign_out(call: Call) -> Response:
    """The session ends, the browser forgets its cookie."""
    leave(call, _session(call))
    answer = done(call, "/sign-in")
    clear_cookie(answer, call.shop.secure)
    return answer


def confirm(call: Call) -> Response:
    """The PIN again, for what asks for it. A badge will not do."""
    session = _session(call)
    call.shop.people.confirm(session.person, text(call, "pin"), address(call))
    call.shop.sessions.unlock(session, fresh=True)
    to = optional(call, "next") or HOME
    return done(call, to if PAGE.match(to) else HOME)


def choose_language(call: Call, to: str) -> Response:
    """For the pages before anybody is known; kept in the browser."""
    chosen = text(call, "language")
    if chosen not in LANGUAGES:
        raise Denied("nonsense", "no such language")
    answer = done(call, to)
    answer.set_cookie(
        LANGUAGE_COOKIE,
        chosen,
        max_age=A_YEAR_S,
        secure=call.shop.secure,
        httponly=True,
        samesite="strict",
    )
    return answer


def _locked(call: Call) -> Response:
    waiting = call.shop.answers.waiting().count
    return call.shop.pages.page(call, "locked.html", wrong=None, waiting=waiting)


def _session(call: Call) -> Session:
    if call.session is None:  # a machine: it has nothing to lock
        raise Denied("not_allowed", "this is not for machines")
    return call.session


RULES: tuple[Rule, ...] = (
    Rule("GET", "/sign-in", page, "anyone"),
    Rule("POST", "/sign-in", sign_in, "anyone", counted=True),
    Rule("GET", "/locked", locked_page, "known", quiet=True, own=True),
    Rule("POST", "/unlock", unlock, "known", counted=True, own=True),
    Rule("POST", "/lock", lock, "known", quiet=True, own=True),
    Rule("POST", "/sign-out", sign_out, "known", own=True),
    Rule("POST", "/confirm", confirm, "look", counted=True, own=True),
)
