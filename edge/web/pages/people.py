"""Persons and tokens: who may come in, and what for. All of it for leads; tokens for engineers.

`GET /people` → people.html: `people` (mappings: id, name, number, role, language, state
`open|closed`, since, pin_given, has_badge, me, mine_to_change), `roles` (those that one may give),
`machines` (id, name, rights, since, used; empty for those who may not see them), `may_tokens`,
`grantable` (rights of tokens), `person_figures`, `answered` (today's answers of each, or None),
`fresh` (whether the PIN was given just before),
`wrong` (text or None), `done` (what was done, or None), `token` (a new one, shown once, or None).

What changes something takes a form or JSON, asks for a fresh PIN (`pin_needed`: `POST /confirm`),
and answers `{"to": "/people?done=…"}` or the page:

- `POST /people` `name`, `number`, `role`, `pin`, `language`
- `POST /people/{id}/rename` `name`, `number` · `/role` `role`, `pin` where a longer one is needed
- `POST /people/{id}/pin` `pin` · `/badge` `badge` (empty: none) · `/close` · `/erase`
- `POST /people/figures` `on`
- `POST /people/machines` `name`, `answer`, `look` (switches); JSON: also `token`
- `POST /people/machines/{id}/remove`
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from starlette.responses import JSONResponse, Response

from edge.access.denied import Denied
from edge.access.machines import GRANTABLE
from edge.access.person import ROLES, Language, Role
from edge.access.register import Entry
from edge.web.call import Call
from edge.web.pages.forms import again, done, optional, text, yes
from edge.web.per_person import per_person
from edge.web.refusing import wants_json
from edge.web.rule import Rule

DONE = ("added", "renamed", "role", "pin", "badge", "closed", "erased", "figures", "removed")
Change = Callable[[Call], str]


def page(call: Call) -> Response:
    """Everybody who has a name."""
    return _drawn(call)


def changing(change: Change) -> Callable[[Call], Response]:
    """An endpoint that does `change`, whose result says what was done."""

    def endpoint(call: Call) -> Response:
        try:
            what = change(call)
        except Denied as denied:
            return again(call, "people.html", denied, **_values(call))
        return done(call, f"/people?done={what}", {"done": what})

    return endpoint


def add(call: Call) -> str:
    """Their PIN is for the first time only."""
    call.shop.people.add(
        call.person,
        text(call, "name"),
        text(call, "number"),
        _role(call),
        text(call, "pin"),
        cast(Language, optional(call, "language") or call.person.language),
    )
    return "added"


def rename(call: Call) -> str:
    """Another name or number."""
    person = call.path("person")
    call.shop.people.rename(call.person, person, text(call, "name"), text(call, "number"))
    return "renamed"


def set_role(call: Call) -> str:
    """What somebody may do, from the next request on."""
    pin = optional(call, "pin")
    call.shop.people.set_role(call.person, call.path("person"), _role(call), pin)
    return "role"


def set_pin(call: Call) -> str:
    """For somebody who has forgotten it."""
    call.shop.people.set_pin(call.person, call.path("person"), text(call, "pin"))
    return "pin"


def set_badge(call: Call) -> str:
    """What the badge types; none where it is empty."""
    call.shop.people.set_badge(call.person, call.path("person"), optional(call, "badge"))
    return "badge"


def close(call: Call) -> str:
    """May not come in any more."""
    call.shop.people.close(call.person, call.path("person"))
    call.shop.answers.release_all(call.path("person"))
    return "closed"


def erase(call: Call) -> str:
    """Nothing of them is left but the id in the records."""
    call.shop.people.erase(call.person, call.path("person"))
    call.shop.answers.release_all(call.path("person"))
    return "erased"


def set_figures(call: Call) -> str:
    """Whether the pages show figures of single persons."""
    call.shop.people.set_person_figures(call.person, yes(call, "on"))
    return "figures"


def add_machine(call: Call) -> Response:
    """The token is in this answer, and nowhere else ever again."""
    try:
        rights = [right for right in sorted(GRANTABLE) if yes(call, right)]
        token = call.shop.machines.add(call.person.id, text(call, "name"), rights)
    except Denied as denied:
        return again(call, "people.html", denied, **_values(call))
    if wants_json(call.request):
        return JSONResponse({"token": token, "done": "token", "to": "/people"})
    return _drawn(call, token=token)


def remove_machine(call: Call) -> str:
    """Its token is worth nothing from now on."""
    call.shop.machines.remove(call.person.id, call.path("machine"))
    return "removed"


def _drawn(call: Call, **more: object) -> Response:
    said = call.request.query_params.get("done")
    values = {**_values(call), "done": said if said in DONE else None, **more}
    return call.shop.pages.page(call, "people.html", wrong=None, **values)


def _values(call: Call) -> dict[str, Any]:
    people, session = call.shop.people, call.session
    may_tokens = call.person.may("tokens")
    machines = call.shop.machines.all() if may_tokens else []
    return {
        "people": [_shown(call, entry) for entry in people.all()],
        "roles": [role for role in ROLES if people.may_give(call.person, role)],
        "machines": [
            {
                "id": one.machine.id,
                "name": one.machine.name,
                "rights": sorted(one.machine.rights),
                "since": one.since,
                "used": one.used,
            }
            for one in machines
        ],
        "may_tokens": may_tokens,
        "grantable": sorted(GRANTABLE),
        "person_figures": people.person_figures,
        "answered": per_person(call),
        "fresh": session is not None and call.shop.sessions.fresh(session),
        "done": None,
        "token": None,
    }


def _shown(call: Call, entry: Entry) -> dict[str, Any]:
    person = entry.person
    return {
        "id": person.id,
        "name": person.name,
        "number": person.number,
        "role": person.role,
        "language": person.language,
        "state": entry.state,
        "since": entry.since,
        "pin_given": entry.pin_given,
        "has_badge": entry.badge is not None,
        "me": person.id == call.person.id,
        "mine_to_change": call.shop.people.may_give(call.person, person.role),
    }


def _role(call: Call) -> Role:
    wanted = text(call, "role")
    if wanted not in ROLES:
        raise Denied("nonsense", f"a role is one of {', '.join(ROLES)}")
    return wanted


RULES: tuple[Rule, ...] = (
    Rule("GET", "/people", page, "people"),
    Rule("POST", "/people", changing(add), "people"),
    Rule("POST", "/people/figures", changing(set_figures), "people"),
    Rule("POST", "/people/machines", add_machine, "tokens"),
    Rule("POST", "/people/machines/{machine}/remove", changing(remove_machine), "tokens"),
    Rule("POST", "/people/{person}/rename", changing(rename), "people"),
    Rule("POST", "/people/{person}/role", changing(set_role), "people"),
    Rule("POST", "/people/{person}/pin", changing(set_pin), "people"),
    Rule("POST", "/people/{person}/badge", changing(set_badge), "people"),
    Rule("POST", "/people/{person}/close", changing(close), "people"),
    Rule("POST", "/people/{person}/erase", changing(erase), "people"),
)
