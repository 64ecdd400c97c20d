"""The queue by the API, as pages and programs use it, over real files."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edge.web.events import Hub
from tests.edge.web.parts import BLURRED, DRAWN, LineOfTests, picture
from tests.edge.web.station import Station, station
from tests.edge.web.visiting import Answer, Browser
from tests.simulators.patience import until

SEEN = {"score", "label", "scores", "would_be", "decision", "cuts", "model", "calibration"}
NOTHING_TOLD = {
    "reason": None, "doubts": [], "left_s": None, "allowed_s": None, "look_url": None,
    "answer": None, "shown": False, "alone": True, "basis": "picture",
}  # fmt: skip


@dataclass
class Plant:
    """A station whose follower is stepped by hand, with an operator, a lead and a program."""

    station: Station
    line: LineOfTests
    otto: Browser
    lena: Browser

    def asks(self, *parts: Any, **more: Any) -> list[Any]:
        made = list(parts) or [self.line.part("P-1", picture())]
        self.line.asks(*made, **more)
        self.follow()
        return made

    def follow(self) -> None:
        follower = self.station.opened.follower
        follower._news._checks_ns = follower._news._again_ns = 0
        while follower.unit():
            pass

    def claimed(self, who: Browser, part: Any = None) -> dict[str, Any]:
        answer = who.post("/api/v1/claims", {"inspection": part.id} if part else {})
        assert answer.status == 200, answer.body
        found: dict[str, Any] = answer.json
        return found

    def verdicts(self) -> list[dict[str, Any]]:
        return [one for one in self.station.records() if one["schema"] == "verdict/1"]


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[Plant]:
    with station(tmp_path) as found:
        line = LineOfTests(found.config.state_dir)
        yield Plant(found, line, found.entered("8"), found.entered("7"))


def said(claim: dict[str, Any], verdict: str = "reject", **more: Any) -> dict[str, Any]:
    """What the page sends for an answer."""
    case = claim["case"]
    body = {"claim": claim["claim"], "verdict": verdict, "picture": case["picture"]}
    return {**body, "inspection": case["inspection"], **more}


def answered(who: Browser, claim: dict[str, Any], verdict: str = "reject", **more: Any) -> Answer:
    return who.post("/api/v1/verdicts", said(claim, verdict, **more))


def test_what_waits_is_listed_the_most_urgent_first(plant: Plant) -> None:
    late = plant.line.part("late")
    plant.asks(late, within_s=300)
    (soon,) = plant.asks(plant.line.part("soon"), within_s=30)
    plant.claimed(plant.lena, soon)
    shown = plant.otto.get("/api/v1/queue").json
    assert (shown["waiting"], shown["escalations"], shown["alone"]) == (2, 2, 0)
    assert [item["inspection"] for item in shown["items"]] == [soon.id, late.id]
    first, second = shown["items"]
    assert (first["claimed"], first["mine"], second["claimed"]) == (True, False, False)
    assert plant.lena.get("/api/v1/queue").json["items"][0]["mine"]
    assert 0 < shown["next_deadline_s"] <= 30
    assert (shown["line"], shown["hand_over"], shown["groups"]) == ("down", None, [])


def test_a_locked_session_is_told_the_numbers_and_nothing_else(plant: Plant) -> None:
    plant.asks()
    shown = plant.station.locked("8").get("/api/v1/queue").json
    assert set(shown) == {
        "waiting", "escalations", "alone", "oldest_s", "next_deadline_s", "pressing"
    }  # fmt: skip


def test_an_answer_from_the_claim_to_the_record(plant: Plant) -> None:
    (part, after) = plant.asks(plant.line.part("P-1", picture()), plant.line.part("P-2", picture()))
    claim = plant.claimed(plant.otto)
    case = claim["case"]
    assert (case["inspection"], case["part_id"], case["reason"]) == (part.id, "P-1", "uncertain")
    assert case["types"] == ["dent", "missing", "scratch", "stain"]
    assert set(case["answer"]) == SEEN
    assert claim["next"]["inspection"] == after.id
    answer = answered(plant.otto, claim, "reject", label="dent", note="at the rim")
    assert answer.status == 200
    assert (answer.json["state"], answer.json["fate"]) == ("recorded", None)
    assert 0 < answer.json["undo_s"] <= 2.0
    (record,) = plant.verdicts()
    assert record["id"] == answer.json["verdict"]
    assert (record["by"], record["account"], record["via"]) == (
        plant.station.who["8"],
        None,
        "page",
    )
    assert (record["verdict"], record["label"], record["note"]) == ("reject", "dent", "at the rim")
    assert record["picture"] == part.image.sha256
    assert record["answer_shown"] is True
    state = plant.otto.get(f"/api/v1/inspections/{part.id}/state").json
    assert (state["state"], state["by_me"]) == ("answered", True)


def test_nothing_waits(plant: Plant) -> None:
    answer = plant.otto.post("/api/v1/claims", {})
    assert (answer.status, answer.body) == (204, b"")


@pytest.mark.parametrize(
    ("changed", "status", "code"),
    [
        ({"claim": "x" * 22}, 409, "expired"),
        ({"inspection": "another"}, 409, "expired"),
        ({"picture": "0" * 64}, 409, "wrong_picture"),
        ({"picture": None}, 409, "wrong_picture"),
        ({"verdict": "maybe"}, 422, "nonsense"),
        ({"verdict": None}, 422, "nonsense"),
        ({"claim": 7}, 422, "nonsense"),
        ({"claim": ""}, 422, "nonsense"),
        ({"picture": {"a": 1}}, 422, "nonsense"),
        ({"label": ["x"]}, 422, "nonsense"),
        ({"note": "x" * 5000}, 422, "nonsense"),
        ({"inspection": "x" * 300}, 422, "nonsense"),
    ],
)
def test_an_answer_that_does_not_fit_is_refused_counted_and_nothing_is_recorded(
    plant: Plant, changed: dict[str, Any], status: int, code: str
) -> None:
    plant.asks()
    claim = plant.claimed(plant.otto)
    before = plant.station.refused(code)
    answer = plant.otto.post("/api/v1/verdicts", {**said(claim), **changed})
    assert (answer.status, answer.code) == (status, code)
    assert plant.verdicts() == []
    assert plant.station.refused(code) == before + 1
    assert answered(plant.otto, claim).status == 200, "the claim is still good"


def test_a_picture_must_be_named_even_where_it_is_none(plant: Plant) -> None:
    plant.asks(plant.line.part("no picture"))
    claim = plant.claimed(plant.otto)
    assert claim["case"]["basis"] == "part"
    assert claim["case"]["picture_url"] is None
    body = said(claim)
    del body["picture"]
    assert plant.otto.post("/api/v1/verdicts", body).code == "nonsense"
    assert answered(plant.otto, claim).status == 200


def test_an_answer_that_is_sent_twice_is_recorded_once(plant: Plant) -> None:
    plant.asks()
    claim = plant.claimed(plant.otto)
    assert answered(plant.otto, claim).status == 200
    again = answered(plant.otto, claim)
    assert (again.status, again.code) == (409, "replayed")
    assert len(plant.verdicts()) == 1


def test_what_somebody_else_has_is_theirs(plant: Plant) -> None:
    (part,) = plant.asks()
    claim = plant.claimed(plant.otto)
    taken = plant.lena.post("/api/v1/claims", {"inspection": part.id})
    assert (taken.status, taken.code) == (409, "claimed")
    assert plant.lena.post("/api/v1/claims", {}).status == 204
    assert answered(plant.lena, claim).code == "expired"
    assert plant.otto.post(f"/api/v1/claims/{claim['claim']}/renew", {}).status == 204
    assert plant.lena.post(f"/api/v1/claims/{claim['claim']}/renew", {}).code == "expired"
    assert plant.otto.ask("DELETE", f"/api/v1/claims/{claim['claim']}").status == 204
    assert plant.claimed(plant.lena)["case"]["inspection"] == part.id


def test_what_is_skipped_comes_last(plant: Plant) -> None:
    first, second = plant.asks(plant.line.part("1"), plant.line.part("2"))
    claim = plant.claimed(plant.otto)
    assert claim["case"]["inspection"] == first.id
    assert plant.otto.post(f"/api/v1/claims/{claim['claim']}/skip", {}).status == 204
    assert plant.claimed(plant.otto)["case"]["inspection"] == second.id


def test_an_answer_to_a_part_that_is_decided_is_a_label_and_says_so(plant: Plant) -> None:
    (part,) = plant.asks()
    claim = plant.claimed(plant.otto)
    plant.line.decides(part, "hold", "fallback")
    plant.follow()
    answer = answered(plant.otto, claim).json
    assert (answer["fate"]["disposition"], answer["fate"]["by"]) == ("hold", "fallback")
    assert answer["undo_s"] == 0


def test_an_answer_is_taken_back(plant: Plant) -> None:
    (part,) = plant.asks()
    given = answered(plant.otto, plant.claimed(plant.otto)).json["verdict"]
    foreign = plant.lena.post(f"/api/v1/verdicts/{given}/undo", {})
    assert (foreign.status, foreign.code) == (403, "not_allowed")
    undone = plant.otto.post(f"/api/v1/verdicts/{given}/undo", {}).json
    assert undone["state"] == "undone", "the line does not run: it acts on nothing"
    assert plant.claimed(plant.otto)["case"]["inspection"] == part.id
    assert plant.otto.post("/api/v1/verdicts/none/undo", {}).status == 404


def test_too_late_to_take_back(plant: Plant) -> None:
    (part,) = plant.asks()
    given = answered(plant.otto, plant.claimed(plant.otto)).json["verdict"]
    plant.line.journal.append([plant.line.fate(part, "reject", "person", given)])
    plant.follow()
    late = plant.otto.post(f"/api/v1/verdicts/{given}/undo", {}).json
    assert (late["state"], late["corrected"]) == ("too_late", True)
    assert late["fate"]["disposition"] == "reject"


def test_labels_are_corrected_with_a_reason_others_by_leads_only(plant: Plant) -> None:
    (part,) = plant.asks()
    answered(plant.lena, plant.claimed(plant.lena))
    body = {"inspection": part.id, "to": "accept", "reason": "it was dust"}
    refused = plant.otto.post("/api/v1/corrections", body)
    assert (refused.status, refused.code) == (403, "not_allowed")
    assert plant.lena.post("/api/v1/corrections", {**body, "reason": ""}).code == "nonsense"
    assert plant.lena.post("/api/v1/corrections", body).json["corrected"] is True
    record = plant.station.records()[-1]
    assert (record["schema"], record["to"], record["reason"]) == (
        "correction/1", "accept", "it was dust",
    )  # fmt: skip


def test_several_are_rejected_or_held_together_never_accepted(plant: Plant) -> None:
    parts = [plant.line.part(str(n), picture(), doubts=(BLURRED,)) for n in range(5)]
    plant.asks(*parts)
    (group,) = plant.otto.get("/api/v1/queue").json["groups"]
    assert (group["cause"], group["count"]) == ("blurred", 5)
    named = [
        {name: one[name] for name in ("inspection", "picture")} for one in group["inspections"]
    ]
    assert {one["picture_url"].rpartition("/")[2] for one in group["inspections"]} == {
        part.image.sha256 for part in parts
    }
    accepted = plant.otto.post("/api/v1/together", {"inspections": named, "verdict": "accept"})
    assert (accepted.status, plant.verdicts()) == (422, [])
    plant.claimed(plant.lena, parts[0])
    named[1]["picture"] = "0" * 64
    body = {"inspections": named, "verdict": "hold", "note": "lens"}
    results = plant.otto.post("/api/v1/together", body).json["results"]
    codes = [one["refused"] for one in results]
    assert codes == ["claimed", "wrong_picture", None, None, None]
    assert all(record["hold"] for record in plant.verdicts())
    assert len(plant.verdicts()) == 3
    for body in ({"verdict": "hold"}, {"inspections": [7], "verdict": "hold"}):
        assert plant.otto.post("/api/v1/together", body).code == "nonsense"


def test_the_end_of_a_shift(plant: Plant) -> None:
    plant.asks(plant.line.part("1"), plant.line.part("2"))
    answered(plant.otto, plant.claimed(plant.otto))
    plant.claimed(plant.otto)
    over = plant.otto.post("/api/v1/hand-over", {"note": "the lens is dirty"}).json
    assert (over["answered"], over["waiting"]) == (1, 1)
    shown = plant.lena.get("/api/v1/queue").json
    assert shown["hand_over"]["note"] == "the lens is dirty"
    assert not shown["items"][0]["claimed"]
    record = plant.station.records()[-1]
    assert (record["schema"], record["action"]) == ("access/1", "hand_over")
    assert "lens" not in json.dumps(record)


def test_parts_that_are_shown_alone_tell_nothing_of_themselves(plant: Plant) -> None:
    (check,) = plant.line.sure(1, spot_check=DRAWN, name="P-7", shot=picture())
    plant.line.draws(check)
    challenge = plant.line.part("C-1", picture(), tags={"challenge": "x"}, doubts=(BLURRED,))
    plant.asks(challenge)
    rows = plant.otto.get("/api/v1/queue").json["items"]
    assert [(row["alone"], row["left_s"]) for row in rows] == [(True, None)] * 2
    told = []
    for part in (check, challenge):
        claim = plant.claimed(plant.otto, part)
        case = claim["case"]
        assert {name: case[name] for name in NOTHING_TOLD} == NOTHING_TOLD
        told.append({name for name in case})
        answer = answered(plant.otto, claim).json
        assert answer["answer"]["score"] == 0.5, "afterwards it is revealed"
        assert answer["undo_s"] == 0
    assert told[0] == told[1]
    assert [record["answer_shown"] for record in plant.verdicts()] == [False, False]


def test_in_shadow_the_model_s_answer_is_hidden_before_and_after(plant: Plant) -> None:
    plant.asks(plant.line.part("P-1", picture(), automation="shadow"))
    claim = plant.claimed(plant.otto)
    assert (claim["case"]["answer"], claim["case"]["look_url"]) == (None, None)
    assert answered(plant.otto, claim).json["answer"] is None


def test_programs_answer_with_a_token(plant: Plant) -> None:
    plant.asks()
    token = plant.station.shop.machines.add(plant.station.who["9"], "sorter", ["answer", "look"])
    program = plant.station.browser()
    with_token = {"authorization": f"Bearer {token}"}
    claim = program.post("/api/v1/claims", {}, headers=with_token).json
    case = claim["case"]
    assert program.get(case["picture_url"], headers=with_token).status == 200
    given = program.post("/api/v1/verdicts", said(claim, "accept"), headers=with_token)
    assert given.status == 200
    (record,) = plant.verdicts()
    assert (record["by"][:2], record["via"]) == ("m-", "api")
    assert program.post("/api/v1/hand-over", {}, headers=with_token).status == 403


def test_pictures_by_part_hash_and_size(plant: Plant) -> None:
    (part,) = plant.asks(plant.line.part("P-1", picture(2000, 100)))
    url = f"/api/v1/pictures/{part.id}/{part.image.sha256}"
    whole = plant.otto.get(url)
    assert (whole.status, whole.header("content-type")) == (200, "image/jpeg")
    assert whole.header("x-picture-size") == "2000x100"
    assert "immutable" in str(whole.header("cache-control"))
    small = cv2.imdecode(np.frombuffer(plant.otto.get(url + "?size=thumb").body, np.uint8), 1)
    assert small.shape[:2] == (16, 320)
    assert plant.otto.get(url + "?size=huge").code == "nonsense"
    for wrong in (
        f"/api/v1/pictures/{part.id}/{'0' * 64}",
        f"/api/v1/pictures/none/{part.image.sha256}",
        f"/api/v1/pictures/..%2f..%2fline.db/{part.image.sha256}",
    ):
        assert plant.otto.get(wrong).status == 404, wrong
    assert plant.station.browser().get(url).code == "signed_out"
    plant.line.decides(part)
    plant.follow()
    assert plant.otto.get(url).status == 200


def test_the_stream_begins_with_what_is_now(plant: Plant) -> None:
    plant.asks()
    answer = plant.otto.get("/events", drop=True)
    assert answer.header("content-type") == "text/event-stream; charset=utf-8"
    text = answer.text
    assert "event: queue" in text
    assert "event: line" in text
    locked = plant.station.locked("8").get("/events", drop=True).text
    assert "event: line" not in locked
    assert '"waiting": 1' in locked
    assert "pressing" not in locked
    assert plant.station.browser().get("/events").code == "signed_out"
    assert plant.station.shop.hub.streams == 0


def test_the_stream_of_a_program_ends_with_its_token(plant: Plant) -> None:
    machines, lead = plant.station.shop.machines, plant.station.who["7"]
    token = machines.add(lead, "screen", ["look"])
    answers: list[Answer] = []

    def listen() -> None:
        program = plant.station.browser()
        answers.append(program.get("/events", {"authorization": f"Bearer {token}"}))

    listening = threading.Thread(target=listen)
    listening.start()
    hub, machine = plant.station.shop.hub, machines.find(token)
    assert machine is not None
    until(lambda: hub.streams == 1, lambda: listening.join(0.01))
    plant.station.running.run(_started(hub))
    machines.remove(lead, machine.id)
    hub.publish("line", {"line": "up"})
    listening.join(60)
    assert (answers[0].status, hub.streams) == (200, 0)


async def _started(hub: Hub) -> None:
    hub.start()


def test_everybody_is_told_what_has_become_of_a_part(plant: Plant) -> None:
    told: list[Any] = []
    plant.station.shop.hub.publish = lambda *event: told.append(event)  # type: ignore[method-assign]
    (part,) = plant.asks()
    claim = plant.claimed(plant.otto)
    answered(plant.otto, claim)
    parts = [data for name, data in told if name == "part"]
    assert [one["state"] for one in parts] == ["claimed", "answered"]
    assert {tuple(one) for one in parts} == {("inspection", "state", "fate")}
    assert parts[0]["inspection"] == part.id


def test_health_says_whether_the_line_is_followed(plant: Plant) -> None:
    anybody = plant.station.browser()
    assert anybody.get("/api/v1/health").json == {"service": "web", "state": "degraded"}
    state = plant.station.shop.line
    state.now = type(state.now)(up=True, stale=False)
    assert anybody.get("/api/v1/health").json["state"] == "ok"
