"""One inspection in full, as far as somebody may see it: record, fate, answers, and in words."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from edge.recovery.history import History
from edge.review.refusal import Refused
from edge.store import answers
from edge.store.archive import Archive, Story
from edge.store.rows import Row
from edge.telling import MODEL, Phrase, phrases
from edge.web.call import Call
from edge.web.sight import Sight, seen
from edge.web.views import Views

KNOWN_ONLY = ("story.who", "story.picture", "story.no_picture")
BEFOREHAND = ("story.truth",)


@dataclass(frozen=True, slots=True)
class Told:
    """What `who` may see. `inspection` lacks the members that they may not; `phrases` is the story
    in words; `state` is that of the case, `none` where no person was ever asked."""

    inspection: Mapping[str, Any]
    disposition: Mapping[str, Any] | None
    verdicts: Sequence[Mapping[str, Any]]
    corrections: Sequence[Mapping[str, Any]]
    state: str
    sight: Sight
    seq: int
    hash: str
    previous_hash: str | None
    phrases: Sequence[Phrase]
    item: Mapping[str, Any]

    def as_json(self) -> dict[str, Any]:
        """As the API says it."""
        return {
            "inspection": dict(self.inspection),
            "disposition": self.disposition,
            "verdicts": list(self.verdicts),
            "corrections": list(self.corrections),
            "state": self.state,
            "hidden": self.sight != "all",
            "seq": self.seq,
            "hash": self.hash,
            "previous_hash": self.previous_hash,
        }


def told(call: Call, name: str) -> Told:
    """The inspection with this id. Raises Refused: unknown, not_now (it cannot be read)."""
    assert call.who is not None
    with call.shop.reading() as line, call.shop.answered() as queue:
        try:
            story = line.story(name)
            if story is None:
                raise Refused("unknown", "there is no such inspection")
            found = _told(Views(call.who, line, call.shop.answers), line, queue, story, call)
        except (sqlite3.Error, ValueError, KeyError, TypeError, RecursionError) as error:
            raise Refused("not_now", f"this record cannot be read: {error!r}") from error
    if found.sight == "all":
        call.shop.answers.saw(call.who.id, name)
    return found


def _told(views: Views, line: History, queue: Archive, story: Story, call: Call) -> Told:
    record = json.loads(story.inspection.body)
    name = record["id"]
    said = answers.latest(queue, [name]).get(name)
    asked = views.asked(name)
    allowed = views.allowed(record, asked, said)
    tells = allowed != "picture"
    about = answers.about(queue, name, record["captured_at"]) if tells else []
    fate = _content(story.disposition) if tells else None
    return Told(
        inspection=seen(record, allowed, views.lead and not asked),
        disposition=fate,
        verdicts=[_by(views, one) for one in about if one["schema"] == "verdict/1"],
        corrections=[_by(views, one) for one in about if one["schema"] == "correction/1"],
        state=_state(asked, said, fate) if tells else "none",
        sight=allowed,
        seq=story.inspection.seq,
        hash=story.inspection.hash,
        previous_hash=line.holding(story.inspection).previous_hash(story.inspection.seq),
        phrases=list(_phrases(story, call, allowed, views.lead and not asked)),
        item=views.listed(record, fate, said),
    )


def _phrases(story: Story, call: Call, allowed: Sight, lead: bool) -> Sequence[Phrase]:
    every = phrases(story, ZoneInfo(call.shop.config.station.time_zone))
    if allowed == "picture":
        return [one for one in every if one.key in KNOWN_ONLY]
    hidden = (*(MODEL if allowed == "fate" else ()), *(() if lead else BEFOREHAND))
    return [one for one in every if one.key not in hidden]


def _state(asked: bool, said: Mapping[str, Any] | None, fate: Mapping[str, Any] | None) -> str:
    if asked:
        return "waiting"
    if fate is not None:
        return "decided"
    return "answered" if said is not None and said.get("verdict") else "none"


def _by(views: Views, record: Mapping[str, Any]) -> dict[str, Any]:
    """An answer, with who gave it only where that is for them to know."""
    mine = record.get("by") == views.who.id
    return {**record, "by": views.name_of(record.get("by")), "account": None, "mine": mine}


def _content(row: Row | None) -> dict[str, Any] | None:
    return None if row is None else dict(json.loads(row.body))
