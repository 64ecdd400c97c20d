"""From a model file to a bundle's description: what the file says, what a person says, and what
has to be guessed. `probe` ran the model before; nothing is run or written here."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from inference.interpreter import TensorDetail
from inference.labels import LabelError, Meaning, distinct, numbered, read_labels, with_roles
from inference.manifest import Manifest, Provenance, scaling_named
from inference.modelfile import ModelFile
from inference.postprocess import FLOAT_SLACK
from inference.probe import Probed
from inference.spec import (
    LOWEST,
    NAMED_SCALINGS,
    Colour,
    Dtype,
    Fit,
    InputSpec,
    ModelSpec,
    OutputKind,
    OutputSpec,
    Resize,
    Scaling,
    untouched,
)
from inference.suitability import refuse

Preset = Literal["teachable-machine", "automl", "keras"]
PRESETS: tuple[Preset, ...] = ("teachable-machine", "automl", "keras")
_KNOWN_RANGES = ((0.0, 1.0), (-1.0, 1.0), (0.0, 255.0))
_ARITHMETIC = {"ADD", "SUB", "MUL", "DIV"}


@dataclass(frozen=True)
class Wishes:
    """What a person said about a model; None where nothing was said.

    `scaling` is a name (`raw`, `0..1`, `-1..1`, `0..255`, `imagenet`, `caffe`) or `MEAN/STD`,
    each one number or three with commas.
    """

    labels_text: str | None = None
    meaning: Meaning = field(default_factory=Meaning)
    preset: Preset | None = None
    colour: Colour | None = None
    scaling: str | None = None
    resize: Resize | None = None
    fit: Fit | None = None


class WishError(ValueError):
    """A wish that cannot be fulfilled for this model; the message says why."""


def describe(
    probed: Probed, wishes: Wishes, name: str, version: str, lineage: dict[str, Any]
) -> Manifest:
    """The manifest, each field marked read, given or guessed. Raises Refused, LabelError or
    WishError."""
    marks: dict[str, Provenance] = {}
    output = _output(probed, wishes, marks)
    return Manifest(
        name=name,
        version=version,
        spec=ModelSpec(_input(probed, wishes, marks), output),
        provenance=marks,
        lineage=lineage,
    )


def bundle_name(stem: str) -> str:
    """A name that a bundle may have, from a file's."""
    name = re.sub(r"[^a-z0-9_.-]+", "-", stem.lower()).strip("-._")
    return name[:64].strip("-._") or "model"


def parse_scaling(text: str, detail: TensorDetail) -> Scaling:
    """A name or `MEAN/STD`. Raises WishError."""
    channels = detail.shape[3]
    found = scaling_named(text, detail.dtype, detail.scale, detail.zero_point)
    if found is None:
        parts = text.split("/")
        try:
            mean, std = (tuple(float(n) for n in part.split(",")) for part in parts)
        except ValueError as error:
            names = ", ".join(("raw", *NAMED_SCALINGS))
            message = f"--scale {text}: known are {names}, or MEAN/STD such as 127.5/127.5"
            raise WishError(message) from error
        found = Scaling(mean, std)
    if not {len(found.mean), len(found.std)} <= {1, channels} or not all(found.std):
        raise WishError(f"--scale {text}: the model has {channels} channels; no std may be 0")
    return found


def _input(probed: Probed, wishes: Wishes, marks: dict[str, Provenance]) -> InputSpec:
    detail = probed.input
    height, width, channels = detail.shape[1:4]
    scaling, marks["scaling"] = _scaling(probed, wishes)
    colour, marks["colour"] = _colour(probed, wishes, channels)
    resize, marks["resize"] = _resize(wishes)
    fit, marks["fit"] = _fit(wishes)
    return InputSpec(
        height=height,
        width=width,
        channels=channels,
        dtype=_dtype(detail),
        colour=colour,
        scaling=scaling,
        resize=resize,
        fit=fit,
        scale=detail.scale,
        zero_point=detail.zero_point,
    )


def _colour(probed: Probed, wishes: Wishes, channels: int) -> tuple[Colour, Provenance]:
    if channels == 1:
        if wishes.colour not in (None, "grey"):
            raise WishError(f"--colour {wishes.colour}: the model takes grey pictures")
        return "grey", "read"
    if wishes.colour == "grey":
        raise WishError("--colour grey: the model takes three channels")
    if wishes.colour is not None:
        return wishes.colour, "given"
    if probed.file.colour == "rgb":
        return "rgb", "read"
    return "rgb", "given" if wishes.preset else "guessed"


def _resize(wishes: Wishes) -> tuple[Resize, Provenance]:
    if wishes.resize is not None:
        return wishes.resize, "given"
    if wishes.preset in ("keras", "automl"):
        return "linear", "given"  # tf.image.resize without antialiasing
    return "area", "given" if wishes.preset else "guessed"


def _fit(wishes: Wishes) -> tuple[Fit, Provenance]:
    if wishes.fit is not None:
        return wishes.fit, "given"
    if wishes.preset == "teachable-machine":
        return "crop", "given"
    return "stretch", "given" if wishes.preset else "guessed"


def _scaling(probed: Probed, wishes: Wishes) -> tuple[Scaling, Provenance]:
    detail, file = probed.input, probed.file
    if wishes.scaling is not None:
        return parse_scaling(wishes.scaling, detail), "given"
    if detail.dtype != "float32":
        return _quantised_scaling(detail, file)
    if file.mean and _fits_channels(file, detail):
        return Scaling(file.mean, file.std), "read"
    if wishes.preset == "teachable-machine":
        return NAMED_SCALINGS["-1..1"], "given"
    if file.first in _ARITHMETIC:
        return NAMED_SCALINGS["0..255"], "guessed"  # it seems to scale by itself
    return NAMED_SCALINGS["0..1"], "guessed"


def _quantised_scaling(detail: TensorDetail, file: ModelFile) -> tuple[Scaling, Provenance]:
    """A quantised input says itself which real numbers it stands for. Where these are one of the
    usual ranges, and by the common practice also where nothing else is known, pixels go in as they
    are."""
    dtype = _dtype(detail)
    lowest = (LOWEST[dtype] - detail.zero_point) * detail.scale
    highest = lowest + 255 * detail.scale
    slack = 0.02 * (highest - lowest)
    plain = untouched(dtype, detail.scale, detail.zero_point)
    for low, high in _KNOWN_RANGES:
        if abs(lowest - low) <= slack and abs(highest - high) <= slack:
            return plain, "read"
    if file.mean and _fits_channels(file, detail):
        return Scaling(file.mean, file.std), "read"
    return plain, "guessed"


def _fits_channels(file: ModelFile, detail: TensorDetail) -> bool:
    return {len(file.mean), len(file.std)} <= {1, detail.shape[3]} and all(file.std)


def _output(probed: Probed, wishes: Wishes, marks: dict[str, Provenance]) -> OutputSpec:
    detail = probed.output
    kind, marks["output"] = _kind(probed)
    values = detail.shape[-1]
    names, marks["labels"] = _names(probed, wishes, kind, values)
    labels, marks["roles"] = with_roles(names, wishes.meaning)
    roles = {label.role for label in labels}
    if kind == "sigmoids" and "defect" not in roles:
        raise LabelError("with independent outputs at least one label must be a defect: --defect")
    if kind != "sigmoids" and not {"good"} < roles:
        raise LabelError("at least one label must be good and one not: see --good and --defect")
    return OutputSpec(kind, _dtype(detail), labels, detail.scale, detail.zero_point)


def _kind(probed: Probed) -> tuple[OutputKind, Provenance]:
    """How the outputs are to be read, from the last operator, else from the sums of answers."""
    values = probed.output.shape[-1]
    last = probed.file.last
    if last == "LOGISTIC":
        return ("sigmoid" if values == 1 else "sigmoids"), "read"
    slack = FLOAT_SLACK + probed.output.scale * values
    sums_to_one = all(abs(float(answer.sum()) - 1.0) <= slack for answer in probed.answers)
    if values > 1 and sums_to_one:
        return "softmax", "read" if last == "SOFTMAX" else "guessed"
    what = "softmax over one value is always 1" if values == 1 else "its answers do not sum to 1"
    raise refuse(
        "logits",
        f"its outputs are no probabilities: {what}, and it ends with "
        f"{last or 'no known operator'}. Let it end with a softmax, or with a sigmoid for a single "
        "output",
    )


def _names(
    probed: Probed, wishes: Wishes, kind: OutputKind, values: int
) -> tuple[list[str], Provenance]:
    count = 2 if kind == "sigmoid" else values
    source: Provenance = "given" if wishes.labels_text is not None else "read"
    text = wishes.labels_text if wishes.labels_text is not None else probed.file.labels_text
    if not text:
        return numbered(count), "guessed"
    names = read_labels(text)
    if kind == "sigmoid" and len(names) == 1:
        names = [f"not {names[0]}", names[0]]  # one sigmoid for one named class
    if len(names) != count:
        hint = ""
        if len(names) == count - 1:
            hint = "; perhaps a first line such as `background` is missing"
        where = "the label file" if source == "given" else "the label file inside the model"
        raise LabelError(f"{where} has {len(names)} names, the model {count} classes{hint}")
    return distinct(names), source


def _dtype(detail: TensorDetail) -> Dtype:
    dtypes: dict[str, Dtype] = {"uint8": "uint8", "int8": "int8", "float32": "float32"}
    return dtypes[detail.dtype]


def with_input(manifest: Manifest, spec: InputSpec, vouched: bool) -> Manifest:
    """The same manifest with another input; where `vouched`, all that was guessed is now tried."""
    marks: dict[str, Provenance] = {
        name: "tried" if vouched and mark == "guessed" else mark
        for name, mark in manifest.provenance.items()
    }
    return replace(manifest, spec=replace(manifest.spec, input=spec), provenance=marks)
