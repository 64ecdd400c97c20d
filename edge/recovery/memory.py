"""What must be remembered when a database is given up: kept in memory, read from what is left."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from edge.records import Disposition, Inspection
from edge.recovery.forgotten import forgotten
from edge.recovery.pages import Pages, index_rows
from edge.store.batch import Committed
from edge.store.escalations import Deadline, Escalation
from edge.store.follow import connect_reader

CARRIED = "carried."
"""State key of a record of an earlier epoch that somebody still waits for, by its inspection."""
GUARD = "guard"
"""State key of the digest over what must not be forgotten."""
LATER = "rollout."
"""Keys that an earlier version did not write: they count as soon as they are there."""
LOOKED_AT = 10_000
"""Rows of the state that are looked at: the queue has one for each part that was answered."""
BEGINNING = 3
"""Rows by which a page is known: the pages of large indexes are left out."""
SCANNED = 65_536
"""Pages that are looked through when SQLite can read nothing: 256 MB, in half a second."""


def guard(state: Mapping[str, str], keys: Iterable[str]) -> str:
    """A digest of what the state says under these keys: a flipped bit of a key would otherwise
    make the line forget what a person has set, and nobody would notice."""
    counted = (key for key in sorted(keys) if key in state or not key.startswith(LATER))
    said = {key: state.get(key) for key in counted}
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


@dataclass(slots=True)
class Memory:
    """The state of a service, open escalations with their records, and requests that were applied.

    `bodies` holds `<hash> <body>` by inspection. `whole` is false when something of the state may
    be missing.
    """

    state: dict[str, str] = field(default_factory=dict)
    waiting: dict[str, Escalation] = field(default_factory=dict)
    bodies: dict[str, str] = field(default_factory=dict)
    requests: dict[str, int] = field(default_factory=dict)
    whole: bool = True

    def note(
        self,
        committed: Sequence[Committed],
        deadlines: Mapping[str, Deadline],
        state: Mapping[str, str],
        request_id: str | None,
        boot_id: str,
    ) -> None:
        """Remember what one transaction has changed."""
        self.state.update(state)
        if request_id is not None:
            self.requests[request_id] = committed[0].seq if committed else 0
        for done in committed:
            record = done.record
            if isinstance(record, Disposition):
                self.waiting.pop(record.inspection, None)
                self.bodies.pop(record.inspection, None)
            elif isinstance(record, Inspection) and (due := deadlines.get(record.id)):
                times = (boot_id, due.monotonic_ns, due.allowed_s)
                self.waiting[record.id] = Escalation(record.id, done.seq, record.part_id, *times)
                self.bodies[record.id] = f"{done.hash} {done.body.decode()}"

    def write(self, database: sqlite3.Connection) -> None:
        """Put it into a new database, inside the caller's transaction.

        Escalations get the number 0: their records are in another chain.
        """
        kept = {k: v for k, v in self.state.items() if not k.startswith(CARRIED)}
        earlier = {CARRIED + name: self._body(name) for name in self.waiting}
        kept |= {key: body for key, body in earlier.items() if body is not None}
        database.executemany("INSERT OR REPLACE INTO state VALUES (?, ?)", kept.items())
        database.executemany(
            "INSERT OR REPLACE INTO escalations VALUES (?, 0, ?, ?, ?, ?)",
            [(e.inspection, *astuple(e)[2:]) for e in self.waiting.values()],
        )
        database.executemany(
            "INSERT OR REPLACE INTO requests VALUES (?, 0)", [(name,) for name in self.requests]
        )

    def as_json(self) -> dict[str, object]:
        """For a file beside the damaged database."""
        return {
            "state": self.state,
            "waiting": [astuple(one) for one in self.waiting.values()],
            "bodies": self.bodies,
            "requests": self.requests,
            "whole": self.whole,
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Memory:
        """The same, read back. Raises ValueError, KeyError or TypeError for anything else."""
        waiting = [Escalation(*one) for one in content["waiting"]]
        return cls(
            dict(content["state"]),
            {one.inspection: one for one in waiting},
            dict(content["bodies"]),
            dict(content["requests"]),
            bool(content["whole"]),
        )

    def settle(self, unknown: Mapping[str, str]) -> None:
        """Let `unknown` hold where the state that it is about is not certain."""
        said = self.state.get(GUARD)
        certain = self.whole if said is None else said == guard(self.state, unknown)
        if not certain:
            self.state.update(unknown)
        if unknown:
            self.state[GUARD] = guard(self.state, unknown)

    def _body(self, inspection: str) -> str | None:
        return self.bodies.get(inspection) or self.state.get(CARRIED + inspection)


def read(database: sqlite3.Connection) -> Memory:
    """What a sound database remembers. Raises sqlite3.Error."""
    memory = Memory(
        dict(database.execute("SELECT key, value FROM state")),
        _waiting(database),
        requests=dict(database.execute("SELECT id, seq FROM requests")),
    )
    _add_bodies(memory, database)
    return memory


def check_small(database: sqlite3.Connection) -> None:
    """Read every small table. Raises sqlite3.Error, and ValueError for nonsense in one."""
    state = dict(database.execute("SELECT key, value FROM state LIMIT ?", (LOOKED_AT,)))
    if not all(isinstance(word, str) for pair in state.items() for word in pair):
        raise ValueError("the state holds something else than texts")
    waiting = database.execute("SELECT count(*) FROM escalations").fetchone()[0]
    if len(_waiting(database)) != waiting:
        raise ValueError("an open escalation holds something else than it should")
    for table in ("requests", "counts"):
        database.execute(f"SELECT * FROM {table}").fetchall()


def rescue(path: Path) -> Memory:
    """What can still be read of a damaged one, with SQLite and around it. Never raises."""
    memory, complete = Memory(whole=False), False
    database: sqlite3.Connection | None = None
    try:
        database = connect_reader(path)
        database.execute("BEGIN")
        (_,) = database.execute("SELECT count(*) FROM state").fetchone()
        if not forgotten(path):  # else SQLite sees less than was committed
            memory.state = dict(database.execute("SELECT key, value FROM state"))
            memory.whole = True
            memory.waiting = _waiting(database)
            memory.requests = dict(database.execute("SELECT id, seq FROM requests"))
            complete = True
    except (sqlite3.Error, ValueError, TypeError):
        pass
    try:
        if not complete:
            _scan(memory, path)
        if database is not None:
            _add_bodies(memory, database)
    except (sqlite3.Error, OSError, ValueError, AttributeError):
        pass  # a person is asked without a picture then; the fall-back decides at the deadline
    finally:
        if database is not None:
            database.close()
    _only_words(memory)
    return memory


def _waiting(database: sqlite3.Connection) -> dict[str, Escalation]:
    rows = database.execute(
        "SELECT inspection, seq, part_id, boot_id, deadline_ns, allowed_s FROM escalations"
    )
    return {row[0]: Escalation(*row) for row in rows if _is_escalation(row)}


def _add_bodies(memory: Memory, database: sqlite3.Connection) -> None:
    for name in memory.waiting:
        row = database.execute(
            "SELECT hash, body FROM records WHERE subject = ? AND schema = 'inspection/1'", (name,)
        ).fetchone()
        if row is not None:
            memory.bodies[name] = f"{row[0].hex()} {row[1].decode()}"


def _scan(memory: Memory, path: Path) -> None:
    """Add the small rows that look like ours, from every page that begins with one of them."""
    pages = Pages(path)
    try:
        for page in pages.current(SCANNED):
            found = index_rows(pages, page)
            ours = [_add(memory, row) for row in islice(found, BEGINNING)]
            if any(ours):
                for row in found:
                    _add(memory, row)
    finally:
        pages.close()


def _add(memory: Memory, row: Sequence[object]) -> bool:
    """Whether it is one: two texts, an escalation, or an id with a number."""
    match row:
        case [str(key), str(value)] if "." in key or key in ("watch", GUARD):
            memory.state.setdefault(key, value)
        case [str(name), int(seq)] if len(name) == 36:
            memory.requests.setdefault(name, seq)
        case [str(name), *_] if len(row) == 6 and _is_escalation(row):
            memory.waiting.setdefault(name, Escalation(*row))  # type: ignore[arg-type]
        case _:
            return False
    return True


def _is_escalation(row: Sequence[object]) -> bool:
    match row:
        case [str(), int(), str() | None, str(), int(), int() | float()]:
            return True
    return False


def _only_words(memory: Memory) -> None:
    """Without what a damaged page may hold in place of a text or a number."""
    words = {k: v for k, v in memory.state.items() if isinstance(k, str) and isinstance(v, str)}
    memory.whole = memory.whole and len(words) == len(memory.state)
    memory.state = words
    memory.requests = {k: v for k, v in memory.requests.items() if isinstance(k, str)}
