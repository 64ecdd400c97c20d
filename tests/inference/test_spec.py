from __future__ import annotations

import numpy as np
import pytest

from inference.preprocess import lookup_table
from inference.spec import ITEM_BYTES, InputSpec, Label, OutputSpec, Scaling, untouched
from tests.inference.bundles import spec


@pytest.mark.parametrize("dtype", ["uint8", "int8", "float32"])
def test_sizes_in_bytes_are_those_of_numpy(dtype):
    given = spec(dtype).input
    assert given.nbytes == np.zeros(given.shape, dtype).nbytes
    assert ITEM_BYTES[dtype] == np.dtype(dtype).itemsize


def test_one_sigmoid_has_one_value_for_two_labels():
    labels = (Label("good", "good"), Label("bad", "defect"))
    assert OutputSpec("sigmoid", "float32", labels).values == 1
    assert OutputSpec("softmax", "float32", labels).values == 2
    assert OutputSpec("sigmoids", "int8", labels).nbytes == 2


@pytest.mark.parametrize(
    ("dtype", "scale", "zero_point"),
    [("uint8", 1 / 128, 128), ("int8", 1 / 255, -128), ("int8", 1.0, -128), ("uint8", 0.02, 117)],
)
def test_untouched_pixels_go_in_as_they_are(dtype, scale, zero_point):
    given = InputSpec(
        2, 2, 1, dtype, "grey", untouched(dtype, scale, zero_point), "area", "stretch", scale,
        zero_point,
    )  # fmt: skip
    table = lookup_table(given)
    if dtype == "uint8":
        assert table is None
    else:
        assert table is not None
        assert table.reshape(-1).tolist() == list(range(-128, 128))


def test_scaling_is_a_value():
    assert Scaling((1.0,), (2.0,)) == Scaling((1.0,), (2.0,))
