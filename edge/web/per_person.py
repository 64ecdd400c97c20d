"""Answers of each person today, where a lead has switched that on. Counted anew each time."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from edge.records import utc
from edge.store import answers

if TYPE_CHECKING:
    from edge.store.archive import Archive
    from edge.web.call import Call

PAGE, BYTES = 500, 1 << 20
MOST = 20_000
"""Records that are looked at: the answers of a day, many times over."""


def per_person(call: Call) -> list[dict[str, Any]] | None:
    """`name`, `accept`, `reject`, `unsure`, `corrections`, `total` of each, most answers first.

    Since midnight, or since it was switched on if that was later. None where it is off.
    """
    since = call.shop.people.person_figures_since
    if since is None:
        return None
    midnight = utc(call.shop.figures.span(call.shop.clock.wall(), "day").begin)
    with call.shop.answered() as queue:
        try:
            counted = count(queue, max(since, midnight))
        except sqlite3.Error:
            counted = {}
    rows = [{"name": _name(call, by), **counts} for by, counts in counted.items()]
    return sorted(rows, key=lambda row: (-row["total"], str(row["name"])))


def count(queue: Archive, since: str) -> Mapping[str, Mapping[str, int]]:
    """Answers and corrections since then, by the opaque id of who gave them."""
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    seq, looked = answers.after(queue, since), 0
    while looked < MOST and (rows := queue.rows(seq, PAGE, BYTES)):
        for row in rows:
            _note(found, row.body, since)
        seq, looked = rows[-1].seq, looked + len(rows)
    return {by: {name: counts[name] for name in NAMES} for by, counts in found.items()}


NAMES = ("accept", "reject", "unsure", "corrections", "total")


def _note(found: defaultdict[str, Counter[str]], body: bytes, since: str) -> None:
    try:
        record = json.loads(body)
        kind, by, at = record["schema"], record["by"], record["at"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return
    if not isinstance(by, str) or not by.startswith("p-") or at < since:
        return
    if kind == "verdict/1":
        found[by].update((str(record.get("verdict")), "total"))
    elif kind == "correction/1":
        found[by].update(("corrections",))


def _name(call: Call, by: str) -> str:
    person = call.shop.people.by_id(by)
    return by if person is None or not person.name else person.name
