"""Answers that are not what they seem: replayed, about another picture, for others, with words that
would deceive; and degrees asked for by those who may not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edge.requests import Desk
from edge.review.case import Case
from edge.web.line_state import Known
from tests.edge.web.station import Station, station
from tests.edge.web.visiting import Answer, Browser

PICTURE = "ab" * 32


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[Station]:
    with station(tmp_path) as found:
        yield found


def case(name: str, picture: str | None = PICTURE) -> Case:
    return Case(
        inspection=name,
        kind="escalation",
        part_id="<b>12</b>",
        captured_at="2026-11-20T12:00:00.000Z",
        reason="uncertain",
        doubts=(),
        picture=picture,
        path="images/x.jpg",
        shows=False,
        alone=False,
        basis="picture",
        answer={"score": 0.5, "label": "good"},
        deadline_ns=1 << 62,
        allowed_s=60.0,
        station="a/b/c",
    )


def claimed(plant: Station, browser: Browser, name: str = "i-1") -> dict[str, Any]:
    plant.shop.answers.add(case(name), 0.0)
    found = browser.post("/api/v1/claims", {})
    assert found.status == 200
    return {
        "claim": found.json["claim"],
        "inspection": name,
        "picture": PICTURE,
        "verdict": "accept",
    }


def verdicts(plant: Station) -> list[dict[str, Any]]:
    return [one for one in plant.records() if one["schema"] == "verdict/1"]


def refused(plant: Station, answer: Answer, code: str, status: int) -> None:
    assert (answer.status, answer.code) == (status, code)
    assert plant.refused(code) > 0
    assert verdicts(plant) == []


def test_an_answer_names_nobody_in_the_chain(plant: Station) -> None:
    browser = plant.signed_in("8")
    assert browser.post("/api/v1/verdicts", claimed(plant, browser)).status == 200
    (told,) = verdicts(plant)
    assert (told["by"], told["account"], told["via"]) == (plant.who["8"], None, "page")
    assert "Bert" not in json.dumps(plant.records())


def test_the_same_answer_again_is_a_replay(plant: Station) -> None:
    browser = plant.signed_in("8")
    body = claimed(plant, browser)
    assert browser.post("/api/v1/verdicts", body).status == 200
    again = browser.post("/api/v1/verdicts", body)
    assert (again.status, again.code) == (409, "replayed")
    other = browser.post("/api/v1/verdicts", {**body, "verdict": "reject"})
    assert other.code == "replayed"
    assert len(verdicts(plant)) == 1
    assert plant.refused("replayed") == 2


@pytest.mark.parametrize("picture", ["cd" * 32, None, PICTURE.upper(), PICTURE[:-1]])
def test_an_answer_about_another_picture(plant: Station, picture: str | None) -> None:
    browser = plant.signed_in("8")
    body = {**claimed(plant, browser), "picture": picture}
    answer = browser.post("/api/v1/verdicts", body)
    refused(plant, answer, "wrong_picture", 409)


def test_an_answer_with_somebody_elses_claim(plant: Station) -> None:
    mine, other = plant.signed_in("8"), plant.signed_in("7")
    answer = other.post("/api/v1/verdicts", claimed(plant, mine))
    assert answer.status == 409
    assert verdicts(plant) == []


@pytest.mark.parametrize("claim", ["", "x", None, 7, ["x"], "../../i-1", "<script>"])
def test_an_answer_without_a_claim(plant: Station, claim: object) -> None:
    browser = plant.signed_in("8")
    answer = browser.post("/api/v1/verdicts", {**claimed(plant, browser), "claim": claim})
    assert 400 <= answer.status < 500
    assert verdicts(plant) == []


@pytest.mark.parametrize("field", ["label", "note", "verdict", "inspection"])
def test_words_that_would_deceive(plant: Station, field: str) -> None:
    browser = plant.signed_in("8")
    body = claimed(plant, browser)
    for hostile in ("a\0b", "\u202egnp", "\x1b[2J", "\ud800", {"a": 1}, 7, [1]):
        answer = browser.post("/api/v1/verdicts", {**body, field: hostile})
        assert 400 <= answer.status < 500
        assert answer.code
    assert verdicts(plant) == []


@pytest.mark.parametrize("field", ["label", "note"])
def test_words_without_end(plant: Station, field: str) -> None:
    browser = plant.signed_in("8")
    answer = browser.post("/api/v1/verdicts", {**claimed(plant, browser), field: "x" * 60_000})
    assert 400 <= answer.status < 500
    assert verdicts(plant) == []


def test_a_note_is_kept_as_it_is_and_is_only_text(plant: Station) -> None:
    browser = plant.signed_in("8")
    note = "<script>alert(1)</script> ../../etc/passwd"
    body = {**claimed(plant, browser), "verdict": "reject", "note": note}
    assert browser.post("/api/v1/verdicts", body).status == 200
    assert verdicts(plant)[0]["note"] == note


def test_nobody_accepts_several_at_once(plant: Station) -> None:
    browser = plant.signed_in("8")
    for name in ("i-1", "i-2"):
        plant.shop.answers.add(case(name), 0.0)
    parts = [{"inspection": name, "picture": PICTURE} for name in ("i-1", "i-2")]
    answer = browser.post("/api/v1/together", {"inspections": parts, "verdict": "accept"})
    refused(plant, answer, "nonsense", 422)


def test_operators_correct_nobody_elses_label(plant: Station) -> None:
    mine, other = plant.signed_in("8"), plant.signed_in("9")
    body = claimed(plant, other)
    assert other.post("/api/v1/verdicts", body).status == 200
    correction = {"inspection": "i-1", "to": "reject", "reason": "I say so"}
    answer = mine.post("/api/v1/corrections", correction)
    assert (answer.status, answer.code) == (403, "not_allowed")
    assert [one for one in plant.records() if one["schema"] == "correction/1"] == []


def test_a_machines_answer_says_so(plant: Station) -> None:
    token = plant.shop.machines.add(None, "PLC", ["answer"])
    headers = {"authorization": f"Bearer {token}"}
    browser = plant.browser()
    plant.shop.answers.add(case("i-1"), 0.0)
    claim = browser.post("/api/v1/claims", {}, headers=headers).json["claim"]
    body = {"claim": claim, "inspection": "i-1", "picture": PICTURE, "verdict": "reject"}
    assert browser.post("/api/v1/verdicts", body, headers=headers).status == 200
    (told,) = verdicts(plant)
    (machine,) = plant.shop.machines.all()
    assert (told["by"], told["via"]) == (machine.machine.id, "api")


def running_line(plant: Station, answer: dict[str, object]) -> list[dict[str, object]]:
    """A line that answers at once; what it was asked."""
    asked: list[dict[str, object]] = []

    def set_degree(request: Any) -> dict[str, object]:
        asked.append({"by": request.by, "account": request.account, **request.arguments})
        return answer

    folder = plant.config.state_dir / "requests" / "line"
    desk = Desk(folder, {"set_degree": set_degree})
    plant.shop.line.now = Known(up=True, trouble=())
    served = desk.step

    import threading

    over = threading.Event()

    def serve() -> None:
        while not over.wait(0.01):
            if served(0.0):
                return

    threading.Thread(target=serve, daemon=True).start()
    return asked


def test_an_engineer_asks_the_line_for_a_degree(plant: Station) -> None:
    asked = running_line(plant, {"in_force": "assist", "why": "set by a person"})
    engineer = plant.signed_in("9")
    answer = engineer.post("/api/v1/degree", {"degree": "assist", "reason": "pilot is over"})
    assert answer.json == {"in_force": "assist", "why": "set by a person"}
    by = plant.who["9"]
    assert asked == [{"by": by, "account": None, "degree": "assist", "reason": "pilot is over"}]


@pytest.mark.parametrize(
    "body",
    [
        {"degree": "assist"},
        {"degree": "assist", "reason": "  "},
        {"degree": "all", "reason": "x"},
        {"degree": "assist", "reason": "x" * 501},
        {"degree": "assist", "reason": "\u202e"},
    ],
)
def test_degrees_that_are_nonsense(plant: Station, body: dict[str, str]) -> None:
    plant.shop.line.now = Known(up=True, trouble=())
    answer = plant.signed_in("9").post("/api/v1/degree", body)
    assert (answer.status, answer.code) == (400, "nonsense")
    assert list((plant.config.state_dir / "requests").rglob("*.json")) == []


def test_a_line_that_does_not_run_is_asked_nothing(plant: Station) -> None:
    """A request that lies there would be done at some later time, to everybody's surprise."""
    (plant.config.state_dir / "requests" / "line").mkdir(parents=True)
    answer = plant.signed_in("9").post("/api/v1/degree", {"degree": "assist", "reason": "x"})
    assert (answer.status, answer.code) == (503, "not_now")
    assert list((plant.config.state_dir / "requests").rglob("*.json")) == []


def test_what_a_degree_would_mean_is_said_first(plant: Station) -> None:
    engineer = plant.signed_in("9")
    said = engineer.get("/api/v1/degree?wanted=partial")
    assert said.status == 200
    assert said.json["wanted"] == "partial"
    assert isinstance(said.json["consequence"], str)
    assert engineer.get("/api/v1/degree?wanted=<script>").code == "nonsense"
    assert engineer.get("/api/v1/degree").json["consequence"] is None


def test_a_stream_ends_with_its_token(plant: Station) -> None:
    from edge.web.api.stream import _machine_hears
    from edge.web.call import Call

    plant.shop.machines.add(None, "PLC", ["look"])
    (one,) = plant.shop.machines.all()
    call = Call(None, plant.shop)  # type: ignore[arg-type]
    assert _machine_hears(call, one.machine.id) == "all"
    plant.shop.machines.remove(None, one.machine.id)
    assert _machine_hears(call, one.machine.id) == "nothing"
