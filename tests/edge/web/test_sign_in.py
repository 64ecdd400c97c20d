"""Coming in and going: cookies, locks, the first start, and what guessing leads to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.edge.access.door import ELSEWHERE, LEAD_PIN, OPERATOR_PIN
from tests.edge.web.station import NAMES, Station, station
from tests.edge.web.visiting import Browser

BADGE = "0004711338"


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[Station]:
    with station(tmp_path) as found:
        yield found


def page(browser: Browser, path: str) -> tuple[int, str | None]:
    answer = browser.get(path, headers={"accept": "text/html"})
    return answer.status, answer.header("location")


def test_number_and_pin(plant: Station) -> None:
    browser = plant.browser()
    answer = browser.sign_in("8", OPERATOR_PIN)
    assert (answer.status, answer.json["to"]) == (200, "/queue")
    assert browser.get("/api/v1/queue").status == 200
    assert page(browser, "/sign-in") == (303, "/queue")


def test_a_form_does_the_same(plant: Station) -> None:
    browser = plant.browser()
    answer = browser.post("/sign-in", {"number": "8", "pin": OPERATOR_PIN}, form=True)
    assert (answer.status, answer.header("location")) == (303, "/queue")
    assert browser.get("/api/v1/queue").status == 200


def test_the_cookie(plant: Station) -> None:
    (cookie,) = plant.browser().sign_in("8", OPERATOR_PIN).cookies
    name, *flags = cookie.split("; ")
    assert re.fullmatch(r"edge_inspect=[A-Za-z0-9_-]{43}", name)
    assert {flag.lower() for flag in flags} == {"httponly", "path=/", "samesite=strict"}


def test_the_cookie_with_tls(tmp_path: Path) -> None:
    with station(tmp_path, secure=True) as plant:
        browser = plant.browser(scheme="https")
        (cookie,) = browser.sign_in("8", OPERATOR_PIN).cookies
        name, *flags = cookie.split("; ")
        assert re.fullmatch(r"__Host-edge_inspect=[A-Za-z0-9_-]{43}", name)
        assert {flag.lower() for flag in flags} == {
            "httponly",
            "path=/",
            "samesite=strict",
            "secure",
        }
        assert browser.get("/api/v1/queue").status == 200
        plain = plant.browser(
            scheme="https", cookies={"edge_inspect": browser.cookies["__Host-edge_inspect"]}
        )
        assert plain.get("/api/v1/queue").code == "signed_out", "only under its safe name"


def test_a_session_cannot_be_chosen_for_somebody(plant: Station) -> None:
    """Session fixation: what the browser had before signing in is worth nothing afterwards."""
    browser = plant.browser(cookies={"edge_inspect": "C" * 43})
    browser.sign_in("8", OPERATOR_PIN)
    first = browser.cookies["edge_inspect"]
    assert first != "C" * 43
    assert plant.browser(cookies={"edge_inspect": "C" * 43}).get("/queue").code == "signed_out"
    browser.sign_in("7", LEAD_PIN)
    assert browser.cookies["edge_inspect"] != first
    assert plant.browser(cookies={"edge_inspect": first}).get("/queue").code == "signed_out"


def test_signing_out_ends_the_session_at_the_station(plant: Station) -> None:
    browser = plant.signed_in("8")
    copied = dict(browser.cookies)
    answer = browser.post("/sign-out", {})
    assert answer.status == 200
    assert browser.cookies == {}
    assert plant.browser(cookies=copied).get("/queue").code == "signed_out"


@pytest.mark.parametrize(
    "typed",
    [
        {"number": "8", "pin": "0000"},
        {"number": "55", "pin": OPERATOR_PIN},
        {"number": "", "pin": ""},
        {"number": "8' OR 1=1 --", "pin": "x"},
        {"number": "../8", "pin": OPERATOR_PIN},
        {"badge": "99999999"},
    ],
)
def test_what_is_wrong_is_told_the_same_and_names_nobody(
    plant: Station, typed: dict[str, str]
) -> None:
    answer = plant.browser().post("/sign-in", typed)
    assert (answer.status, answer.code) == (401, "wrong")
    assert answer.json["error"]["message"] == "wrong number, PIN, badge or code"
    assert plant.refused("wrong") == 1
    shown = plant.browser().post("/sign-in", typed, form=True)
    assert shown.status == 401
    assert not any(name in shown.text for name in NAMES.values())


@pytest.mark.parametrize(
    "typed",
    [
        {},
        {"number": 8, "pin": 7391},
        {"number": "8"},
        {"number": None, "pin": None},
        {"number": ["8"], "pin": OPERATOR_PIN},
        {"number": "8", "pin": "x" * 5000},
        {"badge": {"a": 1}},
    ],
)
def test_nonsense_is_told_as_such(plant: Station, typed: dict[str, object]) -> None:
    answer = plant.browser().post("/sign-in", typed)
    assert (answer.status, answer.code) == (400, "nonsense")


def test_a_thousand_wrong_pins(plant: Station, capsys: pytest.CaptureFixture[str]) -> None:
    """Refused, counted, logged; and afterwards the right one works again."""
    browser = plant.browser(address=ELSEWHERE)
    codes = []
    for number in range(1000):
        answer = browser.post("/sign-in", {"number": "7", "pin": f"{number:04}"})
        codes.append(answer.code)
    assert codes == ["wrong"] * 4 + ["wait"] * 996
    assert answer.status == 429
    assert answer.header("retry-after") == "30"
    assert answer.json["error"]["facts"]["wait_s"] == 30
    assert (plant.refused("wrong"), plant.refused("wait")) == (4, 996)
    logged = capsys.readouterr().err
    assert "access.wrong" in logged
    assert f"access.locked_out what=number address={ELSEWHERE}" in logged
    told = [one["action"] for one in plant.records()]
    assert told[-2:] == ["refused", "locked_out"], "one of the run, one of the wait"
    assert browser.sign_in("7", LEAD_PIN).code == "wait", "not even the right one, for now"
    assert plant.browser().sign_in("8", OPERATOR_PIN).status == 200, "nobody else waits"
    plant.clock.after(31)
    assert browser.sign_in("7", LEAD_PIN).status == 200


def test_guessing_cannot_lock_a_person_out_at_their_tablet(plant: Station) -> None:
    tablet = plant.signed_in("8", address="10.0.0.5")
    for _ in range(20):
        plant.browser(address=ELSEWHERE).post("/sign-in", {"number": "8", "pin": "0000"})
    tablet.post("/sign-out", {})
    assert tablet.sign_in("8", OPERATOR_PIN).status == 200


def test_a_badge_signs_in_but_is_no_fresh_pin(plant: Station) -> None:
    lead = plant.shop.people.by_id(plant.who["7"])
    assert lead is not None
    plant.shop.people.set_badge(lead, lead.id, BADGE)
    browser = plant.browser()
    answer = browser.post("/sign-in", {"badge": BADGE + "\r"})
    assert answer.status == 200
    browser.csrf = answer.json["csrf"]
    assert browser.get("/api/v1/queue").status == 200
    on = {"on": True}
    assert browser.post("/people/figures", on).code == "pin_needed"
    assert browser.post("/confirm", {"pin": "000000"}).code == "wrong"
    assert browser.post("/people/figures", on).code == "pin_needed"
    assert browser.post("/confirm", {"pin": LEAD_PIN}).status == 200
    assert browser.post("/people/figures", on).status == 200
    assert plant.shop.people.person_figures


def test_the_pin_given_at_the_door_is_fresh_for_two_minutes(plant: Station) -> None:
    browser = plant.signed_in("7")
    assert browser.post("/people/figures", {"on": True}).status == 200
    plant.clock.after(121)
    assert browser.post("/people/figures", {"on": False}).code == "pin_needed"


def test_an_idle_session_is_locked_and_says_only_how_many_wait(plant: Station) -> None:
    browser = plant.signed_in("8")
    plant.clock.after(299)
    assert browser.post("/api/v1/claims", {}).status == 204
    plant.clock.after(299)
    assert browser.post("/api/v1/claims", {}).status == 204, "what was done counts"
    plant.clock.after(301)
    assert browser.post("/api/v1/claims", {}).code == "locked"
    assert page(browser, "/queue") == (303, "/locked")
    counts = browser.get("/api/v1/queue")
    assert counts.status == 200
    assert "items" not in counts.json
    locked = browser.get("/locked", headers={"accept": "text/html"})
    assert locked.status == 200
    assert not any(name in locked.text for name in NAMES.values())


def test_what_a_page_asks_by_itself_keeps_no_session_open(plant: Station) -> None:
    browser = plant.signed_in("8")
    for _ in range(4):
        plant.clock.after(100)
        browser.get("/api/v1/queue")
        browser.get("/events", drop=True)
        browser.post("/api/v1/claims", {}, headers={"x-quiet": "1"})
    assert browser.post("/api/v1/claims", {}).code == "locked"


def test_unlocking(plant: Station) -> None:
    browser = plant.locked("8")
    cookies = dict(browser.cookies)
    assert browser.post("/unlock", {"pin": "0000"}).code == "wrong"
    assert browser.post("/unlock", {"pin": LEAD_PIN}).code == "wrong", "another's PIN is wrong"
    assert browser.get("/api/v1/figures").code == "locked"
    assert browser.post("/unlock", {"pin": OPERATOR_PIN}).json["to"] == "/queue"
    assert browser.get("/api/v1/queue").json.keys() > {"items"}
    assert browser.cookies == cookies


def test_wrong_pins_at_the_lock_wait_as_at_the_door(plant: Station) -> None:
    browser = plant.locked("8")
    codes = [browser.post("/unlock", {"pin": "0000"}).code for _ in range(6)]
    assert codes == ["wrong"] * 4 + ["wait"] * 2
    shown = browser.post("/unlock", {"pin": "0000"}, form=True)
    assert shown.status == 429
    assert "30" in shown.text


def test_somebody_else_can_take_over_a_locked_tablet(plant: Station) -> None:
    browser = plant.locked("8")
    old = dict(browser.cookies)
    browser.post("/sign-out", {})
    assert browser.sign_in("7", LEAD_PIN).status == 200
    assert plant.browser(cookies=old).get("/queue").code == "signed_out"


def test_locking_by_hand(plant: Station) -> None:
    browser = plant.signed_in("8")
    assert browser.post("/lock", {}).json["to"] == "/locked"
    assert browser.get("/api/v1/figures").code == "locked"


def test_a_session_ends_after_twelve_hours(plant: Station) -> None:
    browser = plant.signed_in("8")
    for _ in range(12 * 15):
        plant.clock.after(240)
        answer = browser.post("/api/v1/claims", {})
    assert answer.code == "signed_out"


def test_with_a_fresh_pin_one_goes_back_to_where_one_was(plant: Station) -> None:
    browser = plant.signed_in("7")
    for wanted, to in (
        ("/people", "/people"),
        ("https://evil.example/", "/queue"),
        ("//evil.example", "/queue"),
        ("/\\evil.example", "/queue"),
        ("/people?x=%0d%0aSet-Cookie:a=b", "/queue"),
    ):
        answer = browser.post("/confirm", {"pin": LEAD_PIN, "next": wanted}, form=True)
        assert answer.header("location") == to


def test_the_language_of_the_door(plant: Station) -> None:
    browser = plant.browser()
    answer = browser.post("/sign-in", {"language": "de"}, form=True)
    assert answer.status == 303
    assert "samesite=strict" in answer.cookies[0].lower()
    assert '<html lang="de">' in browser.get("/sign-in", headers={"accept": "text/html"}).text
    assert browser.post("/sign-in", {"language": "xx"}).code == "nonsense"


def test_the_first_start(tmp_path: Path) -> None:
    with station(tmp_path) as plant:
        people = plant.shop.people
        engineer, lead = (people.by_id(plant.who[one]) for one in ("9", "7"))
        assert engineer is not None
        assert lead is not None
        assert page(plant.browser(), "/first") == (303, "/sign-in"), "no code, nothing to see"
        people.set_role(lead, lead.id, "operator")
        people.erase(engineer, plant.who["8"])
        people._register.erase(people._register.get(engineer.id))
        assert people.nobody
        code = people.first_code()
        browser = plant.browser()
        assert page(browser, "/queue") == (303, "/first")
        assert page(browser, "/sign-in") == (303, "/first")
        typed = {"name": "Dora <b>", "number": "12", "pin": "864209", "code": "WRONG"}
        wrong = browser.post("/first", typed, form=True)
        assert wrong.status == 401
        assert "Dora &lt;b&gt;" in wrong.text
        assert browser.post("/first", {**typed, "code": code}).status == 200
        assert browser.get("/api/v1/queue").status == 200
        assert plant.browser().post("/first", {**typed, "code": code}).code == "wrong"
