"""The sentences of a calibration report that a person puts a name under. Pure."""

from __future__ import annotations

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
    rate, prevalence = evidence.rate_per_hour, evidence.prevalence
    if not rate:
        return ""
    hours = evidence.needed.get("good", 0) / rate
    if prevalence:
        hours = max(
            hours / (1 - prevalence or 1), evidence.needed.get("defect", 0) / rate / prevalence
        )
    elif evidence.needed.get("defect"):
        return ""
    shown = f"{count(hours)} h" if hours < 48 else f"{count(hours / 24)} days"
    return f": about {shown} of production at {count(rate)} parts/h"


def conditions(evidence: Evidence) -> list[str]:
    """Under what the statement holds; whoever signs should be able to say yes to each."""
    found = [
        "The good parts and the defects calibrated on are a fair sample of those that the line "
        "will see. The escape bound is for defects in the mix of types of these data; a single "
        "type may do worse (see its row).",
        "The labels are right: what counts here as good or defective is so.",
        "The targets and the confidence were settled before the scores were looked at.",
        "Model, runtime, machine type and view are those named below. If one of them changes, "
        "there is no calibration in force and persons decide.",
        "Parts about which there is a doubt (blurred, frozen, unfamiliar …) are escalated, and "
        "are not part of the statement.",
    ]
    return found + [said for said in evidence.conditions if said not in found]


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
