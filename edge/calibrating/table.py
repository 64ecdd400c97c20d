"""Scores of known parts from a CSV file: `score,label` and, if wanted, `type` and `part`."""

from __future__ import annotations

import csv
import hashlib
from array import array
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np

from edge.calibrating.gathered import Gathered, Heap, Unusable, fingerprint
from edge.decision.evidence import Samples

COLUMNS = ("score", "label", "type", "part")
KINDS = {"good": False, "defect": True}
CHUNK = 2_000
Numbered = tuple[int, list[str]]
SAME_PART = "another row of the same part counts"


def read_table(path: Path) -> Gathered:
    """Every row, parts with several rows once.

    Of one part's rows the one counts whose text has the lowest sha256, so that neither its score
    nor the order of the rows chooses it. Raises Unusable naming the first row that is malformed,
    OSError where the file cannot be read.
    """
    with path.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.reader(stream)
        try:
            table = _Table(path, next(reader, []))
            while chunk := [(reader.line_num, row) for row in islice(reader, CHUNK)]:
                table.add([(line, row) for line, row in chunk if row])
        except csv.Error as error:
            raise Unusable(f"{path}:{reader.line_num}: {error}") from error
        except UnicodeDecodeError as error:
            raise Unusable(f"{path}:{reader.line_num + 1}: not UTF-8: {error}") from error
    return table.gathered()


class _Table:
    """The rows so far, in columns; read in chunks, so that a million are read in seconds."""

    def __init__(self, path: Path, header: Sequence[str]) -> None:
        self._path = path
        self._places = _places(path, header)
        self._width = max(self._places.values()) + 1
        self._scores, self._types = array("d"), array("i")
        self._defects, self._counts = bytearray(), bytearray()
        self._names: dict[str, int] = {}
        self._parts: dict[str, int] = {}
        self._heap = Heap()

    def add(self, numbered: Sequence[Numbered]) -> None:
        """Take rows with their line numbers. Raises Unusable at the first that is malformed."""
        if not numbered:
            return
        rows = [self._whole(line, row) for line, row in numbered]
        columns = list(zip(*rows))  # noqa: B905 - what is longer has columns that nobody asked for
        try:
            scores = np.array(columns[self._places["score"]], dtype=np.float64)
            defects = [KINDS[label.strip()] for label in columns[self._places["label"]]]
        except (ValueError, KeyError):
            raise self._complaint(numbered) from None
        if not np.all((scores >= 0) & (scores <= 1)):
            raise self._complaint(numbered)
        first = len(self._scores)
        self._scores.frombytes(scores.tobytes())
        self._defects.extend(defects)
        self._counts.extend(b"\1" * len(rows))
        self._types.extend(map(self._type, self._column(columns, "type", rows), defects))
        for at, part in enumerate(self._column(columns, "part", rows)):
            if part and (name := part.strip()):
                self._once(name, first + at, numbered[at][0])

    def gathered(self) -> Gathered:
        """Everything read."""
        counted = np.frombuffer(self._counts, np.bool_)
        samples = Samples(
            scores=np.frombuffer(self._scores, np.float64)[counted],
            defect=np.frombuffer(self._defects, np.bool_)[counted],
            types=tuple(self._names),
            type_of=np.frombuffer(self._types, np.int32)[counted],
            parts=self._named_parts(counted.nonzero()[0].tolist()),
        )
        return Gathered(
            source="scores",
            name=str(self._path),
            samples=samples,
            fingerprint=fingerprint(samples),
            left_out=self._heap.left_out(),
        )

    def _whole(self, line: int, row: list[str]) -> list[str]:
        """The row, with empty fields where optional columns at its end are missing."""
        if len(row) < self._width:
            if len(row) <= max(self._places["score"], self._places["label"]):
                raise Unusable(f"{self._path}:{line}: too few columns: {','.join(row)}")
            return (row + [""] * self._width)[: self._width]
        return row

    def _complaint(self, numbered: Sequence[Numbered]) -> Unusable:
        """What is wrong with the first of these rows that is wrong."""
        for line, row in numbered:
            label, score = row[self._places["label"]].strip(), row[self._places["score"]]
            if label not in KINDS:
                what = f"the label {label!r} is neither good nor defect"
            elif not _is_share(score):
                what = f"the score {score!r} is no number from 0 to 1"
            else:
                continue
            return Unusable(f"{self._path}:{line}: {what}")
        return Unusable(f"{self._path}:{numbered[0][0]}: cannot be read")

    def _column(
        self, columns: Sequence[Sequence[str]], name: str, rows: Sequence[object]
    ) -> Sequence[str]:
        return columns[self._places[name]] if name in self._places else [""] * len(rows)

    def _type(self, text: str, defect: bool) -> int:
        name = text.strip()
        return self._names.setdefault(name, len(self._names)) if name and defect else -1

    def _once(self, part: str, index: int, line: int) -> None:
        other = self._parts.setdefault(part, index)
        if other == index:
            return
        if self._defects[other] != self._defects[index]:
            raise Unusable(
                f"{self._path}:{line}: the part {part!r} is good in one row, a defect in another",
                "give each part a name of its own",
            )
        loser = max(other, index, key=lambda at: (self._digest(at, part), at))
        self._counts[loser] = False
        self._parts[part] = other if loser == index else index
        self._heap.add(SAME_PART, f"part {part}, row {line}")

    def _digest(self, index: int, part: str) -> bytes:
        text = f"{self._scores[index]!r},{self._defects[index]},{self._types[index]},{part}"
        return hashlib.sha256(text.encode()).digest()

    def _named_parts(self, counted: list[int]) -> tuple[str | None, ...]:
        if not self._parts:
            return ()
        names = {index: part for part, index in self._parts.items()}
        return tuple(names.get(index) for index in counted)


def _places(path: Path, header: Sequence[str]) -> dict[str, int]:
    """Where each known column is; others are left alone."""
    names = [name.strip().lower() for name in header]
    places = {name: names.index(name) for name in COLUMNS if name in names}
    if "score" not in places or "label" not in places:
        shown = ",".join(header) or "nothing"
        raise Unusable(f"{path}:1: expected the columns score,label and found {shown}")
    return places


def _is_share(text: str) -> bool:
    try:
        return 0.0 <= float(text) <= 1.0
    except ValueError:
        return False


def rows_of(samples: Samples) -> Iterator[tuple[str, str, str, str, str]]:
    """sha256, score, label, type and part of each sample, in order: `read_table` reads it again."""
    for index, (score, defect) in enumerate(zip(samples.scores, samples.defect, strict=True)):
        at = int(samples.type_of[index]) if len(samples.type_of) else -1
        yield (
            samples.sha256[index] if samples.sha256 else "",
            repr(float(score)),
            "defect" if defect else "good",
            samples.types[at] if at >= 0 else "",
            (samples.parts[index] or "") if samples.parts else "",
        )
