"""From what line.db and queue.db hold to cases and answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from edge.log import log
from edge.review.case import Case, Kind, case_of
from edge.review.questions import OPEN_CHECKS
from edge.review.standing import Given
from edge.web.line_reader import Record

NONSENSE = (ValueError, KeyError, TypeError, RecursionError)
"""What one damaged record may raise: it costs itself, and nothing that comes after it."""


def cases_of(
    record: Record, kind: Kind, deadline_ns: int | None, allowed_s: float | None
) -> list[tuple[Case, float]]:
    """The case of an inspection and since when it waits; nothing where the record is damaged."""
    try:
        return [(case_of(record, kind, deadline_ns, allowed_s), _wall(record))]
    except NONSENSE as error:
        say_nonsense(record, error)
        return []


def given_of(said: Mapping[str, Any] | None, case: Case) -> Given | None:
    """The last answer, where it means that nobody need be asked. Raises NONSENSE."""
    if said is None or said["verdict"] is None:
        return None
    hold = bool(said.get("hold"))
    if said["verdict"] == "unsure" and not hold and case.kind == "escalation":
        return None
    final = case.alone or case.kind != "escalation"  # the model's answer was shown since
    return Given(said["id"], said["by"], said["verdict"], hold, said["at"], final=final)


def checks_of(kept: str | None) -> list[str]:
    """The spot checks that wait, oldest first, as the line keeps them."""
    try:
        return [str(name) for name in json.loads(kept or "[]")]
    except NONSENSE as error:
        log.error("web.nonsense", state=OPEN_CHECKS, error=repr(error))
        return []


def say_nonsense(record: Record, error: BaseException) -> None:
    """Into the log."""
    log.error("web.nonsense", inspection=record.get("id"), error=repr(error))


def _wall(record: Record) -> float:
    """When the picture was taken, in seconds since 1970. Raises KeyError, TypeError, ValueError."""
    return datetime.fromisoformat(str(record["captured_at"]).replace("Z", "+00:00")).timestamp()
