"""Labelled pictures through the line's transform and the line's child."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from camera.frame import Image, Roi
from camera.quality import Limits
from camera.synthetic import SyntheticSource
from edge.calibrating.gathered import Gathered, Unusable
from edge.calibrating.scoring import Shape, score_folder, scorer
from edge.inspection import Setup
from edge.records import Origin
from edge.store.encoding import encode
from inference.bundle import Bundle
from inference.prediction import ModelFault, Prediction
from inference.worker import Worker
from tests.inference import bundles

ORIGIN = Origin("a/b/c", "boot", "config", "0")
SIZE = (30, 20)


def setup(roi: Roi | None = None, size: tuple[int, int] | None = SIZE) -> Setup:
    return Setup(ORIGIN, "view", None, None, roi=roi, size=size, limits=Limits(0, 2.0, None))


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return bundles.make(tmp_path_factory.mktemp("bundle"))


@pytest.fixture(scope="module")
def worker(bundle: Bundle) -> Iterator[Worker]:
    with scorer(bundle, 1) as made:
        yield made


def grey(level: int, size: tuple[int, int] = SIZE) -> Image:
    image = np.full((size[1], size[0], 3), level, np.uint8)
    image[0, 0] = 255 - level
    return image


def put(folder: Path, name: str, image: Image, **note: object) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), image)
    if note:
        path.with_suffix(".json").write_text(json.dumps({"schema": "captured/1", **note}))
    return path


def nothing(done: int, of: int) -> None:
    pass


def left(found: Gathered) -> dict[str, int]:
    return {one.why: one.count for one in found.left_out}


def test_scores_are_those_of_the_line(tmp_path: Path, worker: Worker) -> None:
    heard: list[tuple[int, int]] = []
    put(tmp_path, "good/a.png", grey(240))
    put(tmp_path, "defect/dent/b.png", grey(10))
    put(tmp_path, "defect/c.png", grey(90))
    shape = Shape(setup())
    found = score_folder(tmp_path, shape, worker, lambda *now: heard.append(now))
    samples = found.samples
    for score, path in zip(samples.scores, samples.pictures, strict=True):
        image = cv2.imread(str(path))
        assert score == worker.predict(image.astype(np.uint8)).score
    assert samples.defect.tolist() == [True, True, False]
    assert [samples.types[at] if at >= 0 else None for at in samples.type_of] == [
        None,
        "dent",
        None,
    ]
    assert heard == [(1, 3), (2, 3), (3, 3)]


def test_the_camera_s_size_is_cut_and_the_roi_s_size_is_not(tmp_path: Path, worker: Worker) -> None:
    roi = Roi(4, 3, 10, 8)
    whole = grey(10)
    roi.crop(whole)[:] = 250
    put(tmp_path, "good/whole.png", whole)
    put(tmp_path, "good/cut.png", grey(251, (10, 8)))
    found = score_folder(tmp_path, Shape(setup(roi)), worker, nothing)
    assert all(score < 0.2 for score in found.samples.scores)
    assert len(found.samples.scores) == 2
    assert found.doubtful == ()


@pytest.mark.parametrize("roi", [None, Roi(0, 0, 10, 8)])
def test_any_other_size_is_refused_unless_it_is_taken_as_it_is(
    tmp_path: Path, worker: Worker, roi: Roi | None
) -> None:
    put(tmp_path, "good/a.png", grey(240))
    put(tmp_path, "good/b.png", grey(240, (31, 20)))
    with pytest.raises(Unusable, match=r"good/b.png is 31x20; pictures must be 30x20") as refusal:
        score_folder(tmp_path, Shape(setup(roi)), worker, nothing)
    assert "--as-is" in refusal.value.hint
    found = score_folder(tmp_path, Shape(setup(roi), as_is=True), worker, nothing)
    assert len(found.samples.scores) == 2
    assert found.doubtful == ("1 pictures of another size were taken as they are",)


def test_pictures_that_lost_something_vouch_for_nothing(tmp_path: Path, worker: Worker) -> None:
    put(tmp_path, "good/a.png", grey(240))
    put(tmp_path, "good/camera.jpg", grey(200))
    assert score_folder(tmp_path, Shape(setup()), worker, nothing).doubtful == ()
    (tmp_path / "good" / "b.jpg").write_bytes(encode(grey(240)))
    (tmp_path / "good" / "c.jpg").write_bytes(encode(grey(120)))
    (why,) = score_folder(tmp_path, Shape(setup()), worker, nothing).doubtful
    assert why.startswith("2 of the pictures lost something")
    assert "storage.encoding: png" in why


def test_damaged_and_doubtful_pictures_are_left_out_and_named(
    tmp_path: Path, worker: Worker
) -> None:
    put(tmp_path, "good/a.png", grey(240))
    cut = put(tmp_path, "good/cut.jpg", grey(239, (30, 20)))
    cut.write_bytes(cut.read_bytes()[:-40])
    (tmp_path / "good" / "text.jpg").write_text("this is no picture")
    put(tmp_path, "good/black.png", np.zeros((20, 30, 3), np.uint8))
    put(tmp_path, "else.png", grey(240))
    limits = Setup(ORIGIN, "view", None, None, size=SIZE)
    found = score_folder(tmp_path, Shape(limits), worker, nothing)
    assert len(found.samples.scores) == 1
    assert left(found) == {
        "neither below good/ nor below defect/": 1,
        "damaged: truncated": 1,
        "damaged: not_a_picture": 1,
        "doubtful: black": 1,
    }
    assert {one.examples[0] for one in found.left_out} == {
        "else.png", "good/cut.jpg", "good/text.jpg", "good/black.png",
    }  # fmt: skip


def test_pictures_of_another_view_are_left_out(tmp_path: Path, worker: Worker) -> None:
    put(tmp_path, "good/a.png", grey(240), source={"exposure": 5})
    put(tmp_path, "good/b.png", grey(241), source={"exposure": 6})
    put(tmp_path, "good/c.png", grey(242))
    found = score_folder(tmp_path, Shape(setup(), source={"exposure": 5}), worker, nothing)
    assert len(found.samples.scores) == 2
    assert [one.examples for one in found.left_out] == [("good/b.png",)]
    unknown = score_folder(tmp_path, Shape(setup()), worker, nothing)
    assert len(unknown.samples.scores) == 3


def test_one_picture_with_two_labels_is_refused(tmp_path: Path, worker: Worker) -> None:
    put(tmp_path, "good/a.png", grey(100))
    put(tmp_path, "defect/dent/a.png", grey(100))
    with pytest.raises(Unusable, match="the same picture with two labels"):
        score_folder(tmp_path, Shape(setup()), worker, nothing)


class Sometimes:
    """A model that gives no answer about dark pictures."""

    def predict(self, image: Image, meanwhile: Callable[[], object] | None = None) -> Prediction:
        if image.mean() < 50:
            raise ModelFault("nonsense", "NaN")
        odd = bool(image.mean() > 200)
        return Prediction(0.5, "good", {"good": 0.5, "defect": 0.5}, not_a_part=odd)


def test_what_the_model_cannot_judge_is_left_out(tmp_path: Path) -> None:
    for name, level in (("a", 10), ("b", 100), ("c", 240)):
        put(tmp_path, f"good/{name}.png", grey(level))
    found = score_folder(tmp_path, Shape(setup()), Sometimes(), nothing)
    assert left(found) == {"the model gave no answer: nonsense": 1, "doubtful: not_a_part": 1}
    assert found.samples.scores.tolist() == [0.5]


def test_a_part_is_not_chosen_by_what_the_model_says(tmp_path: Path) -> None:
    paths = [put(tmp_path, f"good/part-1_{level}.png", grey(level)) for level in (10, 100)]
    found = score_folder(tmp_path, Shape(setup()), Sometimes(), nothing)
    digests = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}
    lowest = min(digests, key=lambda name: digests[name])
    assert len(found.samples.scores) == (0 if "_10." in lowest else 1)


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """500 different good parts under constant light."""
    folder = tmp_path_factory.mktemp("simulated")
    source = SyntheticSource(seed=5, width=160, height=120, defect_rate=0.0, limit=500)
    source.open()
    while (frame := source.read()) is not None:
        assert frame.image is not None
        put(folder, f"good/{frame.number:04d}.jpg", frame.image)
    return folder


def test_five_hundred_simulated_parts_are_five_hundred(simulated: Path, worker: Worker) -> None:
    shape = Shape(setup(size=(160, 120)))
    found = score_folder(simulated, shape, worker, nothing)
    assert len(found.samples.scores) == 500
    assert found.left_out == ()
    assert found.familiar is not None
    assert found.familiar["count"] == 500


def test_one_picture_copied_five_hundred_times_is_one(
    tmp_path: Path, simulated: Path, worker: Worker
) -> None:
    data = (simulated / "good" / "0001.jpg").read_bytes()
    (tmp_path / "good").mkdir()
    for number in range(500):
        (tmp_path / "good" / f"{number}.jpg").write_bytes(data)
    found = score_folder(tmp_path, Shape(setup(size=(160, 120))), worker, nothing)
    assert len(found.samples.scores) == 1
    assert left(found) == {"another picture of the same part counts": 499}
    assert found.familiar is None
