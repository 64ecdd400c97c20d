"""Whether a loaded model is the one that its bundle describes. Pure."""

from __future__ import annotations

import math

from inference.exchange import Hello
from inference.interpreter import TensorDetail
from inference.spec import InputSpec, ModelSpec, OutputSpec


def misfits(said: Hello, spec: ModelSpec) -> list[str]:
    """Every way in which the model's tensors differ from the bundle's description; empty when
    they fit."""
    problems: list[str] = []
    if len(said.inputs) != 1 or len(said.outputs) != 1:
        problems.append(
            f"the model has {len(said.inputs)} inputs and {len(said.outputs)} outputs, "
            "wanted one of each"
        )
    if said.inputs:
        detail = said.inputs[0]
        if detail.shape != spec.input.shape:
            problems.append(f"the input is {detail.shape}, the bundle says {spec.input.shape}")
        problems += _type_misfits("input", detail, spec.input)
    if said.outputs:
        detail = said.outputs[0]
        if math.prod(detail.shape) != spec.output.values:
            problems.append(
                f"the output has shape {detail.shape}, the bundle's {len(spec.output.labels)} "
                f"labels ({spec.output.kind}) need {spec.output.values} values"
            )
        problems += _type_misfits("output", detail, spec.output)
    return problems


def _type_misfits(end: str, detail: TensorDetail, spec: InputSpec | OutputSpec) -> list[str]:
    if detail.dtype != spec.dtype:
        return [f"the {end} is {detail.dtype}, the bundle says {spec.dtype}"]
    same = math.isclose(detail.scale, spec.scale, rel_tol=1e-6)
    if spec.dtype != "float32" and not (same and detail.zero_point == spec.zero_point):
        return [
            f"the {end} has scale {detail.scale:g} and zero point {detail.zero_point}, "
            f"the bundle says {spec.scale:g} and {spec.zero_point}"
        ]
    return []
