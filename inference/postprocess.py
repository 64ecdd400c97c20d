"""From the raw output tensor to a prediction, or to the word that it is nonsense. Pure."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.prediction import SCORES_KEPT, ModelFault, Prediction
from inference.spec import OutputSpec

FLOAT_SLACK = 0.01
"""How far a probability of a float model may lie outside 0..1, and their sum from 1. Models with
float16 weights miss by about 0.001."""

FEW = 5
"""How many of the largest scores are kept when there are more than SCORES_KEPT labels."""


class Postprocessor:
    """Reads the output tensors of one OutputSpec.

    The score is in 0..1 and never NaN. For exclusive labels it is 1 − the sum of the *good*
    probabilities, so that a label nobody thought of can only make a part worse; for independent
    sigmoids it is the largest *defect* output.
    """

    def __init__(self, spec: OutputSpec) -> None:
        self.spec = spec
        self._names = [label.name for label in spec.labels]
        self._other = [label.role == "other" for label in spec.labels]
        self._good = np.array([label.role == "good" for label in spec.labels], np.float64)
        self._defect = np.array([label.role == "defect" for label in spec.labels])
        self._table = _real_by_code(spec)
        step = 0.0 if spec.dtype == "float32" else spec.scale
        self._slack = FLOAT_SLACK + step
        self._sum_slack = FLOAT_SLACK + step * spec.values

    def __call__(self, raw: NDArray[Any]) -> Prediction:
        """The prediction. Raises ModelFault("nonsense") on a wrong shape or type, on NaN, and on
        values that are no probabilities (beyond what quantisation explains)."""
        values = self._probabilities(raw)
        listed: list[float] = values.tolist()
        # Python's own functions are faster than numpy's on the few labels that models here have.
        lowest, highest, total = min(listed), max(listed), sum(listed)
        if math.isnan(total) or lowest < -self._slack or highest > 1.0 + self._slack:
            raise _nonsense(f"values from {values.min():g} to {values.max():g}, not probabilities")
        if self.spec.kind == "softmax" and abs(total - 1.0) > self._sum_slack:
            raise _nonsense(f"probabilities that sum to {total:g}, wanted 1")
        if self.spec.kind == "sigmoids":
            score = float(values[self._defect].max())
        else:
            score = 1.0 - float(values @ self._good)
        if lowest < 0.0 or highest > 1.0:
            listed = [min(1.0, max(0.0, value)) for value in listed]
        largest = int(values.argmax())
        return Prediction(
            score=min(1.0, max(0.0, score)),
            label=self._names[largest],
            scores=self._kept(values, listed),
            not_a_part=self._other[largest],
        )

    def _probabilities(self, raw: NDArray[Any]) -> NDArray[np.float64]:
        """One value for each label, dequantised, not yet checked."""
        spec = self.spec
        if raw.dtype != spec.dtype or raw.size != spec.values:
            raise _nonsense(
                f"{raw.dtype} of shape {raw.shape}, wanted {spec.dtype} of {spec.values} values"
            )
        flat = raw.reshape(-1)
        if self._table is None:
            values: NDArray[np.float64] = flat.astype(np.float64)
        else:
            values = self._table[flat.view(np.uint8)]
        if spec.kind == "sigmoid":
            values = np.array([1.0 - values[0], values[0]])
        return values

    def _kept(self, values: NDArray[np.float64], listed: list[float]) -> dict[str, float]:
        """Probability by label; where only some are kept, the largest, and these first."""
        if len(listed) <= SCORES_KEPT:
            return dict(zip(self._names, listed, strict=True))
        order = np.argsort(-values, kind="stable")[:FEW]
        return {self._names[i]: listed[i] for i in order.tolist()}


def _real_by_code(spec: OutputSpec) -> NDArray[np.float64] | None:
    """scale × (q − zero_point) by the byte that q is stored as; None for floats."""
    if spec.dtype == "float32":
        return None
    codes = np.arange(256, dtype=np.uint8).view(spec.dtype).astype(np.float64)
    table: NDArray[np.float64] = spec.scale * (codes - spec.zero_point)
    return table


def _nonsense(what: str) -> ModelFault:
    return ModelFault("nonsense", f"the model answered {what}")
