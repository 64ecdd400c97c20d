"""`/api/v1/inspections`: searching what was inspected, and one inspection in full."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Mapping
from typing import Any

from starlette.responses import JSONResponse, Response

from edge.records import utc
from edge.review.refusal import Refused
from edge.store.search import NEWEST, OLDEST
from edge.web import history
from edge.web.call import Call
from edge.web.rule import Rule
from edge.web.told import told
from edge.web.views import Views

_TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?Z$")
DECISIONS = ("accept", "reject", "escalate")
VERDICTS = (*history.ANSWERED, history.UNANSWERED)
LONGEST_PART = 200


def listing(call: Call) -> Response:
    """A page of inspections, newest first. Raises Refused("nonsense")."""
    query = call.request.query_params
    wanted = wanted_of(query)
    limit = min(history.MOST_LIMIT, max(1, int(_number(query, "limit") or history.LIMIT)))
    found = search(call, wanted, query.get("cursor"), limit)
    return JSONResponse(
        {
            "items": [_with_urls(item) for item in found.items],
            "next": None if found.reached is None else history.cursor(found.reached),
            "searched_to": None if found.reached is None else found.reached.at,
            "damaged": found.damaged,
            "trouble": found.trouble,
        }
    )


def one(call: Call) -> Response:
    """Everything about one inspection that may be seen. Raises Refused("unknown")."""
    return JSONResponse(told(call, call.path("id")).as_json())


def state(call: Call) -> Response:
    """Where the case of an inspection stands. Raises Refused("unknown")."""
    assert call.who is not None
    return JSONResponse(call.shop.answers.state(call.path("id"), call.who.id))


def search(call: Call, wanted: history.Wanted, cursor: str | None, limit: int) -> history.Found:
    """The inspections that are wanted and that this person may see. Raises Refused."""
    assert call.who is not None
    try:
        behind = history.place_of(cursor) if cursor else None
    except ValueError as error:
        raise Refused("nonsense", str(error)) from None
    with call.shop.reading() as line, call.shop.answered() as queue:
        views = Views(call.who, line, call.shop.answers)
        return history.find(line, queue, wanted, behind, limit, views.item, time.monotonic)


def wanted_of(query: Mapping[str, str]) -> history.Wanted:
    """What is asked for. Raises Refused("nonsense") with the name of what is wrong."""
    part = query.get("part", "").strip() or None
    if part is not None and len(part) > LONGEST_PART:
        raise Refused("nonsense", "part: too long", {"field": "part"})
    return history.Wanted(
        since=_time(query, "since") or OLDEST,
        until=_time(query, "until") or NEWEST,
        part=part,
        decision=_word(query, "decision", DECISIONS),
        verdict=_word(query, "verdict", VERDICTS),
        score_min=_number(query, "score_min"),
        score_max=_number(query, "score_max"),
    )


def _with_urls(item: dict[str, Any]) -> dict[str, Any]:
    picture = item["picture"]
    url = None if picture is None else f"/api/v1/pictures/{item['inspection']}/{picture}"
    return {**item, "picture_url": url}


def _word(query: Mapping[str, str], name: str, allowed: tuple[str, ...]) -> str | None:
    word = query.get(name, "")
    if word and word not in allowed:
        raise Refused("nonsense", f"{name}: one of {', '.join(allowed)}", {"field": name})
    return word or None


def _number(query: Mapping[str, str], name: str) -> float | None:
    text = query.get(name, "").strip().replace(",", ".")
    if not text:
        return None
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise Refused("nonsense", f"{name}: a number is expected", {"field": name})
    return number


def _time(query: Mapping[str, str], name: str) -> str | None:
    """A UTC time as records write it."""
    text = query.get(name, "").strip()
    if not text:
        return None
    if _TIME.match(text):
        try:
            return utc(_seconds(text))
        except ValueError:
            pass
    raise Refused("nonsense", f"{name}: expected 2026-11-20T12:00:00Z", {"field": name})


def _seconds(text: str) -> float:
    from datetime import datetime

    return datetime.fromisoformat(_padded(text[:-1]) + "+00:00").timestamp()


def _padded(text: str) -> str:
    """With milliseconds as Python 3.10 reads them: three digits or none."""
    whole, dot, part = text.partition(".")
    return f"{whole}.{part:0<3}" if dot else whole


RULES = (
    Rule("GET", "/api/v1/inspections", listing, "look", machines=True),
    Rule("GET", "/api/v1/inspections/{id}", one, "look", machines=True),
    Rule("GET", "/api/v1/inspections/{id}/state", state, "look", machines=True),
)
