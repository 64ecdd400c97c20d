"""Reading queue.db: what persons said about one part, and since when. Read-only, bounded."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from edge.store.archive import Archive

LATEST = "verdict."
"""Key of the queue's state: the last answer about the inspection that follows."""
MOST = 50_000
"""Records that are looked through for one part, from its own time on."""
AT_ONCE = 500
ABOUT = {"verdict/1": "id", "correction/1": "correction"}
"""Kinds of records about a part, and where the state of the last answer names them."""
_AT = re.compile(rb'"at":"([^"]{20,30})"')


def latest(queue: Archive, inspections: Iterable[str]) -> dict[str, Mapping[str, Any]]:
    """The last answers about these inspections, by inspection; those without one are not there.

    `verdict` is None in one that was taken back.
    """
    names = [LATEST + name for name in inspections]
    found: dict[str, Mapping[str, Any]] = {}
    with queue.reading() as database:
        if database is None:
            return found
        for first in range(0, len(names), AT_ONCE):
            some = names[first : first + AT_ONCE]
            marks = ",".join("?" * len(some))
            rows = database.execute(f"SELECT key, value FROM state WHERE key IN ({marks})", some)
            for key, value in rows:
                said = _object(value)
                if said is not None:
                    found[key[len(LATEST) :]] = said
    return found


def about(queue: Archive, inspection: str, since: str) -> list[dict[str, Any]]:
    """The answers and corrections about an inspection of the time `since`, in order.

    Looks through MOST records from that time on; the last answer is always among them.
    """
    first = after(queue, since)
    with queue.reading() as database:
        if database is None:
            return []
        rows = database.execute(
            "SELECT body FROM records WHERE seq > ? AND seq <= ? AND instr(body, ?) ORDER BY seq",
            (first, first + MOST, inspection.encode()),
        ).fetchall()
        read = [record for (body,) in rows if (record := _object(body)) is not None]
        found = [one for one in read if _is_about(one, inspection)]
        last = latest(queue, [inspection]).get(inspection, {})
        known = {one.get("id") for one in found}
        for kind, key in ABOUT.items():
            name = last.get(key)
            row = None if name is None or name in known else queue.record(kind, str(name))
            told = None if row is None else _object(row.body)
            found += [] if told is None else [told]
    return found


def after(queue: Archive, since: str) -> int:
    """The seq behind which the records are of the time `since` or later; where the clock was
    set back in between, approximately."""
    with queue.reading() as database:
        if database is None:
            return 0
        low, high = queue.anchor.seq, queue.head()[0]
        while low < high:
            middle = (low + high + 1) // 2
            row = database.execute(
                "SELECT body FROM records WHERE seq >= ? ORDER BY seq LIMIT 1", (middle,)
            ).fetchone()
            at = None if row is None else _AT.search(bytes(row[0]))
            if at is not None and at[1].decode(errors="replace") < since:
                low = middle
            else:
                high = middle - 1
        return low


def _is_about(record: Mapping[str, Any], inspection: str) -> bool:
    return record.get("schema") in ABOUT and record.get("inspection") == inspection


def _object(text: Any) -> dict[str, Any] | None:
    try:
        found = json.loads(text)
    except (ValueError, TypeError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
