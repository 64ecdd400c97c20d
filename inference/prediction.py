"""What a model said, and the ways in which it can fail to say anything. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

SCORES_KEPT = 32
"""A prediction carries every label's probability up to this many labels, else the five largest."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """One answer of one bundle.

    `score` is the probability that the part is *not good*, 0..1, never NaN. `label` is the label
    with the largest probability, `scores` the probability by label. `not_a_part` says that the
    largest label is declared `other` (background, empty fixture).
    """

    score: float
    label: str
    scores: Mapping[str, float]
    not_a_part: bool = False


class NoPrediction(Exception):
    """The model gave no usable answer for this part. `code` is one plain word for records."""

    code = "fault"


class Late(NoPrediction):
    """No answer by the deadline; the child lives and its late answer is discarded."""

    code = "late"


class ModelFault(NoPrediction):
    """The child died, hung, could not be started, or answered nonsense.

    `code` is one of `died`, `hung`, `not_ready`, `nonsense`, `wrong_input`.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
