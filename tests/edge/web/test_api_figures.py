"""Today's figures by the API."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edge.config import Sync
from edge.web.figures import LINE, SYNC, shown
from tests.edge.web.parts import DRAWN, picture
from tests.edge.web.plant import Plant, plant_in

API = "/api/v1/figures"


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[Plant]:
    with plant_in(tmp_path) as found:
        yield found


def figures(plant: Plant, who: Any = None) -> dict[str, Any]:
    answer = (who or plant.otto).get(API)
    assert answer.status == 200, answer.body
    found: dict[str, Any] = answer.json
    return found


def test_parts_decisions_and_fates(plant: Plant) -> None:
    plant.line.sure(3)
    part = plant.line.part("P-1", picture())
    plant.asks(part)
    plant.answers(plant.otto, part)
    plant.decided(part)
    found = figures(plant)
    assert (found["period"], found["complete"], found["parts"]) == ("day", True, 4)
    assert found["decisions"] == {"accept": 3, "reject": 0, "escalate": 1}
    assert found["dispositions"]["reject"] == {"model": 0, "person": 1, "fallback": 0}
    assert found["yield"] == 0.75
    assert sum(map(sum, found["bars"]["accept_reject_escalate"])) == 4


def test_the_last_parts_as_this_person_may_see_them(plant: Plant) -> None:
    hidden = plant.line.part("P-1", decision="accept", spot_check=DRAWN)
    plant.line.journal.append([hidden, plant.line.fate(hidden, "accept", "model")])
    waiting = plant.line.part("P-2")
    plant.line.draws(hidden)
    plant.asks(waiting)
    for who in (plant.otto, plant.lena):
        newest, before = figures(plant, who)["last"]
        assert (newest["part_id"], newest["score"], newest["waits"]) == ("P-2", 0.5, True)
        assert (before["part_id"], before["decision"], before["disposition"]) == ("P-1", None, None)


def test_the_word_of_line_and_sync(plant: Plant) -> None:
    assert figures(plant)["line"]["line"] == "down"
    plant.lives(degree="shadow", degree_why="the ceiling in the configuration")
    found = figures(plant)
    assert found["line"]["line"] == "up"
    assert found["line"]["status"]["degree"] == "shadow"
    assert set(found["line"]["status"]) == set(LINE)
    assert found["sync"] is None


def test_the_backlog_where_there_is_a_broker(plant: Plant) -> None:
    plant.sync_says(state="ok", backlog=7, pid=1)
    found = shown(plant.call("8", API, sync=Sync(broker="mqtt://x:1")), "day")
    assert found.sync is not None
    assert (found.sync["backlog"], set(found.sync)) == (7, set(SYNC))


def test_a_locked_session_is_told_nothing(plant: Plant) -> None:
    assert plant.station.locked("8").get(API).status == 423


def test_it_keeps_nobody_awake(plant: Plant) -> None:
    plant.station.clock.after(200)
    figures(plant)
    plant.station.clock.after(200)
    assert plant.otto.get(API).status == 423
