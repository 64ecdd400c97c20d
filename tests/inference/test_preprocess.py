from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.preprocess import Preprocessor, WrongPicture, lookup_table
from inference.spec import (
    COLOURS,
    FITS,
    NAMED_SCALINGS,
    RESIZES,
    InputSpec,
    Scaling,
    untouched,
)

FLOAT = InputSpec(6, 4, 3, "float32", "rgb", NAMED_SCALINGS["-1..1"])
INT8 = InputSpec(
    6, 4, 3, "int8", "rgb", untouched("int8", 1 / 255, -128), scale=1 / 255, zero_point=-128
)
UINT8 = replace(INT8, dtype="uint8", scaling=untouched("uint8", 1 / 255, 0), zero_point=0)


def picture(height: int, width: int, channels: int = 3, seed: int = 0) -> np.ndarray:
    shape = (height, width, channels) if channels > 1 else (height, width)
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def slow_resize(image: np.ndarray, height: int, width: int, method: str) -> np.ndarray:
    """The declared resize in as plain words as possible."""
    have_height, have_width = image.shape[:2]
    if (have_height, have_width) == (height, width):
        return image
    if method == "area":
        if have_height < height or have_width < width:
            return cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR)
        if have_height < 2 * height or have_width < 2 * width:
            return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
        twice = cv2.resize(image, (2 * width, 2 * height), interpolation=cv2.INTER_LINEAR)
        blocks = twice.reshape(height, 2, width, 2, -1).astype(np.int64).sum(axis=(1, 3))
        return ((blocks + 2) // 4).astype(np.uint8).reshape(height, width, *image.shape[2:])
    codes = {"linear": cv2.INTER_LINEAR, "cubic": cv2.INTER_CUBIC, "nearest": cv2.INTER_NEAREST}
    return cv2.resize(image, (width, height), interpolation=codes[method])


def slow(spec: InputSpec, image: np.ndarray) -> np.ndarray:
    """The whole transform with floats, step by step."""
    height, width = spec.height, spec.width
    have_height, have_width = image.shape[:2]
    if spec.fit == "crop":
        w = min(have_width, max(1, round(have_height * width / height)))
        h = min(have_height, max(1, round(have_width * height / width)))
        top, left = (have_height - h) // 2, (have_width - w) // 2
        image = image[top : top + h, left : left + w]
    if spec.fit == "pad":
        factor = min(width / have_width, height / have_height)
        w = min(width, max(1, round(have_width * factor)))
        h = min(height, max(1, round(have_height * factor)))
        inner = slow_resize(image, h, w, spec.resize)
        image = np.zeros((height, width, *image.shape[2:]), np.uint8)
        top, left = (height - h) // 2, (width - w) // 2
        image[top : top + h, left : left + w] = inner
    else:
        image = slow_resize(image, height, width, spec.resize)
    if spec.colour == "grey":
        image = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
        image = image[:, :, None]
    elif image.ndim == 2:
        image = np.repeat(image[:, :, None], 3, axis=2)
    elif spec.colour == "rgb":
        image = image[:, :, ::-1]
    real = (image.astype(np.float64) - spec.scaling.mean) / spec.scaling.std
    if spec.dtype == "float32":
        return real.astype(np.float32)[None]
    lowest = np.iinfo(spec.dtype).min
    codes = np.rint(real / spec.scale) + spec.zero_point
    return np.clip(codes, lowest, lowest + 255).astype(spec.dtype)[None]


@st.composite
def specs(draw):
    colour = draw(st.sampled_from(COLOURS))
    dtype = draw(st.sampled_from(["uint8", "int8", "float32"]))
    names = ["0..1", "-1..1", "0..255"] + (["imagenet", "caffe"] if colour != "grey" else [])
    scale, zero = (0.0, 0) if dtype == "float32" else (draw(st.sampled_from([1 / 255, 0.02])), 3)
    scaling = NAMED_SCALINGS[draw(st.sampled_from(names))]
    if scale and draw(st.booleans()):
        scaling = untouched(dtype, scale, zero)
    return InputSpec(
        height=draw(st.integers(1, 12)),
        width=draw(st.integers(1, 12)),
        channels=1 if colour == "grey" else 3,
        dtype=dtype,
        colour=colour,
        scaling=scaling,
        resize=draw(st.sampled_from(RESIZES)),
        fit=draw(st.sampled_from(FITS)),
        scale=scale,
        zero_point=zero,
    )


@settings(max_examples=300, deadline=None)
@given(specs(), st.integers(1, 40), st.integers(1, 40), st.sampled_from([1, 3]), st.integers(0, 99))
def test_equals_the_slow_reference_whatever_is_declared(spec, height, width, channels, seed):
    image = picture(height, width, channels, seed)
    kept = image.copy()
    expected = slow(spec, image)
    preprocess = Preprocessor(spec)
    found = preprocess(image)
    assert found.dtype == spec.dtype
    assert found.shape == spec.shape
    assert found.flags.c_contiguous
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(image, kept)
    np.testing.assert_array_equal(preprocess(image), expected)  # its buffers are reused


@pytest.mark.parametrize("spec", [FLOAT, INT8, UINT8, replace(UINT8, colour="bgr")])
def test_writes_into_the_array_that_it_is_given(spec):
    out = np.zeros(spec.shape, spec.dtype)
    found = Preprocessor(spec)(picture(48, 64), out)
    assert found is out
    np.testing.assert_array_equal(out, slow(spec, picture(48, 64)))


def test_one_preprocessor_takes_pictures_of_changing_size_and_colour():
    preprocess = Preprocessor(INT8)
    for image in (picture(48, 64), picture(12, 8, 1), picture(3, 90), picture(48, 64, 1)):
        np.testing.assert_array_equal(preprocess(image), slow(INT8, image))


def test_a_region_of_a_larger_picture_needs_no_copy():
    whole = picture(100, 120)
    region = whole[10:70, 20:100]
    assert not region.flags.c_contiguous
    np.testing.assert_array_equal(Preprocessor(INT8)(region), slow(INT8, region.copy()))


@pytest.mark.parametrize(("height", "width"), [(1080, 1920), (1944, 2592)])
def test_area_stays_near_the_true_area_mean(height, width):
    rng = np.random.default_rng(1)
    coarse = rng.integers(0, 256, (height // 40, width // 40, 3), np.uint8)
    image = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    spec = replace(UINT8, height=224, width=224, colour="bgr")
    truth = cv2.resize(image, (224, 224), interpolation=cv2.INTER_AREA).astype(int)
    assert np.abs(Preprocessor(spec)(image)[0].astype(int) - truth).mean() <= 3.0


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((4, 4, 3), np.float32),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((4,), np.uint8),
        np.zeros((0, 4, 3), np.uint8),
    ],
)
def test_what_is_no_picture_is_refused(image):
    with pytest.raises(WrongPicture, match="picture"):
        Preprocessor(INT8)(image)


def test_quantised_values_never_leave_their_type():
    spec = replace(UINT8, scaling=Scaling((0.0,), (1.0,)), scale=0.5, zero_point=10)
    table = lookup_table(spec)
    assert table is not None
    assert table.reshape(-1)[[0, 100, 122, 123, 255]].tolist() == [10, 210, 254, 255, 255]
