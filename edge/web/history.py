"""Searching the inspections: every filter combined, a bounded time for each request.

A filter sees only what the person may see: nobody finds out by searching what is hidden from them.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from edge.recovery.history import History
from edge.store import answers, search
from edge.store.archive import Archive
from edge.store.search import Hit, Piece, Place

BUDGET_S = 0.06
"""After this long a search says how far it came."""
AT_ONCE = 300
LIMIT, MOST_LIMIT = 30, 100
_SCORE = re.compile(rb'"score":(-?[0-9][-+.0-9eE]*|null)')
_CURSOR = re.compile(r"^([0-9T:.Z-]{0,30})~([0-9]{1,19})$")
UNANSWERED = "none"
ANSWERED = ("accept", "reject", "unsure")

View = Callable[[Mapping[str, Any], Mapping[str, Any] | None], dict[str, Any]]
"""What may be seen of an inspection, given its record and the last answer about it."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for. Times are UTC as records write them, `until` is not included.

    `part` is a part's id, an inspection's id, or has `*` for any letters. `verdict` is the last
    answer: accept, reject, unsure, or `none`. Scores are included at both ends.
    """

    since: str = search.OLDEST
    until: str = search.NEWEST
    part: str | None = None
    decision: str | None = None
    verdict: str | None = None
    score_min: float | None = None
    score_max: float | None = None

    @property
    def by_score(self) -> bool:
        """Whether a score is asked for."""
        return self.score_min is not None or self.score_max is not None

    @property
    def exact_part(self) -> bool:
        """Whether one part or inspection is asked for by its whole name."""
        return self.part is not None and "*" not in self.part

    def scored(self, score: object) -> bool:
        """Whether this score is asked for; without a limit, also none at all."""
        if not self.by_score:
            return True
        if not isinstance(score, int | float):
            return False
        low = -1.0 if self.score_min is None else self.score_min
        return low <= score <= (2.0 if self.score_max is None else self.score_max)


@dataclass(slots=True)
class Found:
    """What was found, newest first. `reached` is the place down to which all was looked at; None:
    there is nothing further back. `damaged` rows could not be read; `trouble` ended the search."""

    items: list[dict[str, Any]] = field(default_factory=list)
    reached: Place | None = None
    damaged: int = 0
    trouble: str | None = None


def find(
    line: History,
    queue: Archive,
    wanted: Wanted,
    behind: Place | None,
    limit: int,
    view: View,
    now: Callable[[], float],
) -> Found:
    """The next inspections that are wanted, behind a place, at most `limit`.

    Ends after BUDGET_S and the piece that was begun, whatever was found by then.
    """
    place = min(behind or Place(), Place(wanted.until, 0))
    found, end, pattern = Found(reached=place), now() + BUDGET_S, _pattern(wanted)
    while found.reached is not None and len(found.items) < limit:
        try:
            piece = _piece(line, wanted, found.reached, limit - len(found.items))
            fitting = [hit for hit in piece.hits if _may_fit(hit, wanted, pattern)]
            last = answers.latest(queue, [hit.subject for hit in fitting])
        except sqlite3.Error as error:
            found.trouble = str(error)
            break
        found.reached = piece.reached
        _take(found, fitting, wanted, last, limit, view)
        if now() > end:
            break
    return found


def cursor(place: Place) -> str:
    """A place as text for a link."""
    return f"{place.at}~{place.seq}"


def place_of(text: str) -> Place:
    """The place of a cursor. Raises ValueError."""
    found = _CURSOR.match(text)
    if found is None:
        raise ValueError("no such place")
    return Place(found[1], int(found[2]))


def _piece(line: History, wanted: Wanted, place: Place, room: int) -> Piece:
    if wanted.exact_part:
        return _of_part(line, str(wanted.part), wanted.since, place, room)
    plain = wanted.part is None and wanted.verdict is None and not wanted.by_score
    return search.newest_first(
        line, place, wanted.since, room if plain else AT_ONCE, wanted.decision
    )


def _of_part(line: History, part: str, since: str, place: Place, room: int) -> Piece:
    """From all epochs; the ones before this are found by part or id only."""
    hits: list[Hit] = []
    for archive in (line, *line.earlier):
        hits += search.of_part(archive, part, place, room).hits
        hits += [hit for hit in search.of_id(archive, part) if hit.place < place]
    hits = [hit for hit in sorted(hits, reverse=True) if hit.place.at >= since][:room]
    return Piece(tuple(hits), hits[-1].place if len(hits) == room else None)


def _take(
    found: Found,
    hits: Sequence[Hit],
    wanted: Wanted,
    last: Mapping[str, Mapping[str, Any]],
    limit: int,
    view: View,
) -> None:
    for hit in hits:
        said = last.get(hit.subject)
        if wanted.verdict in ANSWERED and said is None:
            continue
        try:
            item = view(json.loads(hit.row.body), said)
        except (ValueError, KeyError, TypeError, RecursionError):
            found.damaged += 1
            continue
        if _fits(item, wanted):
            found.items.append(item)
        if len(found.items) == limit and hit is not hits[-1]:
            found.reached = hit.place
            return


def _pattern(wanted: Wanted) -> re.Pattern[str] | None:
    if wanted.part is None or wanted.exact_part:
        return None
    return re.compile(".*".join(map(re.escape, wanted.part.split("*"))), re.DOTALL)


def _may_fit(hit: Hit, wanted: Wanted, pattern: re.Pattern[str] | None) -> bool:
    """A cheap look, before the record is read."""
    if pattern is not None and not pattern.fullmatch(hit.part_id or ""):
        return False
    if not wanted.by_score:
        return True
    score = _SCORE.search(hit.row.body)
    return score is None or wanted.scored(None if score[1] == b"null" else float(score[1]))


def _fits(item: Mapping[str, Any], wanted: Wanted) -> bool:
    said = (item["verdict"] or {}).get("verdict") or UNANSWERED
    return (
        wanted.decision in (None, item["decision"])
        and wanted.verdict in (None, said)
        and wanted.scored(item["score"])
    )
