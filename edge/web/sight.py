"""What somebody may see of an inspection, so that nothing leads an answer. Pure.

While a person is asked about a part, everybody may answer, so nobody sees more of it here than in
the queue. Afterwards, operators still do not see what the model said where the degree hides it, nor
which parts were drawn for a check and not answered, nor which were challenge parts: these may be
shown to them again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from edge.access.person import ROLES, Machine, Person
from edge.decision.challenge import TAG
from edge.review.verdict import drawn, shows_answer
from edge.traffic import HIDDEN

Sight = Literal["all", "fate", "picture"]
"""`fate`: what was decided and became of the part, without the model's answer. `picture`: the
picture, the part's number and the time, nothing else."""
MODEL = ("score", "label", "scores", "would_be", "cuts", "calibration", "model", "runtime")
KNOWN = ("schema", "id", "station", "part_id", "captured_at", "image", "asked")
TRUTH = ("truth", "tags", "spot_check")
"""What was known beforehand about a part, or drawn: leads and engineers only."""


def sight(record: Mapping[str, Any], who: Person | Machine, asked: bool, answered: bool) -> Sight:
    """What `who` may see of this inspection.

    `asked`: a person is being asked about it now. `answered`: somebody has given an answer. Raises
    KeyError, TypeError where the record is damaged.
    """
    challenge = TAG in (record["tags"] or {})
    if asked:
        alone = challenge or drawn(record) or record["decision"] != "escalate"
        return "picture" if alone else "all" if shows_answer(record) else "fate"
    if leads(who):
        return "all"
    if challenge or (drawn(record) and not answered):
        return "picture"
    return "fate" if record["automation"] in HIDDEN else "all"


def leads(who: Person | Machine) -> bool:
    """Whether this is somebody who may see the model's answers once nobody is asked any more."""
    return isinstance(who, Machine) or ROLES.index(who.role) >= ROLES.index("lead")


def seen(record: Mapping[str, Any], allowed: Sight, lead: bool) -> dict[str, Any]:
    """The members of the record that may be seen; the others are not there."""
    if allowed == "picture":
        return {name: record[name] for name in KNOWN if name in record}
    hidden = (*(MODEL if allowed == "fate" else ()), *(() if lead else TRUTH))
    return {name: value for name, value in record.items() if name not in hidden}
