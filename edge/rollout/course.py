"""What happens next to a candidate that nobody says anything about. Pure.

The automatic actor may stop a candidate at any point. It goes on only as far as the orders say:
*shadow* stays in shadow until a person or a newer assignment says more; *canary* goes through its
steps; *blue-green* goes from shadow straight to active. It never goes on without the cuts that it
needs, without somebody who vouches for every field of the bundle, or while the orders say *pause*.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from edge.rollout.parts import Fault
from edge.rollout.probation import BESIDE, Event, Probation


@dataclass(frozen=True, slots=True)
class Known:
    """What is known at one look.

    `warm`: it can be compared; `prepared`: it could decide a part. `fell`: why the active model has
    to go. `parts` are those that both models have answered, `lacking` says what is missing for the
    step that it is at, if anything; `alone`: no model is active that it could be compared with;
    `asked`: parts are shown to models at all; `decided` are those that the active model has
    answered since its promotion. `needs_cuts`: the active model
    decides by cuts, or has some that hold no more. `fits`: the candidate's own calibration is still
    one for this view and machine. `waits`: what keeps it from its next step here.
    """

    warm: bool = False
    prepared: bool = False
    fault: Fault | None = None
    fell: Fault | None = None
    broken: Fault | None = None
    parts: int = 0
    lacking: str | None = None
    alone: bool = False
    asked: bool = True
    decided: int = 0
    needs_cuts: bool = False
    fits: bool = True
    unconfirmed: bool = False
    waits: Fault | None = None


@dataclass(frozen=True, slots=True)
class Next:
    """An event, its code and reason, and what it changes of the probation."""

    event: Event
    code: str | None = None
    why: str | None = None
    changes: Mapping[str, Any] = field(default_factory=dict)


def following(candidate: Probation, known: Known, trial: int) -> Next | None:
    """What is to happen now; None while there is something to wait for.

    `trial` is the number of parts after a promotion during which a return is automatic.
    """
    if fault := _fault(candidate, known):
        return Next("fail", fault.code, fault.words)
    if candidate.state == "active":
        return _trial(candidate, known)
    if candidate.state == "proved" and known.warm:
        return Next("shadow", changes={"base": known.parts})
    if candidate.state in BESIDE and candidate.calibration is not None and not known.fits:
        gone = {"calibration": None, "calibration_sha256": None}
        return Next("lack", None, "its cuts were made for another view or machine", gone)
    if candidate.state == "canary" and known.needs_cuts and candidate.calibration is None:
        return Next("lack", None, "the model in force decides by cuts now, and this one has none")
    if waits_for(candidate, known) is not None:
        return None
    return _further(candidate, known, trial)


def waits_for(candidate: Probation, known: Known) -> str | None:
    """Why a candidate beside the active model does not go on by itself, in words; None when it
    does."""
    orders, state = candidate.orders, candidate.state
    if state not in BESIDE:
        return None
    if orders.rest:
        return "the fleet has paused it"
    if known.unconfirmed:
        command = f"edge-inspect model confirm STATE_DIR/slots/{candidate.slot} --by NAME"
        return f"nobody has confirmed its guessed fields: `{command}`"
    if state == "needs_calibration" or (known.needs_cuts and candidate.calibration is None):
        return "it has no cuts of its own yet"
    if not known.warm:
        return "its process does not answer"
    if orders.strategy == "shadow":
        return "it stays in shadow until somebody promotes it"
    if known.lacking is not None and not known.alone:
        unasked = "the degree is human_only: no model is asked, so that nothing can be compared"
        return known.lacking if known.asked else unasked
    if _last_step(candidate) and not orders.promote:
        return "the assignment leaves the promotion to a person"
    return None if known.prepared else "the process that is to decide parts is starting"


def may_decide(candidate: Probation, known: Known) -> bool:
    """Whether only time and parts keep it from deciding: its process had better be there."""
    cuts = candidate.calibration is not None or not known.needs_cuts
    return candidate.state in ("shadow", "canary") and cuts and not known.unconfirmed


def _fault(candidate: Probation, known: Known) -> Fault | None:
    if candidate.state == "active":
        return known.fell or known.broken
    if candidate.state in BESIDE:
        return known.fault or known.broken
    return known.fault if candidate.state == "proved" else None


def _trial(candidate: Probation, known: Known) -> Next | None:
    if candidate.trial is not None and known.decided >= candidate.trial:
        return Next("settle", changes={"trial": None})
    return None


def _last_step(candidate: Probation) -> bool:
    if candidate.orders.strategy == "blue-green":
        return True
    return candidate.state == "canary" and candidate.step + 1 >= len(candidate.orders.steps)


def _further(candidate: Probation, known: Known, trial: int) -> Next | None:
    if candidate.state not in ("shadow", "canary"):
        return None
    if _last_step(candidate):
        return Next("promote", changes={"trial": trial, "base": known.parts})
    step = candidate.step + 1 if candidate.state == "canary" else 0
    return Next("share", changes={"step": step, "base": known.parts})
