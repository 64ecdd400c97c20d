"""The sentences of a calibration report that a person puts a name under. Pure."""

from __future__ import annotations

from edge.calibrating.making import hours_needed
from edge.decision.evidence import Evidence, Result
from edge.report.numbers import asked, bound, count, short

LABELS = {"pictures": "labelled pictures", "scores": "a table of scores", "recorded": "verdicts"}


def statement(evidence: Evidence, result: Result) -> str:
    """What is claimed, in one sentence."""
    sure = asked(evidence.targets.confidence)
    escape = (
        f"of all defective parts at most {bound(result.escape.upper_bound)} are accepted "
        "by the model alone"
    )
    overkill = (
        f"of all good parts at most {bound(result.overkill.upper_bound)} are rejected "
        "by the model alone"
    )
    if evidence.targets.only == "accept":
        return f"With {sure} confidence: {escape}. The model rejects nothing by itself."
    if evidence.targets.only == "reject":
        return f"With {sure} confidence: {overkill}. The model accepts nothing by itself."
    return f"With {sure} confidence both hold together: {escape}, and {overkill}."


def rule(result: Result, only: str | None) -> str:
    """What the model does with a part, by its score."""
    low, high = short(result.accept_below), short(result.reject_above)
    if only == "accept":
        return f"A part with a score below {low} is accepted; about any other a person is asked."
    if only == "reject":
        return f"A part with a score of {high} or more is rejected; a person is asked about others."
    if result.accept_below == result.reject_above:
        return f"A part with a score below {low} is accepted, any other rejected."
    return (
        f"A part with a score below {low} is accepted, one with {high} or more is rejected. "
        "About those between a person is asked."
    )


def refusal(evidence: Evidence) -> list[str]:
    """Why there are no cuts, and what would help."""
    good, defect = len(evidence.samples.good_scores), len(evidence.samples.defect_scores)
    tightest, needed = evidence.tightest, evidence.needed
    said = [
        f"{count(good)} good parts and {count(defect)} defects were scored. With "
        f"{asked(evidence.targets.confidence)} confidence they can certify an escape rate of "
        f"{bound(tightest.get('escape'))} and an overkill rate of "
        f"{bound(tightest.get('overkill'))} at best.",
    ]
    lacking = [
        f"{count(needed[kind])} more {words}"
        for kind, words in (("good", "good parts"), ("defect", "defects"))
        if needed.get(kind)
    ]
    if lacking:
        said.append(f"For what was asked, {' and '.join(lacking)} are needed{_time(evidence)}.")
    for cut, kind in (("accept", "defects"), ("reject", "good parts")):
        more = evidence.only_needed.get(cut)
        if more is not None:
            wanted = "are enough as they are" if more == 0 else f"need {count(more)} more"
            said.append(f"For the {cut} cut alone (--only {cut}) the {kind} {wanted}.")
    return said


def _time(evidence: Evidence) -> str:
    hours = hours_needed(evidence)
    if hours is None:
        return ""
    shown = f"{count(hours)} h" if hours < 48 else f"{count(hours / 24)} days"
    return f": about {shown} of production at {count(evidence.rate_per_hour)} parts/h"


SETTLED = "The targets and the confidence were settled before the scores were looked at."
SETTLED_BUT_ESCAPE = (
    "The overkill target and the confidence were settled before the scores were looked at."
)


def conditions(evidence: Evidence) -> list[str]:
    """Under what the statement holds; whoever signs should be able to say yes to each."""
    settled = SETTLED if evidence.load is None else SETTLED_BUT_ESCAPE
    return [*evidence.conditions, settled]


def training(evidence: Evidence) -> str:
    """How it is known that the model was not trained on these very pictures."""
    return {
        "compared": "The bundle names its training pictures; none of them is among these.",
        "said": "A person said that none of these pictures was used to train the model.",
        "unsaid": "It is not known whether the model was trained on these pictures.",
    }[evidence.training]


def tries(evidence: Evidence) -> str:
    """How often these pictures were used before."""
    if evidence.tries == 0:
        return "No other calibration was tried on these pictures before."
    times = "once" if evidence.tries == 1 else f"{count(evidence.tries)} times"
    return (
        f"Calibrations were tried on these pictures {times} before. Trying again until the "
        "result pleases weakens the stated confidence."
    )
