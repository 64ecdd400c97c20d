"""What goes into a model and what comes out of it, declared once for every user of it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

Colour = Literal["rgb", "bgr", "grey"]
Resize = Literal["area", "linear", "cubic", "nearest"]
Fit = Literal["stretch", "crop", "pad"]
Dtype = Literal["uint8", "int8", "float32"]
OutputKind = Literal["softmax", "sigmoid", "sigmoids"]
Role = Literal["good", "defect", "other"]

COLOURS: tuple[Colour, ...] = ("rgb", "bgr", "grey")
RESIZES: tuple[Resize, ...] = ("area", "linear", "cubic", "nearest")
FITS: tuple[Fit, ...] = ("stretch", "crop", "pad")
DTYPES: tuple[Dtype, ...] = ("uint8", "int8", "float32")
OUTPUT_KINDS: tuple[OutputKind, ...] = ("softmax", "sigmoid", "sigmoids")
ROLES: tuple[Role, ...] = ("good", "defect", "other")

ITEM_BYTES: Mapping[str, int] = MappingProxyType({"uint8": 1, "int8": 1, "float32": 4})
LOWEST: Mapping[str, int] = MappingProxyType({"uint8": 0, "int8": -128})


@dataclass(frozen=True, slots=True)
class Scaling:
    """How a pixel becomes the number that the network was trained on: (pixel − mean) / std.

    Pixels run from 0 to 255. One number for all channels, or one for each channel in the order of
    the tensor (so in rgb order where the colour is rgb).
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]


NAMED_SCALINGS: Mapping[str, Scaling] = MappingProxyType(
    {
        "0..1": Scaling((0.0,), (255.0,)),
        "-1..1": Scaling((127.5,), (127.5,)),
        "0..255": Scaling((0.0,), (1.0,)),
        # The ImageNet statistics of torchvision and keras' mode="torch", times 255.
        "imagenet": Scaling((123.675, 116.28, 103.53), (58.395, 57.12, 57.375)),
        # keras.applications' mode="caffe": means taken off, in BGR order.
        "caffe": Scaling((103.939, 116.779, 123.68), (1.0,)),
    }
)


@dataclass(frozen=True, slots=True)
class InputSpec:
    """The input tensor, (1, height, width, channels), and the way from a picture to it.

    `scale` and `zero_point` are the tensor's quantisation: real = scale × (q − zero_point); a
    scale of 0 means none (float32). `resize` "area" is linear to twice the target, then the mean
    of 2×2 pixels. `fit` "stretch" changes the proportions, "crop" cuts the middle out, "pad" adds
    black borders.
    """

    height: int
    width: int
    channels: int
    dtype: Dtype
    colour: Colour
    scaling: Scaling
    resize: Resize = "area"
    fit: Fit = "stretch"
    scale: float = 0.0
    zero_point: int = 0

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """The tensor's shape: batch 1, height, width, channels."""
        return (1, self.height, self.width, self.channels)

    @property
    def nbytes(self) -> int:
        """The tensor's size in bytes."""
        return self.height * self.width * self.channels * ITEM_BYTES[self.dtype]


@dataclass(frozen=True, slots=True)
class Label:
    """One class, and what it means for a part."""

    name: str
    role: Role


@dataclass(frozen=True, slots=True)
class OutputSpec:
    """The output tensor, (1, values), and what its values mean.

    `softmax`: one exclusive probability for each label. `sigmoid`: one value, the probability of
    the *second* of two labels. `sigmoids`: one independent probability for each label. `scale` and
    `zero_point` as in InputSpec.
    """

    kind: OutputKind
    dtype: Dtype
    labels: tuple[Label, ...]
    scale: float = 0.0
    zero_point: int = 0

    @property
    def values(self) -> int:
        """How many values the tensor has."""
        return 1 if self.kind == "sigmoid" else len(self.labels)

    @property
    def nbytes(self) -> int:
        """The tensor's size in bytes."""
        return self.values * ITEM_BYTES[self.dtype]


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """Both ends of a model."""

    input: InputSpec
    output: OutputSpec


def untouched(dtype: Dtype, scale: float, zero_point: int) -> Scaling:
    """The scaling under which a quantised input takes pixels as they are (int8: minus 128)."""
    return Scaling((float(zero_point - LOWEST[dtype]),), (1.0 / scale,))
