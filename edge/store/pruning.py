"""Deleting records: a prefix of the chain, behind an anchor, never what somebody still waits for.

The caller holds the transaction. What must outlive the prefix moves into the table `kept` in it.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass

from edge.decision.challenge import TAG
from edge.store.errors import Replaced, StoreError
from edge.store.rows import DISPOSITION, INSPECTION
from edge.store.shelf import GONE
from sync.chain import GENESIS

MOST = 500
"""Records in one transaction: the record thread has parts to write."""
OUTLIVE = ("calibration/1", "automation/1", "challenge/1", "rollout/1")
"""Kinds that are never evicted. So are inspections and dispositions of challenge parts."""


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """Records of `epoch` up to `seq`, whose hash is `hash`, are elsewhere: `by` says so."""

    epoch: str
    seq: int
    hash: str
    by: str


@dataclass(frozen=True, slots=True)
class Prune:
    """Delete records up to `through`, at most `most` of them. `at` is the time, for people.

    With `waits`, only what `acknowledged` covers. With `epoch`, only in the file of this one.
    """

    through: int
    at: str
    waits: bool = True
    acknowledged: Acknowledged | None = None
    most: int = MOST
    epoch: str | None = None


@dataclass(frozen=True, slots=True)
class Pruned:
    """What was done: `deleted` and `kept` records, up to `through` (0: nothing was to be done)."""

    deleted: int = 0
    kept: int = 0
    through: int = 0


class NotOurs(StoreError):
    """The acknowledgement is not about the records that are here. Nothing was deleted."""


def prune(database: sqlite3.Connection, epoch: str, wanted: Prune) -> Pruned:
    """Delete as far as is allowed, inside the caller's transaction.

    Stops before the oldest open escalation and before the oldest picture that is still there,
    unless its record is kept. Raises NotOurs, Replaced, sqlite3.Error; the caller then rolls back.
    """
    if wanted.epoch not in (None, epoch):
        raise Replaced(f"no longer epoch {wanted.epoch}")
    (anchor,) = database.execute("SELECT ifnull(max(seq), 0) FROM anchors").fetchone()
    through = min(wanted.through, _allowed(database, epoch, wanted, anchor))
    rows = database.execute(
        "SELECT seq, schema, subject, body FROM records"
        " WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?",
        (anchor, through, wanted.most),
    ).fetchall()
    kept = _outliving(database, rows)
    rows = _without_pictures(database, rows, kept)
    if not rows:
        return Pruned()
    last = rows[-1][0]
    kept = [seq for seq in kept if seq <= last]
    _move(database, kept)
    _anchor(database, last, len(rows) - len(kept), wanted)
    database.execute("DELETE FROM records WHERE seq <= ?", (last,))
    database.execute(
        "DELETE FROM pictures WHERE seq > ? AND seq <= ? AND seq NOT IN (SELECT seq FROM kept)",
        (anchor, last),
    )
    return Pruned(len(rows) - len(kept), len(kept), last)


def _allowed(database: sqlite3.Connection, epoch: str, wanted: Prune, anchor: int) -> int:
    """The newest record that may go."""
    (waiting,) = database.execute("SELECT min(seq) FROM escalations").fetchone()
    most = wanted.through if waiting is None else waiting - 1
    if not wanted.waits:
        return int(most)
    known = wanted.acknowledged
    if known is None or known.seq <= anchor:
        return 0
    own = database.execute("SELECT hash FROM records WHERE seq = ?", (known.seq,)).fetchone()
    if known.epoch != epoch or own is None or own[0].hex() != known.hash:
        raise NotOurs(
            f"what {known.by} acknowledged (epoch {known.epoch}, record {known.seq}) is not what is"
            " stored here: nothing is deleted",
            "edge-inspect results --verify; the log of sync says who acknowledged it",
        )
    return min(int(most), known.seq)


def _outliving(database: sqlite3.Connection, rows: list[tuple[int, str, str, bytes]]) -> list[int]:
    """Those of the rows that are never evicted."""
    challenged: set[str] = set()
    outlive = []
    for seq, schema, subject, body in rows:
        if schema == INSPECTION and _of_challenge(body):
            challenged.add(subject)
            outlive.append(seq)
        elif schema in OUTLIVE or (
            schema == DISPOSITION and (subject in challenged or _is_kept(database, subject))
        ):
            outlive.append(seq)
    return outlive


def _of_challenge(body: bytes) -> bool:
    if f'"{TAG}":'.encode() not in body:
        return False
    try:
        return TAG in json.loads(body)["tags"]
    except (ValueError, KeyError, TypeError):
        return False


def _is_kept(database: sqlite3.Connection, subject: str) -> bool:
    found = database.execute(
        "SELECT 1 FROM kept WHERE subject = ? AND schema = ?", (subject, INSPECTION)
    ).fetchone()
    return found is not None


def _without_pictures(
    database: sqlite3.Connection, rows: list[tuple[int, str, str, bytes]], kept: list[int]
) -> list[tuple[int, str, str, bytes]]:
    """The rows before the first whose picture would stay behind without its record."""
    if not rows:
        return rows
    there = database.execute(
        "SELECT seq FROM pictures WHERE seq BETWEEN ? AND ? AND removed <> ? ORDER BY seq",
        (rows[0][0], rows[-1][0], GONE),
    )
    outlive = set(kept)
    first = next((seq for (seq,) in there if seq not in outlive), None)
    return rows if first is None else [row for row in rows if row[0] < first]


def _move(database: sqlite3.Connection, kept: list[int]) -> None:
    """Copy them into `kept`, each with the hash of the record before it."""
    database.executemany(
        "INSERT INTO kept SELECT r.*, coalesce("
        " (SELECT hash FROM records WHERE seq = r.seq - 1),"
        " (SELECT hash FROM anchors WHERE seq = r.seq - 1), ?2)"
        " FROM records AS r WHERE r.seq = ?1",
        [(seq, bytes.fromhex(GENESIS)) for seq in kept],
    )


def _anchor(database: sqlite3.Connection, last: int, deleted: int, wanted: Prune) -> None:
    """Write where the chain begins now. One row for each day and acknowledging store is enough."""
    (hashed,) = database.execute("SELECT hash FROM records WHERE seq = ?", (last,)).fetchone()
    by = wanted.acknowledged.by if wanted.waits and wanted.acknowledged else None
    before = database.execute(
        "SELECT seq, count, at, acknowledged_by FROM anchors ORDER BY seq DESC LIMIT 1"
    ).fetchone()
    if before is not None and (before[2][:10], before[3]) == (wanted.at[:10], by):
        database.execute("DELETE FROM anchors WHERE seq = ?", (before[0],))
    count = deleted + (0 if before is None else before[1])
    database.execute(
        "INSERT INTO anchors VALUES (?, ?, ?, ?, ?)", (last, hashed, count, wanted.at, by)
    )
