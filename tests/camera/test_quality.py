import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from camera.quality import FrozenWatch, Limits, doubts, measure, sharpness, stale
from camera.synthetic import SyntheticSource
from tests.camera.pictures import flat, jpeg, photograph

PHOTO = photograph(width=640, height=480)


def names(image, limits: Limits | None = None) -> list[str]:
    return [doubt.name for doubt in doubts(measure(image), limits or Limits())]


def test_an_ordinary_picture_is_not_doubted():
    assert names(PHOTO) == []
    assert names(cv2.cvtColor(PHOTO, cv2.COLOR_BGR2GRAY)) == []


def test_the_numbers_are_those_of_the_picture():
    measures = measure(PHOTO)
    grey = cv2.cvtColor(PHOTO, cv2.COLOR_BGR2GRAY)
    assert (measures.width, measures.height) == (640, 480)
    assert measures.brightness == pytest.approx(grey.mean(), abs=1.5)
    assert measures.contrast == pytest.approx(grey.std(), abs=1.5)
    assert measures.clipped == pytest.approx((grey >= 250).mean(), abs=0.01)
    area = cv2.resize(grey, (32, 32), interpolation=cv2.INTER_AREA)
    assert np.abs(measures.thumbnail.astype(int) - area).mean() < 4


def test_a_dark_frame_with_noise_and_hot_pixels_is_black():
    rng = np.random.default_rng(1)
    dark = rng.poisson(2, PHOTO.shape).astype(np.uint8)
    dark[rng.integers(0, 480, 50), rng.integers(0, 640, 50)] = 255
    assert names(dark) == ["black"]


def test_dark_field_pictures_are_not_black():
    dark = flat(2, 640, 480)
    cv2.circle(dark, (300, 200), 60, (180, 180, 180), 6)
    assert names(dark) == []


def test_a_white_frame_is_blown_out():
    rng = np.random.default_rng(1)
    white = np.clip(rng.normal(254, 4, PHOTO.shape), 0, 255).astype(np.uint8)
    assert names(white) == ["blown_out"]


def test_a_white_background_is_not_blown_out():
    white = flat(255, 640, 480)
    cv2.rectangle(white, (300, 220), (400, 300), (20, 20, 20), -1)
    assert measure(white).clipped > Limits().blown_out_above
    assert names(white) == []


def test_doubts_carry_what_was_measured_and_the_limit():
    (doubt,) = doubts(measure(flat(3)), Limits(black_below=10))
    assert (doubt.measured, doubt.limit) == (3.0, 10)


def test_sharpness_falls_with_blur():
    values = [sharpness(cv2.GaussianBlur(PHOTO, (0, 0), sigma)) for sigma in (0.5, 1, 2, 4)]
    assert [sharpness(PHOTO), *values] == sorted([sharpness(PHOTO), *values], reverse=True)
    between = (values[1] + values[2]) / 2
    assert names(cv2.GaussianBlur(PHOTO, (0, 0), 2), Limits(blurred_below=between)) == ["blurred"]
    assert names(PHOTO, Limits(blurred_below=between)) == []


def test_a_flat_picture_has_no_edges_where_tiles_meet():
    ramp = np.tile(np.arange(640, dtype=np.uint8)[None, :] // 3, (480, 1))
    assert sharpness(flat(90, 640, 480)) == 0.0
    assert sharpness(np.ascontiguousarray(ramp)) < 1.0


@settings(max_examples=60, deadline=None)
@given(
    width=st.integers(1, 200),
    height=st.integers(1, 200),
    grey=st.booleans(),
    level=st.integers(0, 255),
)
def test_any_size_can_be_measured(width, height, grey, level):
    shape = (height, width) if grey else (height, width, 3)
    measures = measure(np.full(shape, level, np.uint8))
    assert measures.brightness == pytest.approx(level, abs=1)
    assert measures.thumbnail.shape == (32, 32)


def test_a_cropped_view_is_measured_like_a_copy():
    view = PHOTO[100:300, 50:470]
    of_view, of_copy = measure(view), measure(view.copy())
    np.testing.assert_array_equal(of_view.thumbnail, of_copy.thumbnail)
    assert of_view.sharpness == of_copy.sharpness
    assert of_view.clipped == of_copy.clipped


def test_the_simulated_line_is_doubted_only_where_it_should_be():
    def seen(**options) -> set[str]:
        source = SyntheticSource(limit=40, seed=3, defect_rate=0.5, **options)
        source.open()
        return {name for frame in iter(source.read, None) for name in names(frame.image)}

    assert seen() == set()
    assert seen(brightness=0.5) == set()
    assert seen(black_every=1) == {"black"}
    assert seen(blown_out_every=1) == {"blown_out"}


def test_a_repeated_picture_is_frozen_from_the_third_on():
    watch = FrozenWatch(after=3)
    assert [watch.look(PHOTO) is None for _ in range(4)] == [True, True, False, False]
    doubt = watch.look(PHOTO.copy())
    assert doubt is not None
    assert (doubt.name, doubt.measured, doubt.limit) == ("frozen", 5.0, 3.0)
    assert watch.look(photograph(9)) is None


def test_a_still_scene_with_noise_is_not_frozen():
    watch, rng = FrozenWatch(after=2), np.random.default_rng(1)
    for _ in range(20):
        noisy = np.clip(PHOTO + rng.normal(0, 1, PHOTO.shape), 0, 255).astype(np.uint8)
        assert watch.look(cv2.imdecode(np.frombuffer(jpeg(noisy, 80), np.uint8), 1)) is None


def test_a_picture_is_stale_when_older_than_allowed():
    second = 10**9
    assert stale(0, second, 1000.0) is None
    assert stale(0, 100 * second, 0.0) is None
    doubt = stale(0, 2 * second, 1000.0)
    assert doubt is not None
    assert (doubt.name, doubt.measured, doubt.limit) == ("stale", 2000.0, 1000.0)
