"""What retention writes: pictures given up, pictures found, marks of time. In small transactions.

A picture goes in three steps: marked as leaving (durable), unlinked, marked as gone. A crash in
between leaves a file that is marked and unlinked at the next start, never a record whose picture
is missing without a mark.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from edge.retention.shelved import is_stranger
from edge.store.errors import Replaced
from edge.store.shelf import GONE, LEAVING, REJECTED, THERE


@dataclass(frozen=True, slots=True)
class Mark:
    """How things stood when the station had run for `odometer_s` seconds: the newest record, bytes
    of pictures written so far in this epoch, bytes used in the state directory."""

    odometer_s: float
    seq: int
    written: int
    used: int


@dataclass(frozen=True, slots=True)
class Found:
    """A picture on the disk that no record of this file names."""

    path: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Tidying:
    """One transaction of housework in the file of `epoch`.

    `leave` and `gone` are pictures by their numbers, `found` is listed with numbers below 0, marks
    up to `forget` on the odometer are deleted, `state` is kept for the next start.
    """

    epoch: str
    leave: Sequence[int] = ()
    gone: Sequence[int] = ()
    found: Sequence[Found] = ()
    mark: Mark | None = None
    forget: float | None = None
    state: Mapping[str, str] = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to write."""
        some = self.leave or self.gone or self.found or self.mark or self.state
        return not some and self.forget is None


def tidy(database: sqlite3.Connection, epoch: str, wanted: Tidying) -> None:
    """Write it, inside the caller's transaction. Raises Replaced when the file is not of its epoch,
    sqlite3.Error; the caller then rolls back."""
    if wanted.epoch != epoch:
        raise Replaced(f"no longer epoch {wanted.epoch}")
    run = database.executemany
    run("UPDATE pictures SET removed = ? WHERE seq = ?", [(LEAVING, seq) for seq in wanted.leave])
    run("UPDATE pictures SET removed = ? WHERE seq = ?", [(GONE, seq) for seq in wanted.gone])
    _list_found(database, wanted.found)
    if wanted.mark is not None:
        mark = wanted.mark
        database.execute(
            "INSERT INTO marks (odometer_s, seq, written, used) VALUES (?, ?, ?, ?)",
            (mark.odometer_s, mark.seq, mark.written, mark.used),
        )
    if wanted.forget is not None:
        database.execute("DELETE FROM marks WHERE odometer_s <= ?", (wanted.forget,))
    run(
        "INSERT INTO state VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        wanted.state.items(),
    )


def _list_found(database: sqlite3.Connection, found: Sequence[Found]) -> None:
    """Pictures of nobody get numbers below 0: they are older than every record here.

    One whose inspection is stored by now was only on its way to its record.
    """
    if not found:
        return
    (lowest,) = database.execute("SELECT min(0, ifnull(min(seq), 0)) FROM pictures").fetchone()
    strangers = [one for one in found if is_stranger(database, one.path)]
    database.executemany(
        "INSERT INTO pictures VALUES (?, ?, ?, ?, ?)",
        [
            (lowest - number, one.path, one.bytes, REJECTED, THERE)
            for number, one in enumerate(strangers, 1)
        ],
    )
