"""Inspections by the API: to each whoever asks, no more than they may see."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edge.decision.challenge import TAG
from tests.edge.web.parts import DRAWN, MODEL, picture
from tests.edge.web.plant import Plant, plant_in

API = "/api/v1/inspections"
MODELS = {"score", "label", "scores", "would_be", "cuts", "calibration", "model", "runtime"}


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[Plant]:
    with plant_in(tmp_path) as found:
        yield found


def items(plant: Plant, who: Any, query: str = "") -> list[Any]:
    answer = who.get(f"{API}?{query}")
    assert answer.status == 200, answer.body
    found: list[Any] = answer.json["items"]
    return found


def test_a_page_of_inspections_and_the_next_one(plant: Plant) -> None:
    made = plant.line.sure(5)
    first = plant.otto.get(f"{API}?limit=2").json
    assert [one["inspection"] for one in first["items"]] == [made[4].id, made[3].id]
    assert first["searched_to"] == first["next"].partition("~")[0]
    rest = plant.otto.get(f"{API}?cursor={first['next']}").json
    assert [one["inspection"] for one in rest["items"]] == [one.id for one in made[2::-1]]
    assert (rest["next"], rest["searched_to"], rest["damaged"]) == (None, None, 0)


def test_what_an_item_says(plant: Plant) -> None:
    part = plant.line.part("P-1", picture())
    plant.asks(part)
    plant.answers(plant.otto, part, "reject")
    plant.decided(part)
    (shown,) = items(plant, plant.otto)
    assert shown["picture_url"] == f"/api/v1/pictures/{part.id}/{part.image.sha256}"
    assert (shown["part_id"], shown["decision"], shown["reason"]) == (
        "P-1",
        "escalate",
        "uncertain",
    )
    assert (shown["disposition"], shown["by"], shown["waits"]) == ("reject", "person", False)
    assert (shown["score"], shown["label"], shown["hidden"]) == (0.5, "scratch", False)
    assert (shown["verdict"]["verdict"], shown["verdict"]["mine"]) == ("reject", True)


@pytest.mark.parametrize(
    "query",
    [
        "since=yesterday",
        "since=2026-13-01T00:00Z",
        "until=2026-11-20",
        "decision=perhaps",
        "verdict=maybe",
        "score_min=nan",
        "score_max=inf",
        "score_min=1;2",
        "cursor=1",
        f"part={'x' * 201}",
        "limit=many",
    ],
)
def test_nonsense_is_refused_and_says_where(plant: Plant, query: str) -> None:
    answer = plant.otto.get(f"{API}?{query}")
    assert (answer.status, answer.code) == (422, "nonsense")


def test_hostile_texts_find_nothing_and_harm_nothing(plant: Plant) -> None:
    plant.line.sure(2)
    for text in ("' OR 1=1 --", "%", "../../etc/passwd", "<script>", "\x00"):
        from urllib.parse import quote

        assert items(plant, plant.otto, f"part={quote(text)}") == []
    assert plant.otto.get(f"{API}/..%2f..%2fetc").status == 404


@pytest.mark.parametrize("automation", ["human_only", "shadow"])
def test_in_shadow_operators_do_not_see_what_the_model_says(plant: Plant, automation: Any) -> None:
    part = plant.line.part("P-1", automation=automation)
    plant.asks(part)
    for who in (plant.otto, plant.lena):
        told = who.get(f"{API}/{part.id}").json
        assert not MODELS & set(told["inspection"])
        assert told["hidden"]
        assert items(plant, who)[0]["score"] is None
        assert items(plant, who, "score_min=0") == []
    plant.decided(part, "hold", "fallback")
    assert not MODELS & set(plant.otto.get(f"{API}/{part.id}").json["inspection"])
    assert plant.lena.get(f"{API}/{part.id}").json["inspection"]["score"] == 0.5
    assert items(plant, plant.lena, "score_min=0")[0]["score"] == 0.5


def test_an_open_check_is_the_picture_and_the_number_to_everybody(plant: Plant) -> None:
    part = plant.line.part("P-1", picture(), decision="accept", spot_check=DRAWN)
    plant.line.journal.append([part, plant.line.fate(part, "accept", "model")])
    plant.line.draws(part)
    plant.follow()
    for who in (plant.otto, plant.lena, plant.enno):
        told = who.get(f"{API}/{part.id}").json
        assert set(told["inspection"]) <= {
            "schema", "id", "station", "part_id", "captured_at", "image", "asked"
        }  # fmt: skip
        assert (told["disposition"], told["verdicts"], told["state"]) == (None, [], "none")
        (shown,) = items(plant, who)
        assert (shown["decision"], shown["disposition"], shown["score"]) == (None, None, None)
        assert items(plant, who, "decision=accept") == []
    plant.answers(plant.otto, part, "accept")
    told = plant.otto.get(f"{API}/{part.id}").json
    assert told["inspection"]["score"] == 0.5
    assert [one["verdict"] for one in told["verdicts"]] == ["accept"]


def test_a_check_that_nobody_answered_stays_hidden_from_operators(plant: Plant) -> None:
    part = plant.line.part("P-1", decision="accept", spot_check=DRAWN)
    plant.line.journal.append([part, plant.line.fate(part, "accept", "model")])
    plant.follow()
    assert items(plant, plant.otto)[0]["decision"] is None
    assert items(plant, plant.lena)[0]["decision"] == "accept"


def test_challenge_parts_look_like_checks_to_operators(plant: Plant) -> None:
    part = plant.line.part("P-1", decision="accept", asked=False, tags={TAG: "c-1"}, truth="defect")
    plant.line.journal.append([part, plant.line.fate(part, "hold", "model")])
    plant.follow()
    told = plant.otto.get(f"{API}/{part.id}").json
    assert not {"truth", "tags", "decision", "score"} & set(told["inspection"])
    assert plant.lena.get(f"{API}/{part.id}").json["inspection"]["truth"] == "defect"


def test_what_was_known_beforehand_is_not_told_while_somebody_is_asked(plant: Plant) -> None:
    part = plant.line.part("P-1", truth="good")
    plant.asks(part)
    assert "truth" not in plant.lena.get(f"{API}/{part.id}").json["inspection"]
    plant.decided(part)
    assert plant.lena.get(f"{API}/{part.id}").json["inspection"]["truth"] == "good"
    assert "truth" not in plant.otto.get(f"{API}/{part.id}").json["inspection"]


def test_one_inspection_in_full(plant: Plant) -> None:
    part = plant.line.part("P-1", picture())
    plant.asks(part)
    given = plant.answers(plant.otto, part, "reject", note="at the rim", label="dent")
    plant.decided(part)
    plant.otto.post(
        "/api/v1/corrections", {"inspection": part.id, "to": "accept", "reason": "only dust"}
    )
    told = plant.lena.get(f"{API}/{part.id}").json
    assert told["inspection"]["model"] == MODEL
    assert (told["disposition"]["disposition"], told["state"]) == ("reject", "decided")
    (verdict,), (correction,) = told["verdicts"], told["corrections"]
    assert (verdict["id"], verdict["note"], verdict["by"]) == (
        given["verdict"], "at the rim", plant.station.who["8"],
    )  # fmt: skip
    assert (correction["to"], correction["reason"]) == ("accept", "only dust")
    assert re.fullmatch("[0-9a-f]{64}", told["hash"])
    assert (told["seq"], told["previous_hash"]) == (1, "0" * 64)


def test_operators_are_not_told_who_answered_others_parts(plant: Plant) -> None:
    part = plant.line.part("P-1")
    plant.asks(part)
    plant.answers(plant.lena, part, "reject")
    told = plant.otto.get(f"{API}/{part.id}").json["verdicts"][0]
    assert (told["by"], told["mine"]) == (None, False)
    assert plant.station.who["7"] not in plant.otto.get(API).text
    assert plant.lena.get(API).json["items"][0]["verdict"]["by"] == plant.station.who["7"]


def test_an_answer_that_was_taken_back_is_none(plant: Plant) -> None:
    part = plant.line.part("P-1")
    plant.asks(part)
    given = plant.answers(plant.otto, part, "reject")
    plant.otto.post(f"/api/v1/verdicts/{given['verdict']}/undo")
    plant.decided(part, "hold", "fallback")
    (shown,) = items(plant, plant.lena)
    assert shown["verdict"] is None
    assert [one["inspection"] for one in items(plant, plant.lena, "verdict=none")] == [part.id]


def test_an_unknown_inspection(plant: Plant) -> None:
    for path in (f"{API}/nothing", f"{API}/nothing/state"):
        answer = plant.otto.get(path)
        assert (answer.status, answer.code) == (404, "unknown")


def test_a_damaged_record_is_said_to_be_so(plant: Plant) -> None:
    import sqlite3

    made = plant.line.sure(2)
    with sqlite3.connect(plant.line.path) as database:
        database.execute("UPDATE records SET body = '{}' WHERE subject = ?", (made[0].id,))
    assert plant.otto.get(API).json["damaged"] == 1
    assert plant.otto.get(f"{API}/{made[0].id}").status == 503


def test_a_machine_may_look_where_its_token_says_so(plant: Plant) -> None:
    plant.line.sure(1)
    machines = plant.station.shop.machines
    for right, status in (("look", 200), ("answer", 403)):
        token = machines.add(plant.station.who["9"], "MES", [right])
        found = plant.station.browser().get(API, {"authorization": f"Bearer {token}"})
        assert found.status == status


def test_seeing_the_answer_is_remembered(plant: Plant) -> None:
    part = plant.line.part("P-1")
    plant.asks(part)
    plant.otto.get(f"{API}/{part.id}")
    assert plant.station.shop.answers._memory.has_seen(plant.station.who["8"], part.id)
