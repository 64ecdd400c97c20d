"""Where the model looked: with a real child, a real model, and a place that is known."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.web import looking, looks
from edge.web.looking import MOST_DEATHS, Look
from edge.web.looks import MOST_WAITING, PENDING, Looks
from tests.edge.web.looked_at import AT, case, config, make, whole
from tests.inference.bundles import alive, until
from tests.simulators.regional import picture
from tests.simulators.tflite import nonsense

PICTURE = picture([(36, 9), (10, 30)])


class Ticking:
    """A clock that goes on by a step each time it is read."""

    def __init__(self, step_s: float = 0.0) -> None:
        self.now = 10**12
        self.step = int(step_s * 1e9)

    def __call__(self) -> int:
        self.now += self.step
        return self.now


@pytest.fixture
def made(tmp_path: Path):
    """Looks whose steps are taken by hand; `made(camera, clock, web options)`."""
    opened: list[Looks] = []

    def make_one(camera=None, clock=None, **web) -> Looks:
        opened.append(Looks(config(tmp_path, camera, **web), clock or Ticking(1e-6)))
        return opened[-1]

    yield make_one
    for one in opened:
        one.close()


def overlay(data: object) -> np.ndarray:
    assert isinstance(data, bytes)
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert image.shape[2] == 4
    return np.asarray(image)


def strongest(image: np.ndarray) -> tuple[float, float]:
    """The middle of what is outlined, x and y."""
    rows, columns = np.nonzero(image[..., 3] > 100)
    return float(columns.mean()), float(rows.mean())


@pytest.mark.parametrize("dtype", ["int8", "float32"])
def test_the_overlay_points_to_what_the_score_depends_on(tmp_path, made, dtype) -> None:
    bundle, found = make(tmp_path, dtype=dtype), made()
    found.want(case(tmp_path, bundle, "a", PICTURE))
    assert found.get("a") is PENDING
    assert found.step() == 0.0
    image = overlay(found.get("a"))
    assert image.shape[:2] == PICTURE.shape[:2]
    assert np.hypot(strongest(image)[0] - AT[0], strongest(image)[1] - AT[1]) < 10
    about = found.about("a")
    assert isinstance(about, Look)
    assert about.covered == about.of
    assert about.recorded == 0.99
    assert about.score != about.recorded  # the stored picture is scored anew, and it is said
    assert not about.flat


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
def test_it_lies_over_the_whole_picture_where_the_roi_is_and_turned_back(
    tmp_path, made, rotate
) -> None:
    image = whole(rotate)
    height, width = image.shape[:2]
    roi = [40, 20, width - 70, height - 50]
    found = made({"roi": roi, "rotate": rotate})
    found.want(case(tmp_path, make(tmp_path), "a", image))
    found.step()
    drawn = overlay(found.get("a"))
    assert drawn.shape[:2] == (height, width)
    x, y = strongest(drawn)
    mark = np.argwhere((image == 0).all(axis=2)).mean(axis=0)
    assert np.hypot(x - mark[1], y - mark[0]) < 10
    assert not drawn[:20].any()
    assert not drawn[:, :40].any()


def test_the_child_gives_way(tmp_path, made) -> None:
    found = made()
    found.want(case(tmp_path, make(tmp_path), "a", PICTURE))
    found.step()
    assert os.sched_getscheduler(found.pid) == os.SCHED_IDLE


def test_what_may_not_be_seen_is_not_looked_at(tmp_path, made) -> None:
    bundle, found = make(tmp_path), made()
    hidden = case(tmp_path, bundle, "a", PICTURE, shows=False)
    found.want(hidden)
    found.want(case(tmp_path, bundle, "b", PICTURE), may_see=False)
    assert found.step() is None
    assert (found.get("a"), found.get("b"), found.pid) == (None, None, None)
    found.want(hidden, may_see=True)
    assert found.get("a") is PENDING


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"bundle": "0" * 64}, "another_model"),
        ({"bundle": None}, "no_score"),
        ({"answer": {"score": None}}, "no_score"),
        ({"picture": None, "path": None}, "no_picture"),
        ({"picture": "0" * 64}, "no_picture"),
        ({"path": "../../etc/passwd"}, "no_picture"),
    ],
)
def test_no_look_and_why(tmp_path, made, more, why) -> None:
    found = made()
    found.want(case(tmp_path, make(tmp_path), "a", PICTURE, **more))
    found.step()
    assert (found.get("a"), found.about("a")) == (None, why)


def test_another_bundle_is_never_started(tmp_path, made, monkeypatch) -> None:
    monkeypatch.setattr(looking, "Worker", None)
    found = made()
    found.want(case(tmp_path, make(tmp_path), "a", PICTURE, bundle="0" * 64))
    found.step()
    assert found.about("a") == "another_model"


def test_a_bundle_that_was_exchanged_meanwhile_is_loaded_anew(tmp_path, made) -> None:
    first, found = make(tmp_path), made()
    found.want(case(tmp_path, first, "a", PICTURE))
    found.step()
    pid = found.pid
    shutil.rmtree(tmp_path / "regional")
    second = make(tmp_path, dtype="float32")
    found.want(case(tmp_path, second, "b", PICTURE))
    found.step()
    assert isinstance(found.get("b"), bytes)
    assert found.pid != pid
    found.want(case(tmp_path, first, "c", PICTURE))
    found.step()
    assert found.about("c") == "another_model"


def test_another_view_is_not_looked_at(tmp_path, made) -> None:
    found = made()
    found.want(case(tmp_path, make(tmp_path), "a", PICTURE), view="0" * 64)
    found.step()
    assert found.about("a") == "another_view"
    assert found.fits(None)
    assert not found.fits("0" * 64)


def test_switched_off(tmp_path, made) -> None:
    found = made(look=False)
    found.want(case(tmp_path, make(tmp_path), "a", PICTURE))
    assert found.step() is None
    assert found.about("a") == "off"


def test_time_is_bounded_and_what_there_is_counts(tmp_path, made) -> None:
    # The clock is read once for each patch.
    found = made(clock=Ticking(0.02))
    found.want(case(tmp_path, make(tmp_path), "a", PICTURE))
    found.step()
    about = found.about("a")
    assert isinstance(about, Look)
    assert 16 <= about.covered <= looking.LOOK_S / 0.02
    assert about.covered < about.of


def test_too_slow_for_any_map_and_tried_again_later(tmp_path, made) -> None:
    clock = Ticking(1.0)
    bundle, found = make(tmp_path), made(clock=clock)
    found.want(case(tmp_path, bundle, "a", PICTURE))
    found.step()
    assert found.about("a") == "too_slow"
    clock.step = 1000
    found.want(case(tmp_path, bundle, "a", PICTURE))
    assert found.get("a") is None
    clock.now += int(looks.AGAIN_S * 1e9)
    found.want(case(tmp_path, bundle, "a", PICTURE))
    found.step()
    assert isinstance(found.get("a"), bytes)


class Killing(Ticking):
    """A clock that kills the child when it is read the n-th time after `armed`."""

    found: Looks
    armed: int | None = None

    def __call__(self) -> int:
        if self.armed is not None:
            self.armed -= 1
            if self.armed == 0:
                os.kill(self.found.pid, signal.SIGKILL)
        return super().__call__()


def test_a_child_that_is_killed_in_the_middle_costs_that_look_only(tmp_path, made) -> None:
    clock = Killing(1e-6)
    bundle, found = make(tmp_path), made(clock=clock)
    clock.found = found
    found.want(case(tmp_path, bundle, "a", PICTURE))
    found.step()
    first = found.pid
    clock.armed = 60
    found.want(case(tmp_path, bundle, "b", PICTURE))
    found.step()
    assert found.about("b") == "model_fails"
    assert found._looker._deaths == 1
    assert found.pid is None  # nothing starts by itself
    assert not alive(first)
    found.want(case(tmp_path, bundle, "c", PICTURE))
    found.step()
    assert isinstance(found.get("c"), bytes)


def test_deaths_are_bounded(tmp_path, made) -> None:
    clock = Killing(1e-6)
    bundle, found = make(tmp_path), made(clock=clock)
    clock.found = found
    found.want(case(tmp_path, bundle, "first", PICTURE))
    found.step()
    for number in range(MOST_DEATHS):
        clock.armed = 60
        found.want(case(tmp_path, bundle, f"dies-{number}", PICTURE))
        found.step()
    clock.armed = None
    found.want(case(tmp_path, bundle, "never", PICTURE))
    found.step()
    assert found.about("never") == "model_fails"
    assert found.pid is None


def test_a_model_that_does_not_load(tmp_path, made) -> None:
    bundle, found = make(tmp_path), made()
    path = tmp_path / "regional" / "model.tflite"
    path.write_bytes(b"TFL3" + b"\0" * 60)
    found.want(case(tmp_path, bundle, "a", PICTURE))
    found.step()
    assert found.get("a") is None
    assert found.about("a") in ("another_model", "model_fails")


def test_a_model_that_answers_nonsense(tmp_path, made) -> None:
    bundle, found = make(tmp_path, nonsense(), "float32"), made()
    found.want(case(tmp_path, bundle, "a", PICTURE))
    found.step()
    assert found.about("a") == "model_fails"


def test_an_idle_child_is_ended(tmp_path, made) -> None:
    clock = Ticking()
    found = made(clock=clock)
    found.want(case(tmp_path, make(tmp_path), "a", PICTURE))
    found.step()
    pid = found.pid
    left = found.step()
    assert left is not None
    assert 0 < left <= looking.IDLE_S
    clock.now += int(looking.IDLE_S * 1e9)
    assert found.step() is None
    assert found.pid is None
    assert not alive(pid)


def test_newest_wishes_first_and_few_of_them(tmp_path, made) -> None:
    bundle, found = make(tmp_path), made()
    names = [f"p{number}" for number in range(MOST_WAITING + 2)]
    for name in names:
        found.want(case(tmp_path, bundle, name, PICTURE))
    assert [found.get(name) for name in names[:2]] == [None, None]
    found.step()
    assert isinstance(found.get(names[-1]), bytes)
    assert found.get(names[2]) is PENDING


def test_what_is_known_is_bounded(tmp_path, made, monkeypatch) -> None:
    bundle, found = make(tmp_path), made()
    for number in range(5):  # of one picture: all of one size
        found.want(case(tmp_path, bundle, f"p{number}", PICTURE))
        found.step()
        first = found.get("p0")
        if isinstance(first, bytes):
            monkeypatch.setattr(looks, "MOST_BYTES", 5 * len(first) // 2)
    assert [isinstance(found.get(f"p{one}"), bytes) for one in range(5)] == [False] * 3 + [True] * 2


def test_the_thread_works_and_ends(tmp_path) -> None:
    bundle = make(tmp_path)
    found = Looks(config(tmp_path))
    found.start()
    found.want(case(tmp_path, bundle, "a", PICTURE))
    until(lambda: isinstance(found.get("a"), bytes), "the look")
    pid = found.pid
    found.close()
    assert pid is not None
    assert not alive(pid)
    found.close()
