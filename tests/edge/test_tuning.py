import cv2
import numpy as np

from camera.frame import Doubt, Frame, Roi
from camera.quality import Limits, measure
from edge.tuning import Tuner, line
from tests.camera.pictures import photograph

PHOTO = photograph(width=640, height=480)
SECOND = 10**9


def frame(image, number: int = 1, at_ns: int = 0, doubts: tuple[Doubt, ...] = ()) -> Frame:
    return Frame(image, at_ns, 0.0, number, doubts=doubts)


def test_numbers_are_those_of_the_region():
    roi = Roi(100, 50, 300, 200)
    reading = Tuner(roi, Limits()).read(frame(PHOTO), 0)
    assert reading is not None
    assert reading.sharpness == measure(roi.crop(PHOTO)).sharpness
    assert (reading.width, reading.height) == (640, 480)


def test_the_sharpest_so_far_is_remembered_and_the_bar_shows_the_share():
    tuner = Tuner(None, Limits())
    sharp = tuner.read(frame(PHOTO), 0)
    soft = tuner.read(frame(cv2.GaussianBlur(PHOTO, (0, 0), 2).astype(np.uint8)), 0)
    assert sharp is not None
    assert soft is not None
    assert soft.sharpest == sharp.sharpness > soft.sharpness
    assert line(sharp).count("#") == 30
    assert line(soft).count("#") < 30


def test_rate_and_latency_come_from_the_frames_times():
    tuner = Tuner(None, Limits())
    rates = [
        tuner.read(frame(PHOTO, number, number * SECOND // 10), number * SECOND // 10 + 5_000_000)
        for number in range(4)
    ]
    assert [reading.rate if reading else None for reading in rates] == [None, 10.0, 10.0, 10.0]
    assert {reading.latency_ms for reading in rates if reading} == {5.0}


def test_doubts_of_source_size_and_picture_are_named():
    doubtful = frame(np.zeros((480, 640, 3), np.uint8), doubts=(Doubt("truncated"),))
    reading = Tuner(Roi(600, 0, 100, 100), Limits()).read(doubtful, 0)
    assert reading is not None
    assert reading.doubts == ("truncated", "wrong_size", "black")


def test_a_picture_that_cannot_be_decoded_has_no_numbers():
    assert Tuner(None, Limits()).read(frame(None), 0) is None
