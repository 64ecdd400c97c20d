"""Scores of known parts from a CSV file whose other columns are tags to slice by."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator
from pathlib import Path

from edge.calibrating.gathered import Heap, Unusable
from edge.calibrating.once import Shot, once
from edge.evaluating.cases import UNKNOWN, Cases, Gathering, family
from edge.evaluating.slices import TYPE

KINDS = {"good": False, "defect": True}
Row = tuple[int, dict[str, str]]


def table_cases(path: Path) -> Cases:
    """Every row of `score,label` and optional `type`, `part` and tags; a part's rows count once.

    Raises Unusable naming the first malformed row, OSError.
    """
    with path.open(encoding="utf-8-sig", newline="") as stream:
        try:
            rows = list(_rows(path, csv.DictReader(stream)))
        except (csv.Error, UnicodeDecodeError) as error:
            raise Unusable(f"{path}: {error}") from error
    shots = [_shot(row) for _, row in rows]
    chosen = once(shots)
    found, heap = Gathering(), Heap()
    for index, (line, row) in enumerate(rows):
        if chosen[index] != index:
            heap.add("another row of the same part counts", f"part {shots[index].part}, row {line}")
            continue
        found.add(float(row["score"]), KINDS[row["label"]], _tags(row))
    return found.cases(heap.left_out())


def _rows(path: Path, reader: csv.DictReader[str]) -> Iterator[Row]:
    reader.fieldnames = [name.strip().lower() for name in reader.fieldnames or ()]
    if not {"score", "label"} <= set(reader.fieldnames):
        shown = ",".join(reader.fieldnames) or "nothing"
        raise Unusable(f"{path}:1: expected the columns score,label and found {shown}")
    for raw in reader:
        # a row that is too long or too short has None as a name or a value
        row = {name: (value or "").strip() for name, value in raw.items() if isinstance(name, str)}
        at = f"{path}:{reader.line_num}"
        if row["label"] not in KINDS:
            raise Unusable(f"{at}: the label {row['label']!r} is neither good nor defect")
        if not _is_share(row["score"]):
            raise Unusable(f"{at}: the score {row['score']!r} is no number from 0 to 1")
        yield reader.line_num, row


def _is_share(text: str) -> bool:
    try:
        return 0.0 <= float(text) <= 1.0
    except ValueError:
        return False


def _shot(row: dict[str, str]) -> Shot:
    part = row.get("part") or None
    # without a part's name a row is a part of its own: equal scores are no equal pictures
    text = "\n".join(f"{name}={value}" for name, value in sorted(row.items()))
    digest = hashlib.sha256(text.encode()).hexdigest()
    return Shot(digest if part else f"{digest} {id(row)}", row["label"], part)


def _tags(row: dict[str, str]) -> dict[str, str]:
    tags = {
        name: value or UNKNOWN
        for name, value in row.items()
        if name not in ("score", "label", "part", TYPE)
    }
    if row["label"] == "defect":
        tags[TYPE] = row.get(TYPE) or UNKNOWN
    if "part" in row:
        tags["family"] = family(row["part"])
    return tags
