import cv2
import numpy as np
import pytest

from edge.snapshot import encoded
from tests.camera.pictures import photograph


@pytest.mark.parametrize("suffix", [".jpg", ".JPEG", ".png", ".PNG"])
def test_a_picture_is_written_as_its_name_says_and_nothing_else_is_said(suffix, capfd):
    image = photograph()
    read = cv2.imdecode(np.frombuffer(encoded(image, suffix), np.uint8), cv2.IMREAD_UNCHANGED)
    assert read.shape == image.shape
    assert capfd.readouterr().err == ""


def test_a_png_is_exact():
    image = photograph()
    read = cv2.imdecode(np.frombuffer(encoded(image, ".png"), np.uint8), cv2.IMREAD_UNCHANGED)
    assert np.array_equal(read, image)
