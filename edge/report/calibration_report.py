"""The calibration report: one HTML file that a quality engineer can print and sign."""

from __future__ import annotations

from pathlib import Path

from edge.decision.evidence import Evidence, Result
from edge.monitor.confusion import Confusion
from edge.monitor.expected import expected
from edge.monitor.figures import Figures, figures
from edge.report import wording
from edge.report.curve_chart import Chosen, curve_chart
from edge.report.histogram_chart import histogram_chart
from edge.report.numbers import moment
from edge.report.pages import render, svg, write_page
from edge.report.pictures import hardest
from edge.report.plot import DEFECT, GOOD


def write(path: Path, evidence: Evidence) -> None:
    """Write the report, whole or not at all. Raises OSError where `path` cannot be written.

    A picture that cannot be read is said in its place; it does not fail the report.
    """
    write_page(path, page(evidence))


def page(evidence: Evidence) -> str:
    """The report as HTML."""
    result, samples = evidence.result, evidence.samples
    cuts = None if result is None else (result.accept_below, result.reject_above)
    confidence = evidence.targets.confidence
    found = figures(samples.scores, samples.defect, cuts, confidence)
    highest, lowest = hardest(samples)
    accepting, rejecting = _curves(evidence, result, found)
    where = evidence.station or "no station"
    return render(
        "calibration.html",
        {
            "title": f"Calibration report · {where} · {moment(evidence.made_at)}",
            "foot": f"{where} · calibration {evidence.id} · {moment(evidence.made_at)}",
            "e": evidence,
            "where": where,
            "r": result,
            "c": found.confusion,
            "auroc": found.auroc,
            "line": _line(evidence, result, found.confusion),
            "sure": confidence,
            "n_good": len(samples.good_scores),
            "n_defect": len(samples.defect_scores),
            "statement": "" if result is None else wording.statement(evidence, result),
            "rule": "" if result is None else wording.rule(result, evidence.targets.only),
            "refusal": wording.refusal(evidence) if result is None else [],
            "conditions": wording.conditions(evidence),
            "training": wording.training(evidence),
            "tries": wording.tries(evidence),
            "source": wording.LABELS[evidence.source],
            "histogram": svg(histogram_chart(found.histogram, cuts)),
            "accepting": svg(accepting),
            "rejecting": svg(rejecting),
            "highest": highest,
            "lowest": lowest,
            "decided": lambda score: _decided(score, result),
        },
    )


def _line(evidence: Evidence, result: Result | None, found: Confusion | None) -> object:
    if result is None or found is None or evidence.prevalence is None:
        return None
    return expected(
        found,
        result.escape.upper_bound,
        result.overkill.upper_bound,
        evidence.prevalence,
        evidence.rate_per_hour,
    )


def _curves(evidence: Evidence, result: Result | None, found: Figures) -> tuple[str, str]:
    accept = reject = None
    if result is not None and found.confusion is not None:
        good, defect = found.confusion.good, found.confusion.defect
        if result.escape.target is not None and good.n:
            accept = Chosen(good.accept / good.n, result.escape)
        if result.overkill.target is not None and defect.n:
            reject = Chosen(defect.reject / defect.n, result.overkill)
    targets = evidence.targets
    across = "good parts accepted by the model"
    accepting = curve_chart(
        found.accepting, accept, GOOD, across, "escape rate", targets.max_escape / 10
    )
    across = "defects rejected by the model"
    rejecting = curve_chart(
        found.rejecting, reject, DEFECT, across, "overkill rate", targets.max_overkill / 10
    )
    return accepting, rejecting


def _decided(score: float, result: Result | None) -> str:
    if result is None:
        return ""
    if score < result.accept_below:
        return "accepted"
    return "rejected" if score >= result.reject_above else "asked"
