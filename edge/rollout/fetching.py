"""How far the file of a candidate is, by what sync says. Pure."""

from __future__ import annotations

from edge.rollout.course import Next
from edge.rollout.inbox import Arrived
from edge.rollout.probation import Probation


def fetching(candidate: Probation, arrived: Arrived | None) -> Next | None:
    """What that means for a candidate whose file is not here, or is only now; None while it is on
    its way. One that was here, and is not any more, is fetched anew."""
    if arrived is None:
        return None
    if arrived.assignment.bundle.digest != candidate.digest:
        return Next("supersede", "superseded", "the fleet speaks of another bundle now")
    if arrived.state == "refused":
        return Next("fail", arrived.code or "unusable", arrived.why)
    if arrived.state == "verified" and candidate.state != "verified":
        return Next("arrive")
    if arrived.state == "downloading" and candidate.state == "assigned":
        return Next("download")
    return None
