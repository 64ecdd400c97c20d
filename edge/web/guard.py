"""Who may do what, decided in one place before any endpoint runs.

Refused unless everything holds: the rule's need, a session that is not locked (or a token), the
CSRF token and our own origin with whatever changes something, a fresh PIN where the rule asks.
Every refusal is counted and logged.
"""

from __future__ import annotations

import functools
import hmac
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import anyio
import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from edge.access.denied import Denied
from edge.access.machines import PREFIX
from edge.access.person import Machine
from edge.log import log
from edge.review.refusal import Refused
from edge.web import bodies, refusing
from edge.web.call import Call
from edge.web.cookies import cookie_of
from edge.web.origin import own_origin
from edge.web.rule import Rule

if TYPE_CHECKING:
    from edge.access.sessions import Session
    from edge.web.shop import Shop

THREADS = 8
THREADS_FOR_PINS = 2
THREADS_FOR_PICTURES = 3
"""One more than decode at the same moment, for those that are in memory."""
MOST_WAITING_FOR_PINS = 32
MOST_WAITING = 400
CSRF_HEADER = "x-csrf-token"
CSRF_FIELD = "csrf"
QUIET_HEADER = "x-quiet"
LONGEST_TOKEN = 200


class Guard:
    """Makes routes of rules. Endpoints run in a few threads; what checks PINs and what makes
    pictures has threads of its own, so that neither guessing nor looking holds up an answer."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._threads: dict[str, anyio.CapacityLimiter] = {}

    def route(self, rule: Rule) -> Route:
        """The route of a rule, the only kind there is."""
        return Route(rule.path, functools.partial(self._answer, rule), methods=[rule.method])

    async def _answer(self, rule: Rule, request: Request) -> Response:
        try:
            body = b"" if rule.safe else await bodies.read(request)
            threads = self._limiter(rule)
            most = MOST_WAITING_FOR_PINS if rule.counted else MOST_WAITING
            if threads.statistics().tasks_waiting >= most:
                raise Denied("busy", "too many requests wait", wait_s=1.0)
        except Denied as denied:
            return self._refuse(rule, Call(request, self._shop), denied)
        return await anyio.to_thread.run_sync(self._serve, rule, request, body, limiter=threads)

    def _serve(self, rule: Rule, request: Request, raw: bytes) -> Response:
        """In a thread: may this request be made, and its answer. Nothing gets past."""
        call = Call(request, self._shop)
        try:
            self._origin(rule, request)
            body = bodies.parsed(raw, request.headers.get("content-type", ""))
            call = self._known(rule, replace(call, body=body))
            self._check(rule, call)
            answer = rule.endpoint(replace(call, body=_without_token(body)))
            assert isinstance(answer, Response)
            return answer
        except (Denied, Refused) as refusal:
            return self._refuse(rule, call, refusal)
        except Exception:
            log.exception("web.failed", path=rule.path)
            return refusing.failed(call)

    def _limiter(self, rule: Rule) -> anyio.CapacityLimiter:
        """The threads of its kind."""
        kind, most = "others", THREADS
        if rule.counted:
            kind, most = "pins", THREADS_FOR_PINS
        elif rule.heavy:
            kind, most = "pictures", THREADS_FOR_PICTURES
        if kind not in self._threads:
            self._threads[kind] = anyio.CapacityLimiter(most)
        return self._threads[kind]

    def _origin(self, rule: Rule, request: Request) -> None:
        if rule.safe or "authorization" in request.headers:
            return
        if not own_origin(request.headers, request.scope["scheme"]):
            raise Denied("foreign_origin", "the request does not come from this page")

    def _known(self, rule: Rule, call: Call) -> Call:
        """With whoever asks. With a token the cookie counts for nothing."""
        authorization = call.request.headers.get("authorization")
        if authorization is not None:
            return self._machine(rule, call, authorization)
        cookie = cookie_of(call.request, self._shop.secure)
        session = None if cookie is None else self._shop.sessions.find(cookie)
        return call if session is None else self._person(call, session)

    def _check(self, rule: Rule, call: Call) -> None:
        """Whether they may. Whoever may, and has not only a page that asks by itself, is here."""
        if rule.needs == "anyone" or isinstance(call.who, Machine):
            return
        if call.session is None:
            raise Denied("signed_out", "nobody is signed in")
        if not rule.safe:
            _check_token(call)
        self._may(rule, call)
        if not rule.quiet and QUIET_HEADER not in call.request.headers:
            self._shop.sessions.seen(call.session)

    def _machine(self, rule: Rule, call: Call, authorization: str) -> Call:
        kind, _, token = authorization.partition(" ")
        known = kind.lower() == "bearer" and token.startswith(PREFIX) and len(token) < LONGEST_TOKEN
        machine = self._shop.machines.find(token) if known else None
        if machine is None:
            raise Denied("signed_out", "no such token")
        if not rule.machines:
            raise Denied("not_allowed", "this is not for machines")
        if rule.needs != "anyone" and rule.needs != "known" and not machine.may(rule.needs):
            raise Denied("not_allowed", f"the token was not made for {rule.needs}")
        return replace(call, who=machine)

    def _person(self, call: Call, session: Session) -> Call:
        """The person of a session, as they are now: a role is what it is at this moment."""
        entry = self._shop.people.entry(session.person)
        if entry is None or not entry.open:
            self._shop.sessions.end(session)
            return call
        return replace(call, session=session, who=None if session.locked else entry.person)

    def _may(self, rule: Rule, call: Call) -> None:
        session = call.session
        if session is None or rule.needs == "known":
            return
        if session.locked:
            raise Denied("locked", "the session is locked")
        if rule.needs == "anyone" or not call.person.may(rule.needs):
            raise Denied("not_allowed", f"this needs the right {rule.needs!r}")
        entry = self._shop.people.entry(session.person)
        if entry is not None and entry.pin_given and not rule.own:
            raise Denied("pin_new", "a PIN that somebody else chose must be replaced first")
        if rule.fresh and not self._shop.sessions.fresh(session):
            raise Denied("pin_needed", "this needs the PIN again")

    def _refuse(self, rule: Rule, call: Call, refusal: Denied | Refused) -> Response:
        self._shop.refused.note(refusal.code)
        client = call.request.client
        address = client.host if client else "?"
        if isinstance(refusal, Denied):
            log.warning("web.refused", why=refusal.code, path=rule.path, address=address)
        return refusing.refused(call, refusal)


def _check_token(call: Call) -> None:
    assert call.session is not None
    sent = call.request.headers.get(CSRF_HEADER) or call.body.get(CSRF_FIELD)
    if not isinstance(sent, str) or not hmac.compare_digest(
        sent.encode(errors="replace"), call.session.csrf.encode()
    ):
        raise Denied("no_token", "the CSRF token is missing or another session's")


def _without_token(body: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name: value for name, value in body.items() if name != CSRF_FIELD}
