import threading
from itertools import product

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from camera.decode import decode
from tests.camera.pictures import (
    SAMPLING,
    encoded,
    flat,
    jpeg,
    photograph,
    with_thumbnail,
    zeroed,
)

PHOTO = photograph()
SOUND = {
    "baseline": jpeg(PHOTO),
    "optimised": jpeg(PHOTO, optimised=True),
    "progressive": jpeg(PHOTO, progressive=True),
    "restart": jpeg(PHOTO, restart=5),
    "grey": jpeg(cv2.cvtColor(PHOTO, cv2.COLOR_BGR2GRAY)),
    "thumbnail": with_thumbnail(jpeg(PHOTO), jpeg(photograph(2, 80, 60))),
    "png": encoded(PHOTO, ".png"),
    "bmp": encoded(PHOTO, ".bmp"),
}
JPEGS = [name for name in SOUND if name not in ("png", "bmp")]


def names(data: bytes) -> list[str]:
    return [doubt.name for doubt in decode(data)[1]]


@pytest.mark.parametrize(
    ("sampling", "progressive", "optimised", "restart", "quality"),
    list(product(SAMPLING, (False, True), (False, True), (0, 7), (30, 100))),
)
@pytest.mark.parametrize("image", [PHOTO, flat(), flat(0)[:201, :199]], ids=["photo", "grey", "0"])
def test_a_sound_jpeg_is_not_doubted(image, sampling, progressive, optimised, restart, quality):
    data = jpeg(
        image,
        quality,
        progressive=progressive,
        optimised=optimised,
        restart=restart,
        sampling=sampling,
    )
    decoded, doubts = decode(data)
    assert doubts == ()
    np.testing.assert_array_equal(decoded, cv2.imdecode(np.frombuffer(data, np.uint8), 1))


@pytest.mark.parametrize("name", SOUND)
def test_a_sound_picture_is_not_doubted(name):
    image, doubts = decode(SOUND[name])
    assert doubts == ()
    assert image is not None
    assert image.shape == (240, 320, 3)


def test_what_follows_the_end_of_a_jpeg_is_no_damage():
    assert names(SOUND["baseline"] + bytes(1000)) == []
    assert names(SOUND["baseline"] + SOUND["baseline"]) == []


@pytest.mark.parametrize("tenth", range(1, 10))
@pytest.mark.parametrize("name", SOUND)
def test_a_truncated_picture_is_doubted_and_not_decoded(name, tenth):
    data = SOUND[name]
    image, doubts = decode(data[: len(data) * tenth // 10])
    assert [doubt.name for doubt in doubts] == ["truncated"]
    assert image is None


@pytest.mark.parametrize("tenth", range(1, 10))
@pytest.mark.parametrize("name", JPEGS)
def test_a_truncated_and_closed_jpeg_is_doubted(name, tenth):
    data = SOUND[name]
    assert names(data[: len(data) * tenth // 10] + b"\xff\xd9")


def test_a_closed_jpeg_that_really_ends_in_grey_is_not_doubted():
    image = PHOTO.copy()
    image[120:] = 128
    assert names(jpeg(image)) == []
    assert names(jpeg(image)[: len(jpeg(image)) // 2] + b"\xff\xd9") == ["truncated"]


@pytest.mark.parametrize("share", [0.02, 0.05, 0.1])
@pytest.mark.parametrize("at", [0.3, 0.5, 0.8])
@pytest.mark.parametrize("name", [*JPEGS, "png"])
def test_a_picture_zeroed_in_the_middle_is_doubted(name, at, share):
    assert names(zeroed(SOUND[name], at, share))


def test_halves_of_two_pictures_are_doubted():
    other = jpeg(photograph(3))
    first = SOUND["baseline"][: len(SOUND["baseline"]) // 2]
    assert names(first + other[len(other) // 2 :])
    assert names(first + other) == ["spliced"]


def test_data_left_over_are_doubted_with_their_number():
    more = bytes(range(1, 200))
    doubts = decode(SOUND["baseline"][:-2] + more + b"\xff\xd9")[1]
    assert [doubt.name for doubt in doubts] == ["spliced"]
    assert doubts[0].measured == pytest.approx(len(more), abs=8)


def test_a_few_stray_bytes_of_a_cheap_camera_are_no_doubt():
    assert names(SOUND["baseline"][:-2] + b"abc\xff\xd9") == []


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"", "empty"),
        (b"this is text named .jpg", "not_a_picture"),
        (bytes(5000), "not_a_picture"),
        (b"\xff\xd8\xff", "truncated"),
        (b"BM", "not_a_picture"),
    ],
)
def test_what_is_no_picture_is_said(data, name):
    image, doubts = decode(data)
    assert image is None
    assert [doubt.name for doubt in doubts] == [name]


@settings(max_examples=150, deadline=None)
@given(data=st.binary(max_size=300), kind=st.sampled_from(sorted(SOUND)), at=st.floats(0, 1))
def test_any_bytes_end_in_a_picture_or_a_doubt(data, kind, at):
    sound = SOUND[kind]
    cut = int(len(sound) * at)
    image, doubts = decode(sound[:cut] + data + sound[cut + len(data) :])
    assert image is not None or doubts


def test_decoding_prints_nothing(capfd):
    decode(SOUND["baseline"][: len(SOUND["baseline"]) // 2] + b"\xff\xd9")
    decode(zeroed(SOUND["png"], 0.5, 0.1))
    assert capfd.readouterr().err == ""


def test_doubts_belong_to_the_picture_of_the_thread_that_decoded_it():
    bad = SOUND["baseline"][: len(SOUND["baseline"]) // 2] + b"\xff\xd9"
    wrong: list[str] = []

    def work(data: bytes, expected: list[str]) -> None:
        for _ in range(40):
            if names(data) != expected:
                wrong.append(repr(expected))

    threads = [
        threading.Thread(target=work, args=pair)
        for pair in ((bad, ["truncated"]), (SOUND["baseline"], []), (SOUND["progressive"], []))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
