"""With which probability a person was asked about a part. Pure; docs/export.md has the formula."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from edge.decision.challenge import TAG
from edge.inspection import PILOT

Ask = Literal["all", "sample"]


def asked_probability(inspection: Mapping[str, Any], ask: Ask | None) -> float | None:
    """The probability that was fixed for this part once its decision was known, 0..1.

    1 for an escalation in a degree where all of them are asked; otherwise that of the draw, which
    was made before the score was known. `ask` is `decision.ask` of the configuration that the line
    ran by, None where nobody knows any more. None where it cannot be told, and for challenge parts,
    about which nobody is asked on the line.
    """
    if TAG in (inspection["tags"] or {}):
        return None
    drawn_with = _draw(inspection)
    if inspection["decision"] != "escalate":
        return drawn_with
    if inspection["automation"] not in PILOT:
        return 1.0
    if ask is not None:
        return 1.0 if ask == "all" else drawn_with
    # Asked without having been drawn: then all were.
    if inspection["asked"] and not _is_drawn(inspection):
        return 1.0
    return drawn_with if not inspection["asked"] else None


def _draw(inspection: Mapping[str, Any]) -> float:
    check = inspection["spot_check"]
    return 0.0 if check is None else float(check["p"])


def _is_drawn(inspection: Mapping[str, Any]) -> bool:
    check = inspection["spot_check"]
    return check is not None and check["drawn"] is True
