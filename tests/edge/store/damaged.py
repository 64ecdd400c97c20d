"""Databases to be damaged, and ways to damage them."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
from dataclasses import replace
from pathlib import Path

from edge.recovery.enduring import EnduringJournal
from edge.store.archive import Archive
from edge.store.rows import Row
from tests.edge.store.builders import NOON, due, inspection, sure

BOOT = "boot-1"
UNKNOWN = {"automation.degree": "human_only"}
SIDES = ("", "-wal", "-shm")


class Times:
    """Clocks that a test moves."""

    def __init__(self) -> None:
        self.now_ns = 10**12

    def monotonic_ns(self) -> int:
        return self.now_ns

    def wall(self) -> float:
        return NOON


def fill(path: Path, parts: int = 20, close: bool = True) -> EnduringJournal:
    """A database with sure parts, three open escalations, a large record and some state."""
    journal = begin(path)
    for start in range(3):
        journal.append(sure(parts))
        asked = inspection(start, "escalate", asked=True, part=f"asked-{start}")
        journal.append([asked], deadlines=due(asked))
    journal.append([replace(inspection(9), tags={"note": "x" * 9000})])
    state = {"automation.degree": "partial", "watch": "w" * 3000}
    journal.append([], state=state, request_id="0" * 36)
    if close:
        journal.close()
    return journal


def copy(source: Path, target: Path) -> Path:
    """The same files in an empty folder; the path of the database."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source.parent, target)
    (target / f"{source.name}-shm").unlink(missing_ok=True)
    return target / source.name


def begin(path: Path, times: Times | None = None) -> EnduringJournal:
    return EnduringJournal.begin(path, BOOT, times or Times(), UNKNOWN)


def rows(path: Path) -> dict[int, Row]:
    """What is stored, without rows that only stand for a lost record."""
    with Archive(path) as archive:
        return {row.seq: row for row in archive.rows(0, 1 << 30, 1 << 40) if row.body}


def overwrite(path: Path, offset: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(data)


def flip(path: Path, chance: random.Random, offset: int | None = None) -> int:
    """Flip one bit, of this byte or of any; which byte it was."""
    data = path.read_bytes()
    at = chance.randrange(len(data)) if offset is None else offset
    overwrite(path, at, bytes([data[at] ^ 1 << chance.randrange(8)]))
    return at


def scramble(path: Path, keep: int = 0) -> None:
    """Overwrite database and log with noise, but for the first bytes, while others use them."""
    for suffix in SIDES[:2]:
        side = path.with_name(path.name + suffix)
        if side.exists():
            overwrite(side, keep, random.Random(1).randbytes(max(0, os.path.getsize(side) - keep)))


def change(path: Path, statement: str, *values: object) -> None:
    database = sqlite3.connect(path)
    with database:
        database.execute(statement, values)
    database.close()
