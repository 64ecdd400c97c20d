"""labels.csv and disputed.csv: one row for each picture, one for each disputed answer. Pure.

Text that came from outside may hold anything. Characters that are not printable are written as
escapes (`\\x00`); text that a spreadsheet would take for a formula gets an apostrophe before it.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping
from typing import Any

from edge.review.dataset import Example

COLUMNS = (
    "inspection", "part", "captured_at", "split", "label", "type", "file", "use", "verdict", "by",
    "answered_at", "basis", "answer_shown", "corrected", "answers", "decision", "reason",
    "would_be", "disposition", "disposition_by", "score", "scores", "predicted", "asked",
    "asked_probability", "spot_check_drawn", "spot_check_p", "doubts", "automation",
    "calibration", "accept_below", "reject_above", "model", "version", "bundle", "runtime", "view",
    "sha256", "challenge", "truth", "exported_before", "station",
)  # fmt: skip
DISPUTED = (
    "inspection", "part", "captured_at", "file", "verdict", "type", "by", "answered_at", "basis",
    "answer_shown", "corrected", "score", "decision", "disposition", "sha256",
)  # fmt: skip
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def labels_csv(rows: Iterable[Mapping[str, object]]) -> str:
    """The table of all rows made by `row`."""
    return _table(COLUMNS, rows)


def disputed_csv(rows: Iterable[Mapping[str, object]]) -> str:
    """The table of all rows made by `disputed_rows`."""
    return _table(DISPUTED, rows)


def row(
    example: Example, split: str | None, file: str | None, before: str | None
) -> dict[str, object]:
    """One row of labels.csv. `before`: the label that an earlier export gave it."""
    record, best = example.record, example.label.best
    model, cuts = record["model"] or {}, record["cuts"] or {}
    fate, check = example.fate or {}, record["spot_check"] or {}
    return {
        **_common(example, file),
        "split": split,
        "label": example.kind,
        "type": example.type,
        "use": example.use,
        "verdict": best and best.said,
        "by": best and best.by,
        "answered_at": best and best.at,
        "basis": best and best.basis,
        "answer_shown": best and best.answer_shown,
        "corrected": example.label.corrected,
        "answers": len(example.label.words),
        "reason": record["reason"],
        "would_be": record["would_be"],
        "disposition_by": fate.get("by"),
        "scores": None if record["scores"] is None else json.dumps(record["scores"]),
        "predicted": record["label"],
        "asked": record["asked"],
        "asked_probability": example.asked_p,
        "spot_check_drawn": check.get("drawn"),
        "spot_check_p": check.get("p"),
        "doubts": "+".join(str(doubt["name"]) for doubt in record["doubts"]),
        "automation": record["automation"],
        "calibration": record["calibration"],
        "accept_below": cuts.get("accept_below"),
        "reject_above": cuts.get("reject_above"),
        "model": model.get("name"),
        "version": model.get("version"),
        "bundle": model.get("bundle"),
        "runtime": record["runtime"],
        "view": record["view"],
        "challenge": example.use == "challenge",
        "truth": record["truth"],
        "exported_before": before,
        "station": record["station"],
    }


def disputed_rows(example: Example, file: str | None) -> list[dict[str, object]]:
    """One row for each answer that stands, oldest first."""
    return [
        {
            **_common(example, file),
            "verdict": word.said,
            "type": word.type,
            "by": word.by,
            "answered_at": word.at,
            "basis": word.basis,
            "answer_shown": word.answer_shown,
            "corrected": word.about is not None,
        }
        for word in example.label.words
    ]


def cell(value: object) -> str:
    """A value as it stands in the table. Numbers are written in full, yes and no as true, false."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return repr(value)
    text = "".join(letter if letter.isprintable() else _escaped(letter) for letter in str(value))
    return f"'{text}" if text.startswith(FORMULA) else text


def _common(example: Example, file: str | None) -> dict[str, object]:
    record, picture = example.record, example.picture
    return {
        "inspection": example.inspection,
        "part": record["part_id"],
        "captured_at": record["captured_at"],
        "file": file,
        "score": record["score"],
        "decision": record["decision"],
        "disposition": None if example.fate is None else example.fate.get("disposition"),
        "sha256": None if picture is None else picture[1],
    }


def _escaped(letter: str) -> str:
    return letter.encode("unicode_escape", "surrogatepass").decode("ascii")


def _table(columns: tuple[str, ...], rows: Iterable[Mapping[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for one in rows:
        writer.writerow([cell(one[name]) for name in columns])
    return text.getvalue()
