"""Everything that persons said about each part, in order."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from edge.review.verdicts import is_correction, is_verdict
from edge.store.archive import Archive

BATCH, BYTES = 2000, 1 << 24
MEMBERS = (
    "schema",
    "id",
    "verdict",
    "to",
    "label",
    "by",
    "at",
    "basis",
    "answer_shown",
    "hold",
    "undo",
    "reason",
    "account",
)
Said = dict[str, Any]


def spoken(path: Path) -> dict[str, list[Said]]:
    """Verdicts and corrections by inspection, with the members named above; nothing where there is
    no such file. Raises sqlite3.Error, ValueError or KeyError for a damaged record."""
    found: dict[str, list[Said]] = {}
    with Archive(path) as archive:
        for record in _records(archive):
            if is_verdict(record) or is_correction(record):
                said = {name: record[name] for name in MEMBERS if name in record}
                found.setdefault(record["inspection"], []).append(said)
    return found


def undone(records: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """The answers among these that were taken back before the line was to act on them."""
    return frozenset(
        str(record["verdict"])
        for record in records
        if is_correction(record) and record["undo"] is True
    )


def first(records: Iterable[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The first answer that was not undone: what was said before anybody could know more."""
    given = list(records)
    gone = undone(given)
    return next((one for one in given if is_verdict(one) and one["id"] not in gone), None)


def _records(archive: Archive) -> Iterator[Mapping[str, Any]]:
    seq = 0
    while rows := archive.rows(seq, BATCH, BYTES):
        for row in rows:
            yield json.loads(row.body)
        seq = rows[-1].seq
