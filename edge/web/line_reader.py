"""Reading line.db as it grows: what is new, what waits, and backwards what was before."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from edge.recovery.history import History
from edge.store.escalations import Escalation
from edge.store.rows import Row

_ESCALATION = "inspection, seq, part_id, boot_id, deadline_ns, allowed_s"
MOST_BYTES = 4 << 20

Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class News:
    """Records in order of seq, and the escalations among them that are open at this moment.

    `through` is the seq of the last row, damaged ones included; `more` says that it was not all.
    """

    epoch: str | None
    through: int
    records: Sequence[Record] = ()
    waiting: Mapping[str, Escalation] = field(default_factory=dict)
    damaged: int = 0
    more: bool = False


class LineReader(History):
    """A reader that remembers nothing: whoever follows the line keeps the place."""

    def news(self, after_seq: int, most: int) -> News:
        """What comes behind `after_seq`, in one view of the database."""
        with self.reading() as database:
            if database is None:
                return News(None, 0)
            rows = self.rows(after_seq, most, MOST_BYTES)
            records, damaged = _records(rows)
            waiting = {}
            for record in records:
                if record.get("decision") == "escalate" and record.get("asked"):
                    name = str(record.get("id"))
                    query = f"SELECT {_ESCALATION} FROM escalations WHERE inspection = ?"
                    for row in database.execute(query, (name,)):
                        waiting[name] = Escalation(*row)
            through = rows[-1].seq if rows else after_seq
            more = bool(rows) and through < self.head()[0]
            return News(self.epoch, through, records, waiting, damaged, more)

    def inspection_of(self, name: str) -> list[Record]:
        """The record of one inspection, in whichever epoch it is; none where it is damaged."""
        return _records(self.find(name)[:1])[0]

    def still_open(self, waiting: Sequence[Escalation]) -> list[Escalation]:
        """Those of these that are open at this moment, with their deadlines as they are now."""
        with self.reading():
            found = [self.waiting(one.inspection) for one in waiting]
        return [one for one in found if one is not None]

    def records_of(self, waiting: Sequence[Escalation]) -> dict[str, Record]:
        """The inspections of open escalations, by id; those of an earlier epoch too. What is
        damaged is left out."""
        found: dict[str, Record] = {}
        with self.reading() as database:
            if database is None:
                return found
            for one in waiting:
                rows = [
                    Row.of(row)
                    for row in database.execute(
                        "SELECT seq, body, hash FROM records WHERE seq = ?", (one.seq,)
                    )
                ]
                read = [
                    record for record in _records(rows)[0] if record.get("id") == one.inspection
                ]
                # of an earlier epoch, or outlived the prefix that was deleted
                read = read or _records(self.find(one.inspection))[0]
                if read:
                    found[one.inspection] = read[0]
        return found


def _records(rows: Sequence[Row]) -> tuple[list[Record], int]:
    """The bodies that can be read, and how many cannot."""
    records: list[Record] = []
    for row in rows:
        try:
            body = json.loads(row.body)
        except (ValueError, RecursionError):
            continue
        if isinstance(body, dict):
            records.append(body)
    return records, len(rows) - len(records)
