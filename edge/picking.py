"""Which of the kept pictures follow their records to the collector. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, get_args

from edge.decision.challenge import TAG
from edge.records import Decision
from edge.store.images import ImagePolicy, wanted
from edge.store.rows import INSPECTION

NEVER_DRAWN = 1.0
DECISIONS: tuple[Any, ...] = get_args(Decision)


def with_picture(content: Mapping[str, Any]) -> bool:
    """Whether this record is an inspection whose picture was kept."""
    return content.get("schema") == INSPECTION and isinstance(content.get("image"), Mapping)


def is_escalated(content: Mapping[str, Any]) -> bool:
    """Whether a person was asked about the part, or should have been."""
    return content.get("decision") == "escalate" or content.get("asked") is True


def in_sample(content: Mapping[str, Any], policy: ImagePolicy) -> bool:
    """Whether this kept picture belongs to the random sample of all parts.

    Every part is in it with the same probability, the policy's random share, whatever was decided:
    a picture that only the word `random` kept was drawn when it was kept; one that was kept for its
    decision is drawn now, by the SHA-256 of the inspection's id. Challenge parts are no sample of
    anything.
    """
    tags: Any = content.get("tags")
    decision: Any = content.get("decision")
    if (isinstance(tags, Mapping) and TAG in tags) or decision not in DECISIONS:
        return False
    if wanted(policy, decision, content.get("asked") is True, NEVER_DRAWN):
        return draw(str(content.get("id"))) < policy.random_share
    return policy.random_share > 0


def draw(inspection: str) -> float:
    """A number in 0 to below 1, the same every time for one id, as good as random over many."""
    return int.from_bytes(hashlib.sha256(inspection.encode()).digest()[:6], "big") / (1 << 48)
