"""Why a model cannot inspect parts here, in words that say what to do. Pure.

A model must be a classifier of one picture: one input (1, height, width, 1 or 3), one output of
probabilities, types uint8, int8 or float32.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.interpreter import TensorDetail
from inference.manifest import LARGEST_LABELS
from inference.modelfile import ModelFile
from inference.postprocess import FLOAT_SLACK
from inference.spec import DTYPES

DETECTION = "TFLite_Detection_PostProcess"
_CONVERT = "Convert it again as "


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason for a refusal: a plain word, and a sentence for people."""

    code: str
    text: str


class Refused(Exception):
    """A model that cannot be used, with every reason found."""

    def __init__(self, reasons: Sequence[Reason]) -> None:
        super().__init__("; ".join(reason.text for reason in reasons))
        self.reasons = tuple(reasons)


def refuse(code: str, text: str) -> Refused:
    """A refusal with one reason."""
    return Refused([Reason(code, text)])


def of_operators(file: ModelFile) -> list[Reason]:
    """What the operators alone rule out."""
    return [_of_operator(name) for name in file.custom]


def _of_operator(name: str) -> Reason:
    if name == DETECTION:
        text = (
            "it is an object detector with post-processing inside: it answers boxes, not what "
            "the part is. A classifier is needed"
        )
        return Reason("detector", text)
    if name == "edgetpu-custom-op":
        text = (
            f"it is compiled for the Coral Edge TPU (operator {name}), which no CPU runs. Wrap "
            "the file that was compiled, without _edgetpu in its name"
        )
    elif name.startswith("Flex"):
        text = (
            f"it needs TensorFlow itself (operator {name}). {_CONVERT}TFLITE_BUILTINS only, "
            "without SELECT_TF_OPS"
        )
    else:
        text = (
            f"it has the custom operator {name}, which no CPU runtime knows. {_CONVERT}a model "
            "of built-in operators only"
        )
    return Reason("custom_operator", text)


def of_input(inputs: Sequence[TensorDetail]) -> list[Reason]:
    """What the input tensors rule out."""
    if len(inputs) != 1:
        return [Reason("inputs", f"it has {len(inputs)} inputs; one picture is all there is")]
    detail = inputs[0]
    shape = detail.shape
    if len(shape) != 4:
        what = "×".join(map(str, shape)) or "a single number"
        return [
            Reason(
                "not_an_image",
                f"its input is {what}, not a picture (1, height, width, "
                "channels): it is not an image model, or it lacks the channel",
            )
        ]
    reasons: list[Reason] = []
    if detail.dtype not in DTYPES:
        reasons.append(
            Reason(
                "input_type",
                f"its input is {detail.dtype}; known are "
                f"{', '.join(DTYPES)}. {_CONVERT}one of these (float16 weights inside are fine)",
            )
        )
    if shape[0] != 1:
        reasons.append(Reason("batch", f"it takes {shape[0]} pictures at once. {_CONVERT}batch 1"))
    if shape[3] not in (1, 3):
        reasons.append(_channels(shape))
    elif shape[1] == 1 and shape[2] == 1:
        reasons.append(
            Reason(
                "input_size",
                f"its input has no fixed size (1×1 pixel). {_CONVERT}a fixed height and width",
            )
        )
    return reasons


def of_output(outputs: Sequence[TensorDetail], input_shape: Sequence[int]) -> list[Reason]:
    """What the output tensors rule out."""
    if len(outputs) != 1:
        boxes = "an object detector (boxes, classes, scores, count)"
        what = boxes if len(outputs) == 4 else "a detector or a model with several heads"
        text = (
            f"it has {len(outputs)} outputs, so it is probably {what}. A classifier with one "
            "output is needed"
        )
        return [Reason("outputs", text)]
    detail = outputs[0]
    odd = _odd_shape(detail, input_shape)
    if odd is not None:
        return [odd]
    if detail.dtype in ("int32", "int64"):
        text = (
            f"it answers {detail.dtype} numbers of classes without probabilities. {_CONVERT}a "
            "model that ends before ARG_MAX"
        )
        return [Reason("class_number", text)]
    reasons: list[Reason] = []
    if detail.dtype not in DTYPES:
        text = f"its output is {detail.dtype}; known are {', '.join(DTYPES)}"
        reasons.append(Reason("output_type", text))
    if detail.shape[-1] > LARGEST_LABELS:
        text = f"it has {detail.shape[-1]} outputs, more than {LARGEST_LABELS}"
        reasons.append(Reason("labels", text))
    return reasons


def _odd_shape(detail: TensorDetail, input_shape: Sequence[int]) -> Reason | None:
    """The reason for an output that is not one list of values."""
    shape = detail.shape
    shown = "×".join(map(str, shape)) or "a single number without a shape"
    if len(shape) >= 3 and tuple(shape[1:3]) == tuple(input_shape[1:3]):
        whole = tuple(shape) == tuple(input_shape) and detail.dtype in DTYPES
        what = "a picture again (a reconstruction)" if whole else "a mask (segmentation)"
        return Reason("mask", f"it answers {shown}, {what}. A classifier is needed")
    if not shape or math.prod(shape) != shape[-1]:
        text = (
            f"it answers {shown}: a grid of boxes (a detector such as YOLO) or a mask. A "
            "classifier with one list of probabilities is needed"
        )
        return Reason("grid", text)
    return None


def of_answers(answers: Sequence[NDArray[Any]], file: ModelFile) -> list[Reason]:
    """What the answers on sample pictures (real values, dequantised) rule out."""
    together = np.concatenate([answer.reshape(-1) for answer in answers])
    if not np.isfinite(together).all():
        return [Reason("nonsense", "it answers NaN or infinity on plain pictures")]
    if together.min() < -FLOAT_SLACK or together.max() > 1 + FLOAT_SLACK:
        end = f" (it ends with {file.last})" if file.last else ""
        return [
            Reason(
                "logits",
                f"it answers raw numbers from {together.min():.3g} to {together.max():.3g}, "
                f"not probabilities{end}. Add a softmax or sigmoid layer at its end and convert "
                "it again",
            )
        ]
    return []


def _channels(shape: Sequence[int]) -> Reason:
    if shape[1] in (1, 3):
        return Reason(
            "channels_first",
            f"its input {'×'.join(map(str, shape))} has the channels "
            f"first (NCHW). {_CONVERT}channels last (NHWC), for example with onnx2tf or "
            "ai-edge-torch's to_channel_last_io",
        )
    return Reason("channels", f"its input has {shape[3]} channels; 1 (grey) or 3 are possible")
