"""The pages about persons, tokens and oneself: what they take, what they say, what is recorded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.edge.access.door import LEAD_PIN, OPERATOR_PIN
from tests.edge.web.station import NAMES, Station, station
from tests.edge.web.visiting import Answer, Browser


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[Station]:
    with station(tmp_path) as found:
        yield found


def drawn(browser: Browser, path: str = "/people") -> Answer:
    return browser.get(path, headers={"accept": "text/html"})


NEW = {"name": "Dora Möller", "number": "12", "role": "operator", "pin": "4862", "language": "de"}


def test_a_lead_adds_somebody_who_must_choose_a_pin_of_their_own(plant: Station) -> None:
    lead = plant.signed_in("7")
    assert lead.post("/people", NEW).json == {"done": "added", "to": "/people?done=added"}
    dora = plant.browser()
    assert dora.sign_in("12", "4862").status == 200
    assert dora.post("/api/v1/claims", {}).code == "pin_new"
    page = drawn(dora, "/queue")
    assert (page.status, page.header("location")) == (303, "/settings")
    assert dora.post("/settings/pin", {"old": "0000", "pin": "9731"}).code == "wrong"
    assert dora.post("/settings/pin", {"old": "4862", "pin": "4862"}).code == "weak_pin"
    assert dora.post("/settings/pin", {"old": "4862", "pin": "9731"}).status == 200
    assert dora.post("/api/v1/claims", {}).status == 204
    told = [one["action"] for one in plant.records()]
    assert told.count("person_added") == 3
    assert told[-1] == "pin_set"


def test_a_form_does_the_same_and_comes_back_with_words(plant: Station) -> None:
    lead = plant.signed_in("7")
    answer = lead.post("/people", NEW, form=True)
    assert (answer.status, answer.header("location")) == (303, "/people?done=added")
    again = lead.post("/people", NEW, form=True)
    assert again.status == 409
    assert "somebody" in again.text


def test_everybody_is_on_the_page_and_escaped(plant: Station) -> None:
    lead = plant.signed_in("7")
    hostile = "<script>alert('x')</script>"
    assert lead.post("/people", {**NEW, "name": hostile}).status == 200
    page = drawn(lead)
    assert page.status == 200
    assert hostile not in page.text
    assert "&lt;script&gt;alert(" in page.text
    for name in NAMES.values():
        assert name in page.text


HOSTILE = ("", "x" * 300, "a\0b", "\u202egnp", "\ud800", 7, None, ["a"], {"a": "b"}, True)


@pytest.mark.parametrize("field", ["name", "number", "role", "pin", "language"])
def test_hostile_fields(plant: Station, field: str) -> None:
    lead = plant.signed_in("7")
    for hostile in HOSTILE:
        if field == "language" and hostile in ("", None):
            continue  # one's own is taken
        answer = lead.post("/people", {**NEW, field: hostile})
        assert answer.status in (400, 422)
    assert len(plant.shop.people.all()) == 3


def test_changing_and_erasing(plant: Station) -> None:
    lead, bert = plant.signed_in("7"), plant.who["8"]
    operator = plant.signed_in("8")
    assert lead.post(f"/people/{bert}/rename", {"name": "B.", "number": "88"}).status == 200
    assert operator.get("/api/v1/queue").status == 200
    assert lead.post(f"/people/{bert}/role", {"role": "lead"}).code == "weak_pin"
    assert lead.post(f"/people/{bert}/role", {"role": "lead", "pin": "864209"}).status == 200
    assert operator.get("/people").code == "signed_out", "a new PIN by somebody else ends sessions"
    assert lead.post(f"/people/{bert}/badge", {"badge": "0004711338"}).status == 200
    assert plant.browser().post("/sign-in", {"badge": "0004711338"}).status == 200
    assert lead.post(f"/people/{bert}/erase", {}).status == 200
    assert plant.browser().post("/sign-in", {"badge": "0004711338"}).code == "wrong"
    assert "B." not in drawn(lead).text
    assert lead.post(f"/people/{bert}/erase", {}).code == "unknown"


def test_a_role_is_what_it_is_at_this_moment(plant: Station) -> None:
    engineer = plant.signed_in("9")
    assert plant.signed_in("7").post(f"/people/{plant.who['8']}/close", {}).status == 200
    lead = plant.signed_in("7")
    assert drawn(lead).status == 200
    assert engineer.post(f"/people/{plant.who['7']}/role", {"role": "operator"}).status == 200
    assert lead.get("/people").code == "not_allowed"


def test_nobody_lifts_themselves(plant: Station) -> None:
    lead = plant.signed_in("7")
    own = f"/people/{plant.who['7']}/role"
    assert lead.post(own, {"role": "engineer", "pin": "864209"}).code == "not_allowed"
    assert lead.post(f"/people/{plant.who['9']}/pin", {"pin": "864209"}).code == "not_allowed"


def test_tokens_are_shown_once(plant: Station) -> None:
    engineer = plant.signed_in("9")
    made = engineer.post("/people/machines", {"name": "PLC <1>", "look": True})
    token = made.json["token"]
    assert token.startswith("ei_")
    headers = {"authorization": f"Bearer {token}"}
    assert plant.browser().get("/api/v1/queue", headers=headers).status == 200
    assert token not in drawn(engineer).text
    assert "PLC &lt;1&gt;" in drawn(engineer).text
    shown = engineer.post("/people/machines", {"name": "two", "answer": "on"}, form=True)
    assert shown.status == 200
    assert "ei_" in shown.text
    assert shown.header("cache-control") == "no-store"
    (machine, *_) = [one.machine.id for one in plant.shop.machines.all()]
    assert engineer.post(f"/people/machines/{machine}/remove", {}).status == 200
    assert plant.browser().get("/api/v1/queue", headers=headers).code == "signed_out"
    assert engineer.post("/people/machines", {"name": "x"}).code == "nonsense"
    assert engineer.post("/people/machines", {"name": "x", "people": True}).code == "nonsense"


def test_leads_see_no_tokens(plant: Station) -> None:
    plant.shop.machines.add(None, "secret-plc", ["look"])
    assert "secret-plc" not in drawn(plant.signed_in("7")).text
    assert "secret-plc" in drawn(plant.signed_in("9")).text


def test_ones_own_language_and_pin(plant: Station) -> None:
    browser, other = plant.signed_in("8"), plant.signed_in("8")
    assert browser.post("/settings/language", {"language": "de"}).status == 200
    assert '<html lang="de">' in drawn(browser, "/settings").text
    assert browser.post("/settings/language", {"language": "fr"}).code == "nonsense"
    assert browser.post("/settings/pin", {"old": OPERATOR_PIN, "pin": "1234"}).code == "weak_pin"
    assert browser.post("/settings/pin", {"old": OPERATOR_PIN, "pin": "9731"}).status == 200
    assert browser.get("/api/v1/queue").status == 200
    assert other.get("/api/v1/queue").code == "signed_out", "other sessions end"


def test_guessing_ones_own_pin_waits_too(plant: Station) -> None:
    browser = plant.signed_in("8")
    codes = [browser.post("/settings/pin", {"old": "0", "pin": "9731"}).code for _ in range(6)]
    assert codes == ["wrong"] * 4 + ["wait"] * 2


def test_a_form_that_needs_the_pin_asks_for_it(plant: Station) -> None:
    lead = plant.signed_in("7")
    plant.clock.after(121)
    answer = lead.post("/people/figures", {"on": "on"}, form=True)
    assert answer.status == 403
    assert 'action="/confirm"' in answer.text
    assert lead.post("/confirm", {"pin": LEAD_PIN}, form=True).status == 303
    assert lead.post("/people/figures", {"on": "on"}, form=True).status == 303
    assert plant.shop.people.person_figures


def test_what_was_done_is_said_only_if_it_is_one_of_ours(plant: Station) -> None:
    assert "evil words" not in drawn(plant.signed_in("7"), "/people?done=evil words").text
