"""`GET /api/v1/looks/{inspection}`: where the model looked, as an overlay for the picture."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from starlette.responses import Response

from edge.review.case import Case, case_of
from edge.review.refusal import Refused
from edge.review.verdicts import latest
from edge.web.call import Call
from edge.web.looking import Look
from edge.web.looks import Pending
from edge.web.rule import Rule
from edge.web.views import Views

RETRY_S = 1


def look(call: Call) -> Response:
    """200 with a PNG, 202 while it is worked out.

    Raises Refused("unknown") where there is none, or none to be seen by this person now.
    """
    name, looks = call.path("inspection"), call.shop.looks
    case, view = _visible(call, name)
    if not looks.fits(view):
        raise Refused("unknown", "there is no look at this part", {"why": "another_view"})
    looks.want(case, view, may_see=True)
    found = looks.get(name)
    if isinstance(found, Pending):
        return Response(status_code=202, headers={"retry-after": str(RETRY_S)})
    about = looks.about(name)
    if found is None or not isinstance(about, Look):
        raise Refused("unknown", "there is no look at this part", {"why": about or "later"})
    return Response(found, media_type="image/png", headers=_facts(about))


def _visible(call: Call, name: str) -> tuple[Case, str | None]:
    """The case and the view of the inspection's record. Raises Refused("unknown")."""
    assert call.who is not None
    with call.shop.reading() as line, call.shop.answered() as queue:
        record = _record(line.find(name), name)
        if record is not None:
            views = Views(call.who, line, call.shop.answers)
            try:
                asked = views.asked(name)
                if views.allowed(record, asked, latest(queue, name)) == "all":
                    return case_of(record, "escalation"), record["view"]
            except (KeyError, TypeError, ValueError, sqlite3.Error):
                pass  # a damaged record shows nothing
            raise _unknown()
    case = call.shop.answers.case(name)
    if case is None or not case.shows:
        raise _unknown()
    return case, None


def _record(rows: list[Any], name: str) -> dict[str, Any] | None:
    for row in rows:
        try:
            content = json.loads(row.body)
        except ValueError:
            continue
        if isinstance(content, dict) and content.get("id") == name:
            return content
    return None


def _unknown() -> Refused:
    return Refused("unknown", "there is no look at this part")


def _facts(found: Look) -> dict[str, str]:
    """For programs: how much the score moved, and whether the stored picture scores the same."""
    return {
        "x-look-score": f"{found.score:.6f}",
        "x-look-recorded": "" if found.recorded is None else f"{found.recorded:.6f}",
        "x-look-lowered": f"{found.lowered:.6f}",
        "x-look-raised": f"{found.raised:.6f}",
        "x-look-flat": "1" if found.flat else "0",
        "x-look-covered": f"{found.covered}/{found.of}",
    }


RULES = (Rule("GET", "/api/v1/looks/{inspection}", look, "look", machines=True, quiet=True),)
