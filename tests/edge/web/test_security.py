"""Every route of the application, asked in every way in which it must refuse.

The routes are those that the application really has, so that none can be forgotten.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator

import pytest
from starlette.routing import Route

from edge.access.person import NEEDS, ROLES
from edge.web.headers import ALWAYS, CSP
from edge.web.routes import ROUTES
from edge.web.rule import Rule
from tests.edge.web.station import NAMES, Station, station
from tests.edge.web.visiting import Answer, Browser

NUMBERS = {"operator": "8", "lead": "7", "engineer": "9"}
PERSON = "p-00000000"


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Station]:
    with station(tmp_path_factory.mktemp("plant")) as found:
        yield found


def key(rule: Rule) -> str:
    return f"{rule.method} {rule.path}"


RULES = {key(rule): rule for rule in ROUTES}
CHANGING = {name: rule for name, rule in RULES.items() if not rule.safe}
GUARDED = {name: rule for name, rule in RULES.items() if rule.needs != "anyone"}
RIGHTS = {name: rule for name, rule in GUARDED.items() if rule.needs != "known"}


def path(rule: Rule) -> str:
    return re.sub(r"\{[^}]*\}", "x", rule.path)


def asked(browser: Browser, rule: Rule, body: object = None, **more: object) -> Answer:
    sent = {} if body is None and not rule.safe else body
    answer = browser.ask(rule.method, path(rule), sent, drop=True, **more)  # type: ignore[arg-type]
    assert answer.header("content-security-policy") == CSP
    return answer


def may(rule: Rule) -> str:
    """The number of somebody whose role is enough."""
    if rule.needs in ("anyone", "known"):
        return "8"
    return NUMBERS[NEEDS[rule.needs]]


def nameless(answer: Answer) -> bool:
    return not any(name.encode() in answer.body for name in NAMES.values())


def test_the_application_has_the_routes_of_the_table_and_no_others(plant: Station) -> None:
    routes = plant.running.app.app.routes
    assert all(type(one) is Route for one in routes)
    found = set()
    for one in routes:
        assert isinstance(one.endpoint, functools.partial), one.path
        (rule,) = one.endpoint.args
        assert isinstance(rule, Rule)
        assert one.path == rule.path
        assert one.methods - {"HEAD"} == {rule.method}
        found.add(key(rule))
    assert found == set(RULES)
    assert len(RULES) == len(ROUTES), "a route is there twice"


@pytest.mark.parametrize("name", RULES)
def test_without_a_session(plant: Station, name: str) -> None:
    rule, before = RULES[name], plant.refused("signed_out")
    answer = asked(plant.browser(), rule)
    assert nameless(answer)
    if rule.needs == "anyone":
        assert answer.code != "signed_out"
        return
    assert (answer.status, answer.code) == (401, "signed_out")
    assert plant.refused("signed_out") == before + 1
    page = asked(plant.browser(), rule, headers={"accept": "text/html"}, form=True)
    assert nameless(page)
    if rule.safe and not rule.path.startswith(("/api", "/events")):
        assert (page.status, page.header("location")) == (303, "/sign-in")
    else:
        assert page.status == 401


@pytest.mark.parametrize("name", GUARDED)
def test_with_a_cookie_of_nobody(plant: Station, name: str) -> None:
    browser = plant.browser(cookies={"edge_inspect": "A" * 43}, csrf="0" * 64)
    assert asked(browser, GUARDED[name]).code == "signed_out"


@pytest.mark.parametrize("name", RULES)
def test_in_a_locked_session(plant: Station, name: str) -> None:
    rule, before = RULES[name], plant.refused("locked")
    browser = plant.locked("9")
    answer = asked(browser, rule)
    assert nameless(answer)
    if rule.needs in ("anyone", "known"):
        assert answer.code != "locked"
        return
    assert (answer.status, answer.code) == (423, "locked")
    assert plant.refused("locked") == before + 1


@pytest.mark.parametrize("name", RIGHTS)
def test_with_every_role_that_is_too_low(plant: Station, name: str) -> None:
    rule = RIGHTS[name]
    least = ROLES.index(NEEDS[rule.needs])  # type: ignore[index]
    for role in ROLES[:least]:
        before = plant.refused("not_allowed")
        answer = asked(plant.entered(NUMBERS[role]), rule)
        assert (answer.status, answer.code) == (403, "not_allowed")
        assert plant.refused("not_allowed") == before + 1
    enough = asked(plant.entered(may(rule)), rule)
    assert (enough.status, enough.code) != (403, "not_allowed")


@pytest.mark.parametrize("name", [name for name, rule in CHANGING.items() if name in GUARDED])
def test_without_the_token_of_the_session(plant: Station, name: str) -> None:
    rule = GUARDED[name]
    other = plant.entered(may(rule))
    for token in (None, "", "0" * 64, other.csrf, "ä"):
        before = plant.refused("no_token")
        browser = plant.entered(may(rule))
        browser.csrf = None
        headers = {} if token is None else {"x-csrf-token": token}
        answer = asked(browser, rule, headers=headers)
        assert (answer.status, answer.code) == (403, "no_token")
        assert plant.refused("no_token") == before + 1


@pytest.mark.parametrize("name", CHANGING)
def test_from_a_foreign_page(plant: Station, name: str) -> None:
    rule = CHANGING[name]
    for headers in (
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:8081"},
        {"origin": "https://127.0.0.1:8080"},
        {"origin": "http://127.0.0.1:8080.evil.example"},
        {"origin": "http://127.0.0.1:8080@evil.example"},
        {"origin": "http://evil.example", "sec-fetch-site": "same-origin"},
        {"origin": ""},
    ):
        before = plant.refused("foreign_origin")
        answer = asked(plant.entered(may(rule)), rule, headers=headers)
        assert (answer.status, answer.code) == (403, "foreign_origin"), headers
        assert plant.refused("foreign_origin") == before + 1
    for site in ("cross-site", "same-site", "none"):
        browser = plant.entered(may(rule))
        answer = asked(browser, rule, headers={"sec-fetch-site": site}, without=("origin",))
        assert answer.code == "foreign_origin"
    bare = asked(plant.entered(may(rule)), rule, without=("origin", "sec-fetch-site"))
    assert bare.code == "foreign_origin"
    own = asked(plant.entered(may(rule)), rule, without=("origin",))
    assert own.code != "foreign_origin"


FOREIGN = ("evil.example", "evil.example:8080", "127.0.0.1.evil.example", "10.9.9.9:8080", "")


@pytest.mark.parametrize("name", RULES)
def test_under_a_foreign_name(plant: Station, name: str) -> None:
    rule = RULES[name]
    for host in FOREIGN:
        before = plant.refused("foreign_host")
        browser = plant.entered(may(rule), host=host)
        answer = asked(browser, rule)
        assert (answer.status, answer.code) == (421, "foreign_host"), host
        assert plant.refused("foreign_host") == before + 1


@pytest.mark.parametrize("name", RULES)
def test_with_tokens_of_machines(plant: Station, name: str) -> None:
    rule = RULES[name]
    cookies = plant.entered("9").cookies

    def with_token(token: str) -> Answer:
        headers = {"authorization": f"Bearer {token}"}
        return asked(plant.browser(cookies=cookies), rule, headers=headers)

    assert with_token("ei_nobodys").code == "signed_out"
    assert with_token("").code == "signed_out"
    for rights in (("look",), ("answer",), ("answer", "look")):
        token = plant.shop.machines.add(None, "PLC", rights)
        answer = with_token(token)
        allowed = rule.machines and rule.needs in ("anyone", "known", *rights)
        if allowed:
            assert answer.code not in ("not_allowed", "signed_out", "no_token", "foreign_origin")
        else:
            assert (answer.status, answer.code) == (403, "not_allowed")
        (machine,) = (one.machine.id for one in plant.shop.machines.all())
        plant.shop.machines.remove(None, machine)
        assert with_token(token).code == "signed_out"


@pytest.mark.parametrize("name", [name for name, rule in RULES.items() if rule.fresh])
def test_what_asks_for_the_pin_again(plant: Station, name: str) -> None:
    rule = RULES[name]
    answer = asked(plant.entered(may(rule), fresh=False), rule)
    assert (answer.status, answer.code) == (403, "pin_needed")
    browser = plant.entered(may(rule))
    plant.clock.after(121)
    assert asked(browser, rule).code == "pin_needed"


@pytest.mark.parametrize("name", RIGHTS)
def test_with_a_pin_that_somebody_else_chose(plant: Station, name: str) -> None:
    rule, lead = RIGHTS[name], plant.shop.people.by_id(plant.who["7"])
    assert lead is not None
    engineer = plant.shop.people.by_id(plant.who["9"])
    assert engineer is not None
    made = plant.shop.people.add(engineer, "Neu", "77", "engineer", "314159")
    try:
        session = plant.shop.sessions.begin(made, fresh=True)
        browser = plant.browser(cookies={"edge_inspect": session.cookie}, csrf=session.csrf)
        answer = asked(browser, rule)
        assert (answer.code == "pin_new") == (not rule.own)
    finally:
        plant.shop.people.erase(engineer, made.id)


@pytest.mark.parametrize("name", CHANGING)
def test_with_too_much(plant: Station, name: str) -> None:
    rule = CHANGING[name]
    answer = asked(plant.entered(may(rule)), rule, b"{" + b" " * 70_000 + b"}")
    assert (answer.status, answer.code) == (413, "too_large")


@pytest.mark.parametrize("name", RULES)
def test_every_answer_has_every_header(plant: Station, name: str) -> None:
    rule = RULES[name]
    for browser in (plant.browser(), plant.entered(may(rule))):
        answer = asked(browser, rule)
        for header, value in ALWAYS.items():
            assert [had for kind, had in answer.headers if kind == header] == [value]
        assert answer.header("cache-control")
        assert answer.header("server") is None


@pytest.mark.parametrize("name", RULES)
def test_with_another_method(plant: Station, name: str) -> None:
    rule = RULES[name]
    known = {one.method for one in ROUTES if one.path == rule.path}
    for method in {"PATCH", "PUT", "TRACE", "OPTIONS", "DELETE"} - known:
        answer = plant.entered("9").ask(method, path(rule), {})
        assert answer.status in (404, 405)
        assert answer.header("content-security-policy") == CSP


HOSTILE = (
    "<script>alert(1)</script>",
    "../../../etc/passwd",
    "..%2f..%2fetc%2fpasswd",
    "'; DROP TABLE persons; --",
    "%00",
    "a" * 3000,
    "%E2%80%AEgnp",
)


@pytest.mark.parametrize("name", [name for name, rule in RULES.items() if "{" in rule.path])
@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_names_in_paths(plant: Station, name: str, hostile: str) -> None:
    rule = RULES[name]
    browser = plant.entered(may(rule))
    target = re.sub(r"\{[^}]*\}", lambda _: hostile, rule.path)
    for found in (
        browser.ask(rule.method, target, None if rule.safe else {}, drop=True),
        browser.ask(rule.method, target, None if rule.safe else {}, form=True, drop=True),
    ):
        assert found.status < 500
        assert found.status != 200
        assert b"<script>alert" not in found.body
        assert b"root:" not in found.body
