"""Running a model that nobody has described yet, in a child that may die of it."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.child import Child, ChildGone, sealed_memory
from inference.exchange import FAILED, Hello
from inference.flatbuffer import Damaged
from inference.interpreter import TensorDetail
from inference.modelfile import ModelFile, read_model
from inference.suitability import Reason, Refused, of_answers, of_input, of_operators, of_output
from inference.suitability import refuse as refused

PATIENCE_S = 30.0


@dataclass(frozen=True)
class Probed:
    """A model that can be used: what the file says, its tensors, and real answers to samples."""

    file: ModelFile
    input: TensorDetail
    output: TensorDetail
    answers: tuple[NDArray[np.float64], ...]


def probe(model: bytes) -> Probed:
    """Look at a model and run it on a few plain tensors. Raises Refused with the reasons."""
    try:
        file = read_model(model)
    except Damaged as error:
        reason = f"it is no TFLite file, or a damaged one: {error}"
        raise refused("not_tflite", reason) from error
    _stop(of_operators(file))
    memory = sealed_memory(model)
    try:
        child = Child(memory, 1)
        try:
            return _ask(child, file)
        except ChildGone as error:
            raise refused("crashes", f"running it ends the process: {error}") from error
        finally:
            child.kill()
            child.process.wait()
    finally:
        os.close(memory)


def real_values(raw: NDArray[Any], detail: TensorDetail) -> NDArray[np.float64]:
    """Dequantised; as they are without quantisation."""
    values = raw.astype(np.float64)
    return (values - detail.zero_point) * detail.scale if detail.scale else values


def _ask(child: Child, file: ModelFile) -> Probed:
    said = _greeting(child)
    _stop(of_input(said.inputs) + of_output(said.outputs, said.inputs[0].shape))
    given, answer = said.inputs[0], said.outputs[0]
    for end, detail in (("input", given), ("output", answer)):
        if detail.dtype != "float32" and not detail.scale:
            reason = f"its {end} is {detail.dtype} without scale and zero point"
            raise refused("quantisation", reason)
    answers: list[NDArray[np.float64]] = []
    for number, sample in enumerate(samples(given), start=1):
        np.copyto(child.given, sample)
        child.send(number)
        reply = child.receive(PATIENCE_S)
        if reply is None:
            raise refused("hangs", f"it gives no answer within {PATIENCE_S:.0f} s")
        if reply.status == FAILED:
            raise refused("cannot_run", f"the runtime cannot run it: {reply.text}")
        answers.append(real_values(child.answer.copy(), answer))
    _stop(of_answers(answers, file))
    return Probed(file, given, answer, tuple(answers))


def _greeting(child: Child) -> Hello:
    end = time.monotonic() + PATIENCE_S
    while child.hello is None:
        left = end - time.monotonic()
        if left <= 0:
            raise refused("hangs", f"it does not load within {PATIENCE_S:.0f} s")
        reply = child.receive(left)
        if reply is not None:
            raise refused("cannot_load", f"the runtime cannot load it: {reply.text}")
    return child.hello


def samples(detail: TensorDetail) -> list[NDArray[Any]]:
    """Plain tensors over the whole range of the input: even ones, a ramp and noise.

    For floats in 0..1 and in 0..255, since nobody knows yet which of them the model wants.
    """
    lowest, highest = {"uint8": (0, 255), "int8": (-128, 127)}.get(detail.dtype, (0, 1))
    middle = (lowest + highest) / 2
    noise = np.random.default_rng(20).random(detail.shape)
    ramp = np.linspace(0.0, 1.0, noise.size).reshape(detail.shape)
    units: Sequence[NDArray[np.float64]] = (noise, ramp)
    even = [np.full(detail.shape, level) for level in (lowest, middle, highest)]
    spread = [lowest + unit * (highest - lowest) for unit in units]
    wide = [255 * unit for unit in units] if detail.dtype == "float32" else []
    return [sample.astype(detail.dtype) for sample in (*even, *spread, *wide)]


def _stop(reasons: Sequence[Reason]) -> None:
    if reasons:
        raise Refused(reasons)
