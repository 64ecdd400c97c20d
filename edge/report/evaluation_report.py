"""An evaluation as one HTML file that prints."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from edge.decision.evidence import Samples
from edge.evaluating.cases import UNKNOWN, Cases
from edge.evaluating.evaluation import Evaluation
from edge.evaluating.slices import TYPE, Slice
from edge.report.histogram_chart import histogram_chart
from edge.report.pages import render, svg, write_page
from edge.report.pictures import hardest

MOST = 60
BAR = 90.0


def write(path: Path, found: Evaluation, cases: Cases) -> None:
    """Write the report, whole or not at all. Raises OSError."""
    write_page(path, page(found, cases))


def page(found: Evaluation, cases: Cases) -> str:
    """The report as HTML; the slices in their order, the pictures nearest to being wrong."""
    highest, lowest = hardest(_samples(cases))
    cuts = found.judging.accept_below, found.judging.reject_above
    return render(
        "evaluation.html",
        {
            "title": f"Evaluation · {found.source}",
            "foot": f"Evaluation · {found.source}",
            "e": found,
            "c": found.confusion,
            "sure": found.confidence,
            "histogram": svg(histogram_chart(found.histogram, cuts)),
            "slices": found.slices[:MOST],
            "more": max(0, len(found.slices) - MOST),
            "asked_of": _asked,
            "bar": lambda share: BAR * min(1.0, share or 0.0),
            "highest": highest,
            "lowest": lowest,
            "decided": lambda score: _decided(score, *cuts),
        },
    )


def _samples(cases: Cases) -> Samples:
    """The same parts as a calibration has them, for their pictures."""
    names = list(cases.tags.get(TYPE, [UNKNOWN] * len(cases.scores)))
    types = tuple(dict.fromkeys(names))
    type_of = np.array([types.index(name) for name in names], np.int32)
    pictures = cases.pictures if any(cases.pictures) else ()
    type_of[~cases.defect] = -1
    return Samples(cases.scores, cases.defect, types, type_of, (), (), pictures)


def _asked(one: Slice) -> int:
    return one.confusion.good.escalate + one.confusion.defect.escalate


def _decided(score: float, low: float, high: float) -> str:
    return "accepted" if score < low else "rejected" if score >= high else "asked"
