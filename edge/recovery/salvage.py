"""Saves the sound records of a damaged database.

`python -m edge.recovery.salvage FOLDER STATE_DIR`.

A process of its own at the lowest priority. It reads the bytes of `damaged/<name>/` around whatever
is damaged, keeps what the hashes prove, and writes `salvage/<stream>-<epoch>.db`: the same tables,
the same epoch. The file appears under its name when it is complete. A record that is lost, but
whose hash is known, stands in it with an empty body: the chain can then be followed across it.
"""

from __future__ import annotations

import errno
import json
import os
import sqlite3
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from edge.files import sync_folder, write_atomically
from edge.log import log
from edge.recovery import aside
from edge.recovery.candidates import Candidate, Candidates
from edge.recovery.proof import prove
from edge.store import schema, usage
from edge.store.durable import make_directory
from edge.store.lock import Lock
from edge.store.rows import columns, counted
from edge.store.shelf import GONE, THERE, pictured

FOLDER = "salvage"
SCHEMA = "salvage/1"
META = "salvage"
"""Key in `meta` under which the file itself says what was saved and what was lost."""
LOST = "lost"
"""The schema of a row that stands for a lost record: it only has a number and a hash."""
MOST_RANGES = 10_000
LOOK_EVERY = 500
"""Records between two looks at the room that is left."""


@dataclass(slots=True)
class Salvaged:
    """What became of one damaged database. `lost` are first and last numbers, `highest` the newest
    number that is known of. `unproved` records were kept although what stood before them is lost:
    their own hash is proved by the next one, their body by nothing."""

    database: str
    stream: str
    epoch: str | None
    file: str | None
    why: str
    rows: int = 0
    kept: int = 0
    highest: int = 0
    lost_records: int = 0
    lost: list[tuple[int, int]] = field(default_factory=list)
    unproved: list[int] = field(default_factory=list)

    def lose(self, first: int, last: int) -> None:
        """These records are lost; called in order."""
        if first > last:
            return
        joins = self.lost and (self.lost[-1][1] == first - 1 or len(self.lost) == MOST_RANGES)
        self.lost_records += last - first + 1
        if joins:  # a list that is full says too much rather than too little
            self.lost[-1] = (self.lost[-1][0], last)
        else:
            self.lost.append((first, last))

    def as_json(self) -> dict[str, Any]:
        """As it is written beside the damaged database."""
        return {"schema": SCHEMA, **asdict(self)}


def salvage(case: aside.Case, state_dir: Path) -> Salvaged:
    """Save what is sound; durable on return. Raises OSError or sqlite3.Error (try again later)."""
    work = state_dir / FOLDER / f".{case.folder.name}.work"
    make_directory(work.parent)
    try:
        with Candidates(case.path, work) as found:
            epoch = found.epoch if case.head is None else case.head[0]
            told = Salvaged(case.database, case.stream, epoch, None, case.why)
            if epoch is not None:
                told.file = f"{FOLDER}/{case.stream}-{epoch}.db"
                _write(case, state_dir, told, found)
    finally:
        _remove(work)
    text = json.dumps(told.as_json()).encode()
    write_atomically(case.folder / aside.SALVAGED, text)
    return told


def salvaged(folder: Path) -> dict[str, Any] | None:
    """What was said about the database in this folder; None while it is not saved."""
    try:
        told = json.loads((folder / aside.SALVAGED).read_bytes())
    except (OSError, ValueError):
        return None
    return told if isinstance(told, dict) and told.get("schema") == SCHEMA else None


def _write(case: aside.Case, state_dir: Path, told: Salvaged, found: Candidates) -> None:
    assert told.file is not None
    path = state_dir / told.file
    partial = path.with_name(path.name + ".part")
    _remove(partial)
    try:
        _fill(partial, case, state_dir, told, found)
        _sync(partial)
        os.rename(partial, path)
    except BaseException:
        _remove(partial)  # the line may need the room before this is tried again
        raise
    sync_folder(path.parent)


def _fill(
    partial: Path, case: aside.Case, state_dir: Path, told: Salvaged, found: Candidates
) -> None:
    assert told.epoch is not None
    database = schema.connect_writer(partial)
    try:
        # Nobody reads it before it is complete, and then nobody writes: no log beside it.
        for pragma in ("journal_mode = DELETE", "synchronous = OFF"):
            database.execute(f"PRAGMA {pragma}")
        schema.migrate(database, partial)
        database.execute("BEGIN")
        database.execute("UPDATE meta SET value = ? WHERE key = 'epoch'", (told.epoch,))
        anchor = _anchors(database, found)
        _kept(database, found, told, state_dir)
        most = None if case.head is None else case.head[1]
        _records(database, found, told, state_dir, anchor, most)
        _end(database, case, told)
        words = json.dumps(told.as_json())
        database.execute("INSERT INTO meta VALUES (?, ?)", (META, words))
        database.execute("COMMIT")
    finally:
        database.close()


def _leave_room(state_dir: Path) -> None:
    """Raises OSError before the room is gone that the line needs for new records."""
    disk = usage.disk(state_dir)
    if disk.free < disk.reserve // 2:
        raise OSError(errno.ENOSPC, f"only {disk.free} bytes are left: the line needs them")


def _anchors(database: sqlite3.Connection, found: Candidates) -> tuple[int, bytes]:
    """Copy the anchors; number and hash of the newest one, which the chain begins behind."""
    database.executemany("INSERT OR IGNORE INTO anchors VALUES (?, ?, ?, ?, ?)", found.anchors)
    newest = database.execute("SELECT seq, hash FROM anchors ORDER BY seq DESC LIMIT 1").fetchone()
    return newest or (0, bytes(32))


def _kept(database: sqlite3.Connection, found: Candidates, told: Salvaged, state_dir: Path) -> None:
    """Records that had outlived the prefix: each has the hash before it, and proves itself."""
    assert told.epoch is not None
    for versions in found.kept(told.epoch):
        one = next((one for one in versions if one.proves_itself), None)
        if one is None or one.content is None:
            continue
        row = (one.seq, *columns(one.content), one.body, one.hash, one.previous)
        database.execute("INSERT OR IGNORE INTO kept VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
        _look_up(database, one, found, state_dir)
        told.kept += 1


def _records(
    database: sqlite3.Connection,
    found: Candidates,
    told: Salvaged,
    state_dir: Path,
    anchor: tuple[int, bytes],
    most: int | None,
) -> None:
    assert told.epoch is not None
    seq = anchor[0]
    for one in prove(found.records(told.epoch, seq, most), anchor):
        if told.rows % LOOK_EVERY == 0:
            _leave_room(state_dir)
        told.lose(seq + 1, one.seq - 1)
        seq = told.highest = one.seq
        record = one.candidate
        if record is None or record.content is None:
            told.lose(seq, seq)
            _stand_in(database, seq, one.hash)
            continue
        if not one.proved:
            told.unproved.append(seq)
        row = (seq, *columns(record.content), record.body, one.hash)
        database.execute("INSERT OR IGNORE INTO records VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
        _look_up(database, record, found, state_dir)
        told.rows += 1


def _look_up(
    database: sqlite3.Connection, one: Candidate, found: Candidates, state_dir: Path
) -> None:
    """Counters and the list of pictures are made anew: the old ones may be damaged."""
    for name in counted(one.content or {}):
        database.execute(
            "INSERT INTO counts VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET n = n + 1", (name,)
        )
    picture = pictured(one.seq, one.body, state_dir)
    if picture is not None:
        gone = GONE if found.given_up(one.seq) else THERE
        database.execute("INSERT OR IGNORE INTO pictures VALUES (?, ?, ?, ?, ?)", (*picture, gone))


def _end(database: sqlite3.Connection, case: aside.Case, told: Salvaged) -> None:
    """Records that were reported as recorded, and of which nothing is left at the end."""
    if case.head is None or case.head[1] <= told.highest:
        return
    _, seq, last = case.head
    told.lose(told.highest + 1, seq)
    told.highest = seq
    _stand_in(database, seq, bytes.fromhex(last))


def _stand_in(database: sqlite3.Connection, seq: int, hashed: bytes) -> None:
    row = (seq, LOST, f"{LOST}:{seq}", None, None, None, b"", hashed)
    database.execute("INSERT OR IGNORE INTO records VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _remove(path: Path) -> None:
    for suffix in ("", "-wal", "-shm", "-journal"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def main(words: list[str]) -> int:
    """Save one folder; exit code 0 when it is saved, 1 when it must be tried again."""
    folder, state_dir = Path(words[0]), Path(words[1])
    os.nice(19)
    case = next((one for one in aside.cases(state_dir) if one.folder.name == folder.name), None)
    if case is None or case.salvaged:
        return 0 if case is not None else 1
    with Lock(folder / "salvage.lock"):
        told = salvage(case, state_dir)
    log.info("salvage.done", file=told.file, rows=told.rows, lost=told.lost_records)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
