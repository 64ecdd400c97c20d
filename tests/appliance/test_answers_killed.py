"""`kill -9` of the page, of the line and of delivery while persons answer: what was said to be
recorded is, moves its part once, and reaches the collector once."""

from __future__ import annotations

import contextlib
import http.client
import json
import sqlite3
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from edge.demo.joining import opened
from edge.review.verdicts import FILE
from edge.store.archive import Archive
from edge.store.verify import verify
from tests.appliance.station import config_of, station
from tests.appliance.test_services_killed import Plant, a_moment
from tests.conftest import SOAK
from tests.simulators.broker import free_port, running_broker
from tests.simulators.patience import until

KILLS = 100 if SOAK else 4
"""Of each service."""
ENOUGH = 10
"""Answers between two kills."""
CAMERA = {"source": "synthetic", "seed": 3, "width": 160, "height": 120, "parts_per_second": 20}
QUEUE = (
    "SELECT body FROM records JOIN chains ON chains.id = records.chain"
    " WHERE chains.stream = 'queue' ORDER BY epoch, seq"
)


class Line(Plant):
    """The services of a station where every part is asked about, and the collector."""

    def __init__(self, folder: Path, broker: str) -> None:
        super().__init__(folder, broker)
        self.port = free_port()
        self.settings = station(
            folder,
            CAMERA,
            decision={"automation": "human_only"},
            escalation={"deadline_s": 3600, "undo_s": 0.1},
            sync={"broker": broker, "acknowledge": "collector"},
            web={"listen": f"127.0.0.1:{self.port}"},
        )
        self.commands["web"] = ["web"]

    def let_in(self) -> str:
        """A token for one who answers."""
        with opened(config_of(self.settings)) as (people, machines):
            code = people.first_code()
            assert code is not None
            lead = people.first(code, "Lena", "100", "482913", "127.0.0.1")
            return machines.add(lead.id, "answers", ["answer", "look"])

    def recorded(self, file: str) -> list[dict[str, Any]]:
        with Archive(config_of(self.settings).state_dir / file) as archive:
            return [json.loads(row.body) for row in archive.rows(0, 1 << 20, 1 << 30)]

    def answers_collected(self) -> list[dict[str, Any]]:
        database = sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)
        try:
            return [json.loads(body) for (body,) in database.execute(QUEUE)]
        finally:
            database.close()


class Answering(threading.Thread):
    """Claims and answers, whatever becomes of the page; keeps what it was told is recorded."""

    def __init__(self, port: int, token: str) -> None:
        super().__init__(daemon=True)
        self.told: list[str] = []
        self.over = threading.Event()
        self._port, self._token = port, token

    def run(self) -> None:
        chance = Random(2)
        while not self.over.is_set():
            with contextlib.suppress(OSError, http.client.HTTPException):
                self._one(chance.choice(["accept", "reject", "hold"]))

    def _one(self, verdict: str) -> None:
        status, claim = self._ask("/api/v1/claims", {})
        if status != 200:
            a_moment()
            return
        case = claim["case"]
        given = {"claim": claim["claim"], "verdict": verdict}
        given |= {"inspection": case["inspection"], "picture": case["picture"]}
        status, outcome = self._ask("/api/v1/verdicts", given)
        if status == 200:
            self.told.append(outcome["verdict"])

    def _ask(self, path: str, body: Any) -> tuple[int, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        try:
            connection.request("POST", path, json.dumps(body), headers)
            answer = connection.getresponse()
            text = answer.read()
            return answer.status, json.loads(text) if text else None
        finally:
            connection.close()


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[Line]:
    with running_broker(tmp_path / "broker") as broker:
        made = Line(tmp_path, broker.url)
        try:
            yield made
        finally:
            made.close()


@pytest.mark.broker
@pytest.mark.slow
def test_answers_outlive_whatever_is_killed(plant: Line) -> None:
    person = Answering(plant.port, plant.let_in())
    for name in plant.commands:
        plant.start(name)
    person.start()
    until(lambda: len(person.told) >= ENOUGH, a_moment)
    for name in Random(1).sample(list(plant.commands) * KILLS, k=len(plant.commands) * KILLS):
        plant.kill(name)
        plant.start(name)
        enough = len(person.told) + ENOUGH
        until(lambda enough=enough: len(person.told) >= enough, a_moment)  # type: ignore[misc]
    person.over.set()
    person.join()
    answers = [one for one in plant.recorded(FILE) if one["schema"] == "verdict/1"]
    ids = Counter(one["id"] for one in answers)
    assert set(person.told) <= set(ids)
    assert set(ids.values()) == {1}

    def moved() -> dict[str, str]:
        line = plant.recorded("line.db")
        fates = [one for one in line if one["schema"] == "disposition/1"]
        assert len({one["inspection"] for one in fates}) == len(fates)
        return {one["inspection"]: one["verdict"] for one in fates}

    asked = {one["inspection"] for one in answers}
    until(lambda: asked <= set(moved()), a_moment)
    first = {one["inspection"]: one["id"] for one in reversed(answers)}
    assert moved() == first
    until(lambda: len(plant.answers_collected()) >= len(plant.recorded(FILE)), a_moment)
    assert plant.answers_collected() == plant.recorded(FILE)
    state = config_of(plant.settings).state_dir
    for name in ("line", "web", "sync", "collector"):
        plant.running[name].terminate()
        assert plant.running.pop(name).wait() == 0
    for file in ("line.db", FILE):
        with Archive(state / file) as archive:
            assert verify(archive, state).sound
