"""The live camera: one asks the line, all see the same, nobody opens the camera."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from camera.frame import Frame
from edge.config import Config
from edge.records import utc
from edge.requests import Desk, Request
from edge.tuning import Reading
from edge.viewing import Viewer
from edge.web import live
from edge.web.live import LiveCamera, advice
from tests.edge.web.parts import picture
from tests.edge.web.plant import Plant, plant_in

READING = Reading(1, 64, 48, 20.0, 20.0, 120.0, 40.0, 0.0, 1.0, 5.0, ())


class FakeLine(Viewer):
    """Gives what is put into `frames`; counts how often it was asked."""

    def __init__(self) -> None:
        self.frames: list[Frame | None] = []
        self.asked = 0
        self.gate = threading.Event()
        self.gate.set()

    @property
    def trouble(self) -> str | None:
        return None

    def next(self, timeout: float) -> Frame | None:
        self.asked += 1
        assert self.gate.wait(30)
        return self.frames.pop(0) if self.frames else None


class Hand:
    now_ns = 10**12

    def monotonic_ns(self) -> int:
        return self.now_ns


def frame(number: int = 1, grey: int = 120) -> Frame:
    image = cv2.imdecode(np.frombuffer(picture(grey=grey), np.uint8), cv2.IMREAD_COLOR)
    return Frame(np.asarray(image, np.uint8), number * 10**9, 1_790_000_000.0 + number, number)


def config(**camera: Any) -> Config:
    return Config.model_validate(
        {
            "station": {"site": "a", "line": "b", "name": "c"},
            "state_dir": "/nowhere",
            "camera": {"source": "synthetic", **camera},
            "model": {"bundle": "@rings"},
        }
    )


@pytest.fixture
def line() -> FakeLine:
    return FakeLine()


def camera(line: FakeLine, hand: Hand | None = None, **more: Any) -> LiveCamera:
    return LiveCamera(config(**more), (hand or Hand()).monotonic_ns, lambda: 1_790_000_002.0, line)


def test_the_newest_picture_with_its_numbers(line: FakeLine) -> None:
    line.frames = [frame(1)]
    look = camera(line).look()
    assert look is not None
    assert (look.number, look.captured_at, look.age_s) == (1, utc(1_790_000_001.0), 1.0)
    assert 60 < look.reading.brightness < 160
    assert cv2.imdecode(np.frombuffer(look.picture, np.uint8), cv2.IMREAD_COLOR) is not None


def test_the_inspected_region_is_drawn(line: FakeLine) -> None:
    line.frames = [frame(1)]
    look = camera(line, roi=(10, 10, 20, 20)).look()
    assert look is not None
    shown = cv2.imdecode(np.frombuffer(look.picture, np.uint8), cv2.IMREAD_COLOR)
    assert shown is not None
    blue, green, red = (int(value) for value in shown[9, 20])
    assert green > blue + 40
    assert green > red + 40


def test_large_pictures_are_sent_smaller(line: FakeLine) -> None:
    wide = replace(frame(1), image=np.zeros((100, 4000, 3), np.uint8))
    line.frames = [wide]
    look = camera(line).look()
    assert look is not None
    shown = cv2.imdecode(np.frombuffer(look.picture, np.uint8), cv2.IMREAD_COLOR)
    assert shown is not None
    assert (shown.shape[1], look.reading.width) == (live.WIDEST, 4000)


def test_the_line_is_not_asked_again_at_once(line: FakeLine) -> None:
    hand = Hand()
    watched = camera(line, hand)
    line.frames = [frame(1), frame(2)]
    for _ in range(5):
        look = watched.look()
        assert look is not None
        assert look.number == 1
    assert line.asked == 1
    hand.now_ns += live.AGAIN_NS
    look = watched.look()
    assert look is not None
    assert (look.number, line.asked) == (2, 2)


def test_while_one_waits_for_the_line_the_others_see_the_last(line: FakeLine) -> None:
    hand = Hand()
    watched = camera(line, hand)
    line.frames = [frame(1), frame(2)]
    watched.look()
    hand.now_ns += live.AGAIN_NS
    line.gate.clear()
    found: list[Any] = []
    first = threading.Thread(target=lambda: found.append(watched.look()))
    first.start()
    while line.asked < 2:
        pass
    second = watched.look()
    assert second is not None
    assert second.number == 1
    line.gate.set()
    first.join()
    assert found[0].number == 2


def test_a_line_that_says_nothing_leaves_the_last_picture(line: FakeLine) -> None:
    hand = Hand()
    watched = camera(line, hand)
    assert watched.look() is None
    line.frames = [frame(1)]
    assert watched.look() is not None
    hand.now_ns += live.AGAIN_NS
    look = watched.look()
    assert look is not None
    assert look.number == 1


def test_the_trend_is_bounded_and_begins_anew_after_a_while(
    line: FakeLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    hand = Hand()
    watched = camera(line, hand)
    for number in range(live.TREND + 5):
        line.frames = [frame(number)]
        hand.now_ns += live.AGAIN_NS
        watched.look()
    assert len(watched.trend) == live.TREND
    line.frames = [frame(999)]
    hand.now_ns += live.FORGET_NS + 1
    watched.look()
    assert len(watched.trend) == 1


def test_a_state_directory_without_a_line(tmp_path: Path) -> None:
    hand = Hand()
    never = config().model_copy(update={"state_dir": tmp_path})
    assert LiveCamera(never, hand.monotonic_ns, lambda: 0.0).look() is None


@pytest.mark.parametrize(
    ("change", "codes"),
    [
        ({}, ("good",)),
        ({"clipped": 0.05}, ("bright",)),
        ({"clipped": 0.9, "doubts": ("blown_out",)}, ("blown_out",)),
        ({"brightness": 30.0}, ("dark",)),
        ({"brightness": 3.0, "contrast": 1.0, "doubts": ("black",)}, ("black",)),
        ({"contrast": 5.0}, ("flat",)),
        ({"sharpness": 10.0}, ("soft",)),
        ({"sharpness": 10.0, "doubts": ("blurred",)}, ("blurred",)),
        ({"brightness": 30.0, "sharpness": 5.0}, ("dark", "soft")),
    ],
)
def test_what_could_be_better(change: Any, codes: tuple[str, ...]) -> None:
    assert advice(replace(READING, **change)) == codes


def test_one_part_that_looks_softer_is_no_reason_to_turn_the_lens() -> None:
    soft = replace(READING, sharpness=10.0)
    assert advice(soft, (10.0, 19.0, 10.0)) == ("good",)
    assert advice(soft, (10.0, 11.0, 10.0)) == ("soft",)


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[Plant]:
    with plant_in(tmp_path) as found:
        yield found


FIGURES, PICTURE = "/api/v1/camera/figures", "/api/v1/camera/picture"


def test_a_line_that_is_down_is_said_and_not_asked(plant: Plant) -> None:
    assert plant.lena.get(FIGURES).json == {"state": "line_down"}
    assert not (plant.station.config.state_dir / "requests" / "line").exists()
    assert plant.lena.get(PICTURE).status == 404


def test_the_camera_through_the_line_s_own_request(plant: Plant) -> None:
    state = plant.station.config.state_dir
    shot = state / "newest.jpg"
    shot.write_bytes(picture())
    told = {"path": str(shot), "number": 4, "captured_at": "2026-11-20T12:00:00.000Z"}
    desk = Desk(state / "requests" / "line", {"frame": lambda _: {**told, "monotonic_ns": 5}})
    plant.lives()
    done = threading.Event()

    def serve() -> None:
        while not done.is_set():
            desk.step(0.0)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        shown = plant.lena.get(FIGURES).json
    finally:
        done.set()
        thread.join()
    assert (shown["state"], shown["number"], len(shown["trend"])) == ("live", 4, 1)
    assert {"sharpness", "brightness", "clipped", "sharpest"} <= set(shown["figures"])
    got = plant.lena.get(shown["picture_url"])
    assert (got.status, got.header("content-type")) == (200, "image/jpeg")
    assert got.header("cache-control") == "no-store"


def test_operators_have_no_business_with_the_camera(plant: Plant) -> None:
    for path in (FIGURES, PICTURE, "/camera"):
        assert plant.otto.get(path).status == 403


def test_the_line_s_request_for_a_picture_is_of_the_right_kind(tmp_path: Path) -> None:
    asked: list[Request] = []
    folder = tmp_path / "requests" / "line"

    def answered(request: Request) -> dict[str, object]:
        asked.append(request)
        return {"path": "/nowhere", "number": 1, "captured_at": "", "monotonic_ns": 1}

    desk, done = Desk(folder, {"frame": answered}), threading.Event()
    thread = threading.Thread(target=lambda: [desk.step(0.0) for _ in iter(done.is_set, True)])
    thread.start()
    watched = LiveCamera(
        config().model_copy(update={"state_dir": tmp_path}), lambda: 1, lambda: 0.0
    )
    try:
        assert watched.look() is None  # the file is gone: no picture, and no error
    finally:
        done.set()
        thread.join()
    assert [one.kind for one in asked] == ["frame"]
