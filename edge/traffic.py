"""The station's recent parts and answers, read from its records."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from edge.decision.challenge import TAG
from edge.monitor.traffic import Seen, Traffic, consequence
from edge.records import Decision, Degree
from edge.store.archive import Archive

if TYPE_CHECKING:
    from edge.config import Config

PARTS = 5000
"""How many of the newest parts say what the next ones will be like."""
TROUBLES = ("doubt", "fault", "late", "overrun")
HIDDEN = ("shadow", "human_only")
"""Degrees in which the person does not see what the model says."""


def traffic(archive: Archive, parts: int = PARTS) -> Traffic:
    """The newest parts, challenge parts left out."""
    records = (json.loads(row.body) for row in archive.newest(parts))
    return Traffic.of(_seen(record) for record in records if TAG not in record["tags"])


def foreseen(archive: Archive, config: Config, degree: Degree) -> str:
    """What this degree would mean for people and parts, if the next parts are like the newest."""
    escalation = config.escalation
    seen = traffic(archive)
    return consequence(seen, degree, escalation.answers_per_hour, escalation.fallback)


def blind_answers(
    archive: Archive, verdicts: Iterable[tuple[str, str]]
) -> Iterator[tuple[Decision, str]]:
    """(what *partial* would have decided, what the person said) of every part that was asked about
    without showing the model's answer and whatever its score. `verdicts` are (inspection, verdict).
    """
    for inspection, verdict in verdicts:
        for row in archive.find(inspection):
            record = json.loads(row.body)
            if record["automation"] in HIDDEN and record["would_be"] is not None:
                yield record["would_be"], verdict


def _seen(record: dict[str, Any]) -> Seen:
    at = datetime.fromisoformat(record["captured_at"].replace("Z", "+00:00")).timestamp()
    return Seen(record["would_be"], record["reason"] in TROUBLES, at)
