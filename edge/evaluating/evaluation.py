"""Every figure about parts of known truth, and their slices. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.decision.evidence import LeftOut
from edge.evaluating.cases import Cases
from edge.evaluating.slices import Slice, slices, split
from edge.monitor.auroc import Auroc, auroc
from edge.monitor.confusion import F1, Confusion
from edge.monitor.histogram import Histogram, histogram


@dataclass(frozen=True, slots=True)
class Judging:
    """By what the parts were judged: two cuts, and in words where they come from."""

    accept_below: float
    reject_above: float
    origin: str
    certified: bool = False


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What the data show about the model under these cuts.

    Precision, recall and F1 are of the decided parts. `slices`: the one to work on next first.
    """

    source: str
    judging: Judging
    confidence: float
    n_good: int
    n_defect: int
    doubtful: int
    confusion: Confusion
    auroc: Auroc | None
    histogram: Histogram
    slices: tuple[Slice, ...]
    left_out: tuple[LeftOut, ...]
    notes: tuple[str, ...]

    def as_json(self) -> dict[str, object]:
        """For `--json`."""
        found, sure = self.confusion, self.confidence
        return {
            "schema": "evaluation/1",
            "source": self.source,
            "cuts": {
                "accept_below": self.judging.accept_below,
                "reject_above": self.judging.reject_above,
                "origin": self.judging.origin,
                "certified": self.judging.certified,
            },
            "confidence": sure,
            "n_good": self.n_good,
            "n_defect": self.n_defect,
            "doubtful": self.doubtful,
            "confusion": _confusion(found),
            "escapes": found.escapes(sure).as_json(),
            "overkill": found.overkill(sure).as_json(),
            "escalated": found.escalated(sure).as_json(),
            "decided": {
                "precision": found.precision(sure).as_json(),
                "recall": found.recall(sure).as_json(),
                "f1": _f1(found.f1(sure)),
            },
            "auroc": None if self.auroc is None else self.auroc.as_json(),
            "slices": [_slice(one) for one in self.slices],
            "left_out": [
                {"why": out.why, "count": out.count, "examples": list(out.examples)}
                for out in self.left_out
            ],
            "notes": list(self.notes),
        }


def evaluate(
    cases: Cases, source: str, judging: Judging, tags: list[str], confidence: float = 0.95
) -> Evaluation:
    """The figures, with a slice for each value of each of these tags."""
    decided = decide_all(cases, judging)
    good, defect = cases.scores[~cases.defect], cases.scores[cases.defect]
    return Evaluation(
        source,
        judging,
        confidence,
        len(good),
        len(defect),
        int(np.count_nonzero(cases.doubtful)),
        split(cases, decided, np.ones(len(cases.scores), np.bool_)),
        auroc(good, defect, confidence),
        histogram(cases.scores, cases.defect),
        tuple(slices(cases, decided, tags, confidence)),
        cases.left_out,
        cases.notes,
    )


def decide_all(cases: Cases, judging: Judging) -> NDArray[np.int8]:
    """What *partial* would decide: -1 accept, 0 escalate, 1 reject."""
    decided = np.zeros(len(cases.scores), np.int8)
    decided[cases.scores >= judging.reject_above] = 1
    decided[cases.scores < judging.accept_below] = -1
    decided[cases.doubtful] = 0
    return decided


def _confusion(found: Confusion) -> dict[str, object]:
    return {"good": found.good.as_json(), "defect": found.defect.as_json()}


def _f1(found: F1) -> dict[str, object]:
    return {"value": found.value, "low": found.low, "high": found.high}


def _slice(one: Slice) -> dict[str, object]:
    return {
        "tag": one.tag,
        "value": one.value,
        "n": one.n,
        "confusion": _confusion(one.confusion),
        "data_share": one.data_share,
        "wrong_share": one.wrong_share,
        "asked_share": one.asked_share,
        "excess_wrong": one.excess,
        "excess_asked": one.excess_asked,
        "wrong_rate": one.rate.as_json(),
        "auroc": None if one.auroc is None else one.auroc.as_json(),
    }
