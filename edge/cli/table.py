"""Inspections in rows: aligned for people, comma-separated for programs."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from edge.telling import local_time, plain

if TYPE_CHECKING:
    from edge.store.archive import Archive
    from edge.store.rows import Row

COLOURS = {"accept": "32", "reject": "31", "escalate": "33"}
HEADING = (
    f"{'time':<19}  {'part':<14}  {'decision':<8}  {'because':<10}  {'score':<6}"
    f"  {'part went':<18}  id"
)
COLUMNS = (
    "seq",
    "id",
    "part_id",
    "captured_at",
    "decision",
    "reason",
    "score",
    "label",
    "automation",
    "would_be",
    "asked",
    "doubts",
    "disposition",
    "by",
    "model",
    "version",
    "calibration",
    "accept_below",
    "reject_above",
    "image",
    "truth",
    "hash",
)


def table_lines(archive: Archive, rows: Iterator[Row], zone: str, colours: bool) -> Iterator[str]:
    """A heading and one line for each inspection, times as in the station's zone."""
    local = ZoneInfo(zone)
    heading = HEADING
    for row in rows:
        if heading:
            yield heading
            heading = ""
        content = json.loads(row.body)
        score = "–" if content["score"] is None else f"{content['score']:.4f}"
        decision = f"{content['decision']:<8}"
        if colours:
            decision = f"\x1b[{COLOURS.get(content['decision'], '0')}m{decision}\x1b[0m"
        yield (
            f"{local_time(content['captured_at'], local):%Y-%m-%d %H:%M:%S}"
            f"  {plain(content['part_id'] or '–'):<14}  {decision}  {content['reason']:<10}"
            f"  {score:<6}  {_fate(archive, content):<18}  {content['id']}"
        )


def csv_lines(archive: Archive, rows: Iterator[Row]) -> Iterator[str]:
    """A heading and one line for each inspection, for spreadsheets."""
    yield ",".join(COLUMNS)
    for row in rows:
        line = io.StringIO()
        csv.writer(line, lineterminator="").writerow(_values(archive, row))
        yield line.getvalue()


def _fate(archive: Archive, content: dict[str, Any]) -> str:
    row = archive.disposition(content["id"])
    if row is None:
        return "waiting" if content["asked"] else "not asked"
    final = json.loads(row.body)
    return f"{final['disposition']} by {final['by']}"


def _values(archive: Archive, row: Row) -> list[object]:
    content = json.loads(row.body)
    final = archive.disposition(content["id"])
    fate = json.loads(final.body) if final else {}
    model, cuts, image = content["model"] or {}, content["cuts"] or {}, content["image"] or {}
    extra = {
        "part_id": plain(content["part_id"] or ""),
        "doubts": "+".join(str(doubt["name"]) for doubt in content["doubts"]),
        "disposition": fate.get("disposition"),
        "by": fate.get("by"),
        "model": model.get("name"),
        "version": model.get("version"),
        "accept_below": cuts.get("accept_below"),
        "reject_above": cuts.get("reject_above"),
        "image": image.get("path"),
        "hash": row.hash,
    }
    return [extra[name] if name in extra else content[name] for name in COLUMNS]
