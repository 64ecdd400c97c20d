"""Is what was saved of damaged databases still as it was saved, and what was lost?"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge.recovery import aside
from edge.recovery.aside import Case
from edge.recovery.history import Saved
from edge.recovery.salvage import FOLDER, LOST
from edge.retention.strays import strays_given_up
from edge.store.errors import StoreError
from edge.store.rows import Stored
from edge.store.verify import Finding, check_body, pages_of
from sync.chain import link


@dataclass(slots=True)
class Rescue:
    """One file of saved records. `finding` is about what is in it, `told` what the salvage said."""

    path: Path
    finding: Finding
    told: dict[str, Any] = field(default_factory=dict)

    @property
    def lost(self) -> list[tuple[int, int]]:
        """First and last numbers of the records that are not there."""
        return [(int(first), int(last)) for first, last in self.told.get("lost", [])]

    @property
    def complete(self) -> bool:
        """Whether nothing was lost, then and since."""
        return self.finding.sound and not self.told.get("lost_records")


def verify_saved(state_dir: Path) -> list[Rescue]:
    """Check every file of saved records, and every picture that they name. Raises OSError."""
    found = []
    for path in sorted((state_dir / FOLDER).glob("*.db")):
        with Saved(path) as archive:
            found.append(_verify(archive, state_dir))
    if any(rescue.finding.pictures for rescue in found):
        _leave_out_given_up(found, state_dir / "line.db")
    return found


def _leave_out_given_up(found: list[Rescue], line: Path) -> None:
    """Pictures that the line has removed on purpose since then are not missing."""
    try:
        given_up = {f"{path}: missing" for path in strays_given_up(line)}
    except (sqlite3.Error, StoreError):
        return  # it is said of the line itself that it cannot be read
    for finding in (rescue.finding for rescue in found):
        damaged = [one for one in finding.pictures if one.what not in given_up]
        gone = len(finding.pictures) - len(damaged)
        finding.given_up += gone
        finding.checked_pictures -= gone
        finding.pictures[:] = damaged


def unsaved(state_dir: Path) -> list[Case]:
    """Damaged databases from which nothing has been saved yet."""
    return [case for case in aside.cases(state_dir) if not case.salvaged]


def _verify(archive: Saved, state_dir: Path) -> Rescue:
    rescue = Rescue(archive.path, Finding())
    finding = rescue.finding
    try:
        rescue.told, finding.epoch, finding.anchor = archive.told, archive.epoch, archive.anchor
        finding.last_hash = finding.anchor.hash
        missing = set(rescue.lost)
        seq = finding.anchor.seq
        for stored, given_up in _walk(archive, seq):
            if stored.seq != seq + 1:
                finding.last_hash = ""
                if not any(first <= seq + 1 <= stored.seq - 1 <= last for first, last in missing):
                    finding.note(seq + 1, f"records {seq + 1} to {stored.seq - 1} are missing")
            _check(finding, stored, state_dir, given_up)
            seq, finding.last_hash = stored.seq, stored.hash
        if finding.records != rescue.told.get("rows"):
            finding.note(seq, f"{rescue.told.get('rows')} records were saved")
    except (sqlite3.Error, ValueError, TypeError) as error:
        finding.note(finding.records + 1, f"cannot be read: {error}")
    return rescue


def _walk(archive: Saved, seq: int) -> Iterator[tuple[Stored, bool]]:
    for page in pages_of(archive.stored, seq):
        given_up = archive.given_up(page[0].seq, page[-1].seq)
        for stored in page:
            yield stored, stored.seq in given_up


def _check(finding: Finding, stored: Stored, state_dir: Path, given_up: bool) -> None:
    """A record, or the row that stands for a lost one: that has only its hash."""
    if stored.columns.schema == LOST and stored.body == b"":
        return
    finding.records += 1
    before = finding.last_hash
    if not isinstance(stored.body, bytes) or (before and link(before, stored.body) != stored.hash):
        finding.note(stored.seq, "the hash does not fit the body and the record before")
    check_body(finding, stored, state_dir, given_up)
