"""The pages of the history: searching the inspections, and one of them in full."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from edge.access.person import Person
from edge.records import utc
from edge.review.refusal import Refused
from edge.telling import say
from edge.web import history
from edge.web.api.inspections import DECISIONS, VERDICTS, search, wanted_of
from edge.web.call import Call
from edge.web.formats import Formats
from edge.web.pages.line import formats
from edge.web.pages_env import words_of
from edge.web.pictures import NoPicture
from edge.web.rule import Rule
from edge.web.told import Told, told

FIELDS = ("since", "until", "part", "decision", "verdict", "score_min", "score_max")
EVER = datetime(1971, 1, 1, tzinfo=timezone.utc)


def page(call: Call) -> Response:
    """The form, and what was found; without filters the newest inspections."""
    given = {name: call.request.query_params.get(name, "").strip() for name in FIELDS}
    cursor, f = call.request.query_params.get("cursor"), formats(call)
    found, wrong, status = history.Found(), None, 200
    try:
        found = search(call, wanted_of(_in_utc(given, f)), cursor, history.LIMIT)
    except Refused as refused:
        wrong, status = refused.facts.get("field", "other"), refused.status
    return call.shop.pages.page(
        call,
        "history.html",
        status,
        f=f,
        given=given,
        filtered=any(given.values()),
        found=found,
        further=_further(given, found),
        start=None if cursor is None else f"/history?{urlencode(_said(given))}",
        wrong=wrong,
        decisions=DECISIONS,
        verdicts=VERDICTS,
        full=len(found.items) >= history.LIMIT,
    )


def one(call: Call) -> Response:
    """One inspection in full."""
    found, words = told(call, call.path("id")), words_of(call)
    return call.shop.pages.page(
        call,
        "inspection.html",
        page="history",
        f=formats(call),
        told=found,
        item=found.item,
        story=[say(words, phrase) for phrase in found.phrases],
        names={name: _name(call, name) for name in _persons(found)},
        frame=_frame(call, found),
        roi=call.shop.config.camera.roi,
        look=_look(call, found),
        may_correct=_may_correct(call, found),
        types=call.shop.types,
        answers=sorted([*found.verdicts, *found.corrections], key=lambda one: str(one["at"])),
        members=_members(found.inspection),
    )


def _in_utc(given: Mapping[str, str], f: Formats) -> dict[str, str]:
    """Times of the form are the station's; the search wants UTC. Raises Refused("nonsense")."""
    times = {name: _utc(given[name], name, f) for name in ("since", "until") if given[name]}
    return {**given, **times}


def _utc(text: str, name: str, f: Formats) -> str:
    try:
        local = datetime.fromisoformat(re.sub("Z$", "+00:00", text))
        if local.tzinfo is None:
            local = local.replace(tzinfo=f.zone)
        return utc(max(local, EVER).timestamp())
    except (ValueError, OverflowError):
        raise Refused("nonsense", f"{name}: no such time", {"field": name}) from None


def _said(given: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in given.items() if value}


def _further(given: Mapping[str, str], found: history.Found) -> str | None:
    if found.reached is None or found.trouble is not None:
        return None
    return "/history?" + urlencode({**_said(given), "cursor": history.cursor(found.reached)})


def _persons(found: Told) -> set[str]:
    every = [*found.verdicts, *found.corrections]
    return {str(one["by"]) for one in every if one.get("by") is not None}


def _name(call: Call, name: str) -> str:
    """The person's name, the machine's, or the opaque id where nobody is called so any more."""
    person = call.shop.people.by_id(name)
    if person is not None and person.name:
        return person.name
    machine = call.shop.machines.by_id(name)
    return name if machine is None else machine.name


def _frame(call: Call, found: Told) -> tuple[int, int] | None:
    """Width and height of the whole picture; None where it is gone."""
    image = found.inspection["image"]
    if image is None:
        return None
    try:
        shown = call.shop.pictures.get(found.inspection["id"], image["sha256"], "screen")
    except NoPicture:
        return None
    return shown.width, shown.height


def _look(call: Call, found: Told) -> str | None:
    """Where the overlay is; none for whoever may not see what the model said."""
    record = found.inspection
    there = record["image"] is not None and record.get("model") is not None
    if found.sight != "all" or not there or not call.shop.config.web.look:
        return None
    return f"/api/v1/looks/{record['id']}"


def _may_correct(call: Call, found: Told) -> bool:
    if found.sight == "picture" or found.state == "waiting" or not isinstance(call.who, Person):
        return False
    said = found.item["verdict"]
    return call.who.may("correct") or (said is not None and bool(said["mine"]))


def _members(record: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The rest of the record, for whoever wants every member."""
    return [(name, _plain(value)) for name, value in sorted(record.items())]


def _plain(value: object) -> str:
    import json

    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


RULES = (
    Rule("GET", "/history", page, "look"),
    Rule("GET", "/history/{id}", one, "look"),
)
