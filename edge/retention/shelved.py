"""Candidates of retention: pictures that are there, with their files, page by page."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from edge.retention.plan import CHECK, FREE, Picture
from edge.store.rows import INSPECTION
from edge.store.shelf import THERE

AT_ONCE = 64
"""Pictures given up in one step: the disk of a small station unlinks a few hundred a second."""
_ROW = "seq, worth, bytes, path"


@dataclass(frozen=True, slots=True)
class Shelved:
    """A candidate with the file that it is, relative to the state directory."""

    picture: Picture
    path: str


def shelved(row: tuple[Any, ...], held: int = FREE) -> Shelved:
    """From a row of seq, worth, bytes, path."""
    seq, worth, size, path = row
    return Shelved(Picture(seq, worth, size, held), path)


def unheld(
    database: sqlite3.Connection, worth: int, through: int, asked: frozenset[int]
) -> list[Shelved]:
    """The oldest AT_ONCE up to record `through` that are not among `asked`."""
    lowest = -(1 << 62)
    found = on_shelf(database, worth, lowest, through, AT_ONCE + len(asked), FREE)
    return [one for one in found if one.picture.seq not in asked][:AT_ONCE]


def on_shelf(
    database: sqlite3.Connection, worth: int, after: int, through: int, most: int, held: int
) -> list[Shelved]:
    """The oldest of one worth, behind one record and up to another."""
    rows = database.execute(
        f"SELECT {_ROW} FROM pictures WHERE removed = {THERE} AND worth = ?"
        " AND seq > ? AND seq <= ? ORDER BY seq LIMIT ?",
        (worth, after, through, most),
    )
    return [shelved(row, held) for row in rows]


def of_records(database: sqlite3.Connection, seqs: Iterable[int]) -> list[Shelved]:
    """The pictures of these records that are there, as spot checks hold them."""
    found = (
        database.execute(
            f"SELECT {_ROW} FROM pictures WHERE removed = {THERE} AND seq = ?", (seq,)
        ).fetchone()
        for seq in seqs
    )
    return [shelved(row, CHECK) for row in found if row is not None]


def is_stranger(database: sqlite3.Connection, path: str) -> bool:
    """Whether no record here names the file, as far as its own name says, and it is not listed."""
    name = PurePosixPath(path).stem
    known = database.execute(
        "SELECT 1 FROM records WHERE subject = ?1 AND schema = ?2"
        " UNION ALL SELECT 1 FROM kept WHERE subject = ?1 AND schema = ?2"
        " UNION ALL SELECT 1 FROM pictures WHERE seq < 0 AND path = ?3 LIMIT 1",
        (name, INSPECTION, path),
    ).fetchone()
    return known is None
