"""From a picture to the input tensor, by the same code in training, proof and on the line. Pure.

"area" is not cv2's INTER_AREA over the whole picture, which costs more than the inference of a
small model. It is linear to twice the target and then the mean of 2×2 pixels; where the picture is
less than twice as large as the target, INTER_AREA is cheap and used as it is.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from inference.spec import LOWEST, InputSpec, Resize

Image = NDArray[np.uint8]
Tensor = NDArray[Any]

_METHODS: dict[Resize, int] = {
    "area": cv2.INTER_AREA,
    "linear": cv2.INTER_LINEAR,
    "cubic": cv2.INTER_CUBIC,
    "nearest": cv2.INTER_NEAREST,
}


class WrongPicture(ValueError):
    """The array is not a picture: not uint8, or neither (H, W) nor (H, W, 3), or empty."""


class Preprocessor:
    """Turns pictures into tensors of one InputSpec.

    Call it with uint8 pixels, (height, width, 3) in BGR order or (height, width) grey. The answer
    has the spec's shape and dtype and is C-contiguous; it is `out` when that was given, else an
    array of this object's own that the next call overwrites. For one thread at a time. Raises
    WrongPicture.
    """

    def __init__(self, spec: InputSpec) -> None:
        self.spec = spec
        self._table = lookup_table(spec)
        self._own: Tensor = np.zeros(spec.shape, spec.dtype)
        self._twice: dict[tuple[int, int, int], Image] = {}

    def __call__(self, image: Image, out: Tensor | None = None) -> Tensor:
        """The picture as a tensor."""
        _check(image)
        tensor = self._own if out is None else out
        target = tensor[0]
        small = self._coloured(self._fitted(image), target)
        if self._table is None:
            if small is not target:
                np.copyto(target, small.reshape(target.shape))
        else:
            cv2.LUT(small, self._table, target)
        return tensor

    def _fitted(self, image: Image) -> Image:
        spec = self.spec
        if spec.fit == "crop":
            image = _middle(image, spec.width, spec.height)
        if spec.fit != "pad":
            return self._resized(image, spec.width, spec.height)
        width, height = _inner(image, spec.width, spec.height)
        inner = self._resized(image, width, height)
        shape = (spec.height, spec.width, *image.shape[2:])
        padded = np.zeros(shape, np.uint8)
        left, top = (spec.width - width) // 2, (spec.height - height) // 2
        padded[top : top + height, left : left + width] = inner
        return padded

    def _resized(self, image: Image, width: int, height: int) -> Image:
        have_height, have_width = image.shape[:2]
        if (have_height, have_width) == (height, width):
            return image
        method = _METHODS[self.spec.resize]
        if method == cv2.INTER_AREA:
            if have_height < height or have_width < width:
                method = cv2.INTER_LINEAR  # there is nothing to average
            elif have_height >= 2 * height and have_width >= 2 * width:
                image = self._twice_the_target(image, width, height)
        return _uint8(cv2.resize(image, (width, height), interpolation=method))

    def _twice_the_target(self, image: Image, width: int, height: int) -> Image:
        size = (2 * width, 2 * height)
        channels = image.shape[2] if image.ndim == 3 else 0
        kept = self._twice.get((width, height, channels))
        twice = _uint8(cv2.resize(image, size, dst=kept, interpolation=cv2.INTER_LINEAR))
        if self.spec.fit != "pad":  # a padded picture may have any size: keep no buffers for it
            self._twice[(width, height, channels)] = twice
        return twice

    def _coloured(self, small: Image, target: Tensor) -> Image:
        """In the tensor's colours; into `target` itself where no table follows."""
        grey = small.ndim == 2
        if grey == (self.spec.colour == "grey"):
            if grey or self.spec.colour == "bgr":
                return np.ascontiguousarray(small)
            code = cv2.COLOR_BGR2RGB
        else:
            code = cv2.COLOR_GRAY2BGR if grey else cv2.COLOR_BGR2GRAY
        if self._table is None and self.spec.channels == 3:
            cv2.cvtColor(small, code, dst=target)
            return target
        return _uint8(cv2.cvtColor(small, code))


def lookup_table(spec: InputSpec) -> NDArray[Any] | None:
    """Tensor value by pixel value, as cv2.LUT takes it; None where pixels go in as they are.

    Shape (256, 1, n) with n = 1, or the number of channels where these differ.
    q = round((pixel − mean) / std / scale) + zero_point, halves to even, limited to the type's
    range.
    """
    count = max(len(spec.scaling.mean), len(spec.scaling.std))
    mean = np.broadcast_to(np.asarray(spec.scaling.mean, np.float64), (count,))
    std = np.broadcast_to(np.asarray(spec.scaling.std, np.float64), (count,))
    real = (np.arange(256, dtype=np.float64)[:, None] - mean) / std
    if spec.dtype == "float32":
        return real.astype(np.float32)[:, None, :]
    lowest = LOWEST[spec.dtype]
    scaled = np.rint(real / spec.scale) + spec.zero_point
    table = np.clip(scaled, lowest, lowest + 255).astype(spec.dtype)
    if spec.dtype == "uint8" and bool((table == np.arange(256)[:, None]).all()):
        return None
    shaped: NDArray[Any] = table[:, None, :]
    return shaped


def _check(image: Image) -> None:
    shape = image.shape
    if image.dtype != np.uint8 or not (len(shape) == 2 or (len(shape) == 3 and shape[2] == 3)):
        raise WrongPicture(
            f"a picture of type {image.dtype} and shape {shape}; "
            "wanted uint8 and (height, width) or (height, width, 3)"
        )
    if 0 in shape:
        raise WrongPicture(f"an empty picture of shape {shape}")


def _middle(image: Image, width: int, height: int) -> Image:
    """The largest middle part with the proportions of the target, as a view."""
    have_height, have_width = image.shape[:2]
    want_width = min(have_width, max(1, round(have_height * width / height)))
    want_height = min(have_height, max(1, round(have_width * height / width)))
    left, top = (have_width - want_width) // 2, (have_height - want_height) // 2
    return image[top : top + want_height, left : left + want_width]


def _inner(image: Image, width: int, height: int) -> tuple[int, int]:
    """Width and height of the whole picture when it is shrunk into the target."""
    have_height, have_width = image.shape[:2]
    factor = min(width / have_width, height / have_height)
    return (
        min(width, max(1, round(have_width * factor))),
        min(height, max(1, round(have_height * factor))),
    )


def _uint8(array: Any) -> Image:
    result: Image = array
    return result
