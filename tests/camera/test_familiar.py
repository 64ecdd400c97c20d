import base64
import dataclasses
import json

import cv2
import numpy as np
import pytest

from camera.familiar import Familiar, learn
from camera.frame import Image
from camera.quality import Measures, measure
from camera.synthetic import SyntheticSource
from tests.camera.pictures import photograph


def line(seed: int, limit: int, **options) -> list[Image]:
    source = SyntheticSource(limit=limit, seed=seed, defect_rate=0.3, **options)
    source.open()
    return [frame.image for frame in iter(source.read, None) if frame.image is not None]


@pytest.fixture(scope="module")
def learned() -> list[Measures]:
    return [measure(image) for image in line(11, 60)]


@pytest.fixture(scope="module")
def familiar(learned) -> Familiar:
    return learn(learned)


@pytest.fixture(scope="module")
def new() -> list[Image]:
    return line(12, 150)


def share_doubted(familiar: Familiar, images: list[Image]) -> float:
    return float(np.mean([bool(familiar.doubts(measure(image))) for image in images]))


def moved(image: Image, right: int, down: int, zoom: float = 1.0) -> Image:
    height, width = image.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), 0, zoom)
    turn[:, 2] += (right, down)
    return cv2.warpAffine(image, turn, (width, height), borderMode=cv2.BORDER_REFLECT).astype(
        np.uint8
    )


def with_hand(image: Image) -> Image:
    touched = image.copy()
    height, width = image.shape[:2]
    skin = (120, 150, 205)
    cv2.ellipse(touched, (width, height // 2), (width // 4, height // 8), 10, 0, 360, skin, -1)
    return touched


def test_new_good_and_defective_parts_are_familiar(familiar, new):
    assert share_doubted(familiar, new) <= 0.01


def test_what_is_no_part_in_its_place_is_unfamiliar(familiar, new):
    some = new[:30]
    strange = {
        "empty fixture": line(13, 30, empty_every=1),
        "hand": [with_hand(image) for image in some],
        "knocked": [moved(image, 40, 20) for image in some],
        "other height": [moved(image, 0, 0, zoom=1.15) for image in some],
        "out of focus": [cv2.GaussianBlur(image, (0, 0), 5).astype(np.uint8) for image in some],
        "other product": [photograph(seed, 640, 480) for seed in range(5)],
    }
    assert {name: share_doubted(familiar, images) for name, images in strange.items()} == (
        dict.fromkeys(strange, 1.0)
    )


def test_the_doubt_says_what_was_out_of_range(familiar, learned):
    bright = dataclasses.replace(learned[0], brightness=200.0)
    (doubt,) = familiar.doubts(bright)
    assert (doubt.name, doubt.measured) == ("unfamiliar", 200.0)
    assert doubt.limit == pytest.approx(familiar.ranges["brightness"][1])


def test_json_gives_back_the_same_judgement(familiar, new):
    copy = Familiar.from_json(json.loads(json.dumps(familiar.as_json())))
    for image in [*new[:20], *(with_hand(image) for image in new[:5])]:
        assert copy.doubts(measure(image)) == familiar.doubts(measure(image))


def test_wrong_json_is_refused(familiar):
    content = familiar.as_json()
    for key in content:
        with pytest.raises(ValueError):
            Familiar.from_json({name: content[name] for name in content if name != key})
    with pytest.raises(ValueError):
        Familiar.from_json({**content, "mean": "AAAA"})


def test_few_pictures_are_refused(learned):
    with pytest.raises(ValueError, match="too few"):
        learn(learned[:19])


def test_equal_pictures_can_be_learned():
    same = learn([measure(photograph())] * 25)
    assert same.doubts(measure(photograph())) == ()
    assert same.doubts(measure(photograph(2)))


@pytest.mark.parametrize(
    "changed",
    [
        {"distance": 0.0},
        {"distance": float("nan")},
        {"patch": -1.0},
        {"patch": float("inf")},
        {"distance": 10**400},
        {"ranges": {name: [float("nan"), 1.0] for name in ("brightness", "contrast", "sharpness")}},
        {"spread": base64.b64encode(bytes(2048)).decode()},
    ],
)
def test_a_range_that_nothing_can_be_compared_with_is_none(familiar, changed):
    with pytest.raises(ValueError, match="not a familiar range"):
        Familiar.from_json({**familiar.as_json(), **changed})
