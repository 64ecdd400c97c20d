"""From known parts and wishes to a calibration with its evidence, in memory and as a file. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from edge.calibrating.gathered import Gathered
from edge.calibrations import SCHEMA, Binding
from edge.decision.binomial import samples
from edge.decision.calibration import CannotCertify, Targets, limits
from edge.decision.capacity import Load
from edge.decision.evidence import Evidence, Result, Training
from edge.decision.result import judge

SAME_KIND = (
    "The parts are a random sample of those that will be decided, good parts as well as defects of"
    " every type: what is not among them nothing is said about."
)
SAME_VIEW = "Bundle, runtime, type of machine and view stay as they are named here."
LABELS = "The labels are right: a mistaken label counts as a mistake of the model, or hides one."
DOUBTS = "Parts with a doubt about the picture are decided by a person; the bounds leave them out."
PICKED = (
    "The accept cut was picked for what persons can answer, so its bound is the one that holds for"
    " all cuts at once; the questions per hour are expected from the shares seen, not bounded."
)
BOUNDS_OF = {
    None: "Both bounds hold together with the stated confidence.",
    "accept": "Only the escape bound is stated, with all of the confidence; nothing is rejected.",
    "reject": "Only the overkill bound is stated, with all of the confidence; nothing is accepted.",
}


@dataclass(frozen=True, slots=True)
class About:
    """Whose calibration it is. `binding` is None for a mere table without a station."""

    id: str
    made_at: str
    station: str
    binding: Binding | None = None
    model_name: str | None = None
    model_version: str | None = None
    made_with: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the person asked for and said. `training` as in `Evidence`."""

    targets: Targets
    prevalence: float | None = None
    rate_per_hour: float | None = None
    by: str | None = None
    reason: str | None = None
    training: Training = "unsaid"
    load: Load | None = None


def make(gathered: Gathered, about: About, wishes: Wishes, tries: int) -> Evidence:
    """The rule applied to these parts; `result` is None where they do not suffice.

    Raises ValueError where a score is no probability.
    """
    targets, known = wishes.targets, gathered.samples
    n_good, n_defect = len(known.good_scores), len(known.defect_scores)
    result: Result | None = None
    lacking = {"good": 0, "defect": 0}
    try:
        result = judge(known, targets, wishes.prevalence, wishes.load)
    except CannotCertify as refusal:
        lacking = refusal.needed
    doubtful = _doubtful(gathered, about, wishes)
    binding = about.binding
    return Evidence(
        id=about.id,
        made_at=about.made_at,
        station=about.station,
        source=gathered.source,
        source_name=gathered.name,
        samples=known,
        targets=targets,
        prevalence=wishes.prevalence,
        result=result,
        tightest=limits(n_good, n_defect, targets.alpha),
        needed=lacking,
        certified=result is not None and not doubtful,
        uncertified_because=doubtful,
        model_name=about.model_name,
        model_version=about.model_version,
        bundle=None if binding is None else binding.bundle,
        runtime=None if binding is None else binding.runtime,
        machine=None if binding is None else binding.machine,
        view=None if binding is None else binding.view,
        training=wishes.training,
        tries=tries,
        rate_per_hour=wishes.rate_per_hour,
        left_out=gathered.left_out,
        resembling=gathered.resembling,
        by=wishes.by,
        reason=wishes.reason,
        conditions=_conditions(gathered, wishes),
        load=wishes.load,
        only_needed=_only_needed(n_good, n_defect, targets),
    )


def hours_needed(evidence: Evidence) -> float | None:
    """How long the station makes parts until the samples needed have passed; None where unknown."""
    rate, prevalence, lacking = evidence.rate_per_hour, evidence.prevalence, evidence.needed
    if not rate or (lacking["defect"] and not prevalence):
        return None
    share = prevalence or 0.0
    hours = lacking["defect"] / (rate * share) if lacking["defect"] else 0.0
    if lacking["good"]:
        if share >= 1:
            return None
        hours = max(hours, lacking["good"] / (rate * (1 - share)))
    return hours


def as_json(evidence: Evidence) -> dict[str, object]:
    """`calibration/1` without what only the file holds. The cuts are null where there are none."""
    result, known = evidence.result, evidence.samples
    return {
        "schema": SCHEMA,
        "id": evidence.id,
        "made_at": evidence.made_at,
        "station": evidence.station,
        "bundle": evidence.bundle,
        "runtime": evidence.runtime,
        "machine": evidence.machine,
        "view": evidence.view,
        "accept_below": result and result.accept_below,
        "reject_above": result and result.reject_above,
        "confidence": evidence.targets.confidence,
        "only": evidence.targets.only,
        "certified": evidence.certified,
        "uncertified_because": list(evidence.uncertified_because),
        "n_good": len(known.good_scores),
        "n_defect": len(known.defect_scores),
        "escape": result.escape.as_json() if result else _wanted(evidence, "accept"),
        "overkill": result.overkill.as_json() if result else _wanted(evidence, "reject"),
        "automation": {
            "good": result and result.automation_good,
            "defect": result and result.automation_defect,
            "at_prevalence": result and result.at_prevalence,
        },
        "prevalence": evidence.prevalence,
        "tightest": evidence.tightest,
        "capacity": None if evidence.load is None else asdict(evidence.load),
        "needed": evidence.needed,
        "needed_hours": hours_needed(evidence),
        "needed_with_only": evidence.only_needed,
        "types": [asdict(row) for row in result.types] if result else [],
        "source": evidence.source,
        "source_name": evidence.source_name,
        "left_out": [asdict(left) for left in evidence.left_out],
        "resembling": evidence.resembling,
        "not_trained_on_these": evidence.training,
        "tries": evidence.tries,
        "by": evidence.by,
        "reason": evidence.reason,
    }


def as_file(evidence: Evidence, gathered: Gathered, about: About) -> dict[str, object]:
    """What is kept in the state directory: with the familiar range, and the view in words."""
    return {
        **as_json(evidence),
        "model": {"name": about.model_name, "version": about.model_version},
        "pictures": gathered.fingerprint,
        "made_with": dict(about.made_with or {}),
        "conditions": list(evidence.conditions),
        **({} if gathered.familiar is None else {"familiar": dict(gathered.familiar)}),
    }


def _wanted(evidence: Evidence, side: str) -> dict[str, float | None]:
    targets = evidence.targets
    wanted = targets.max_escape if side == "accept" else targets.max_overkill
    asked = targets.only in (None, side)
    return {"target": wanted if asked else None, "observed": None, "upper_bound": None}


def _doubtful(gathered: Gathered, about: About, wishes: Wishes) -> tuple[str, ...]:
    found = list(gathered.doubtful)
    if about.binding is None:
        found.append("no station: it is not known which model and view the scores come from")
    if wishes.training == "unsaid":
        found.append("nobody said that the model was not trained on these (--not-trained-on-these)")
    return tuple(found)


def _conditions(gathered: Gathered, wishes: Wishes) -> tuple[str, ...]:
    said = [SAME_KIND, LABELS, SAME_VIEW, DOUBTS, BOUNDS_OF[wishes.targets.only]]
    if wishes.load is not None:
        said.append(PICKED)
    if gathered.source == "scores":
        said.append("The scores are those of the bundle named here; a table cannot prove it.")
    if gathered.rescored:
        said.append(
            f"{gathered.rescored} parts were scored anew from their stored pictures, which were"
            " compressed where the camera gave none in a file."
        )
    return tuple(said)


def _only_needed(n_good: int, n_defect: int, targets: Targets) -> dict[str, int]:
    alpha = 1.0 - targets.confidence
    return {
        "accept": max(0, samples(targets.max_escape, alpha) - n_defect),
        "reject": max(0, samples(targets.max_overkill, alpha) - n_good),
    }
