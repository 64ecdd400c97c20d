"""`GET /api/v1/looks/{inspection}` for whoever may see the model's answer, and for nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

import models
from camera.simulated.options import SyntheticOptions
from camera.simulated.parts import draw
from edge.store.encoding import encode
from inference.bundle import load
from tests.edge.web.parts import DRAWN, LineOfTests
from tests.edge.web.station import Station, station
from tests.edge.web.visiting import Answer, Browser
from tests.inference.bundles import until

RINGS = load(models.path("rings")).as_record()


@dataclass
class Plant:
    """A station with parts of the shipped model, and an operator."""

    station: Station
    line: LineOfTests
    otto: Browser
    shot: bytes

    def asks(self, **more: Any) -> str:
        """The id of a part that waits."""
        part = self.line.part("P-1", self.shot, **{"model": RINGS, **more})
        self.line.asks(part)
        while self.station.opened.follower.unit():
            pass
        return part.id

    def look(self, name: str, who: Browser | None = None) -> Answer:
        return (who or self.otto).get(f"/api/v1/looks/{name}")

    def looked(self, name: str) -> Answer:
        """The answer once there is one."""
        found: list[Answer] = []

        def there() -> bool:
            found.append(self.look(name))
            return found[-1].status != 202

        until(there, "the look")
        return found[-1]


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[Plant]:
    image, _ = draw(5, 3, SyntheticOptions(defect_rate=1.0))
    with station(tmp_path) as found:
        line = LineOfTests(found.config.state_dir)
        yield Plant(found, line, found.entered("8"), encode(image))


def test_it_is_worked_out_when_somebody_asks(plant: Plant) -> None:
    name = plant.asks()
    first = plant.look(name)
    assert (first.status, first.body) == (202, b"")
    assert first.header("retry-after") == "1"
    plant.station.shop.looks.start()
    found = plant.looked(name)
    assert found.status == 200
    assert found.header("content-type") == "image/png"
    image = cv2.imdecode(np.frombuffer(found.body, np.uint8), cv2.IMREAD_UNCHANGED)
    assert image.shape == (480, 640, 4)
    assert found.header("x-look-recorded") == "0.500000"
    assert 0 <= float(found.header("x-look-score") or "nan") <= 1
    covered, of = (found.header("x-look-covered") or "").split("/")
    assert 16 <= int(covered) <= int(of)


@pytest.mark.parametrize(
    "more",
    [
        {"automation": "shadow"},
        {"automation": "human_only"},
        {"spot_check": DRAWN},
        {"tags": {"challenge": "c"}},
    ],
)
def test_nobody_is_led_by_it(plant: Plant, more: dict[str, Any]) -> None:
    name = plant.asks(**more)
    assert plant.look(name).status == 404
    assert plant.station.shop.looks.get(name) is None
    assert plant.station.shop.looks.about(name) is None


def test_why_there_is_none_is_said_where_it_may_be(plant: Plant) -> None:
    name = plant.asks(model={**RINGS, "bundle": "0" * 64})
    plant.station.shop.looks.step()
    plant.look(name)
    plant.station.shop.looks.step()
    found = plant.look(name)
    assert found.status == 404
    assert found.json["error"]["facts"] == {"why": "another_model"}
    other = plant.asks(view="0" * 64)
    assert plant.look(other).json["error"]["facts"] == {"why": "another_view"}


@pytest.mark.parametrize("name", ["nothing", "..%2f..%2fetc%2fpasswd", "%00", "a" * 5000])
def test_nonsense_is_unknown(plant: Plant, name: str) -> None:
    assert plant.look(name).status in (400, 404, 431)
    assert plant.station.shop.looks.pid is None


def test_nobody_without_a_session(plant: Plant) -> None:
    name = plant.asks()
    assert plant.look(name, plant.station.browser()).status == 401
    assert plant.station.shop.looks.get(name) is None
