"""Is everything that was recorded still as it was written?"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from edge.store.archive import Archive
from edge.store.rows import INSPECTION, Anchor, Kept, Stored, columns
from sync.chain import GENESIS, link

PAGE_ROWS = 1000
HASH_LENGTH = 64
NO_ANCHOR = Anchor(0, GENESIS)
PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Damage:
    """One thing that is not as it was recorded. `seq` is the record that shows it."""

    seq: int
    what: str


@dataclass(slots=True)
class Finding:
    """What a verification saw. `broken` is the first break of the chain, in order of seq.

    Behind a break the hashes prove nothing, so only bodies that contradict themselves and
    pictures are looked at there. `pictures` are missing or changed files; those that were removed
    on purpose are `given_up`. `kept` are records that outlived the prefix before the anchor.
    """

    epoch: str | None = None
    anchor: Anchor = NO_ANCHOR
    records: int = 0
    kept: int = 0
    checked_pictures: int = 0
    given_up: int = 0
    last_hash: str = ""
    broken: Damage | None = None
    pictures: list[Damage] = field(default_factory=list)

    def note(self, seq: int, what: str) -> None:
        """Remember a break, unless there was one before it."""
        self.broken = self.broken or Damage(seq, what)

    @property
    def sound(self) -> bool:
        """Whether nothing at all was found."""
        return self.broken is None and not self.pictures


def verify(
    archive: Archive, state_dir: Path, progress: Callable[[int, int], None] | None = None
) -> Finding:
    """Check the chain from the anchor to the newest record, and every picture that a record names.

    `progress` is told the records done and the records there are, now and then. Reads in short
    pieces, so that a running line is not held up. Raises nothing for damage: a page that SQLite
    cannot read is a break too.
    """
    finding = Finding()
    seq = 0
    try:
        finding.epoch = archive.epoch
        _check_kept(finding, archive, state_dir)
        seq, finding.last_hash = finding.anchor.seq, finding.anchor.hash
        newest, known = archive.written()
        begin = seq
        for page in pages_of(archive.stored, seq):
            seq = _after_deletion(finding, archive, seq, page[0].seq)
            _check_page(finding, archive, state_dir, seq, page)
            before, seq = finding.records, page[-1].seq
            finding.records += len(page)
            told = finding.records // PAGE_ROWS > before // PAGE_ROWS or seq >= newest
            if progress is not None and told:
                progress(seq - begin, max(newest, seq) - begin)
        if known != newest:
            finding.note(newest, f"the counters know of {known} records")
    except sqlite3.DatabaseError as error:
        finding.note(seq + 1, f"cannot be read: {error}")
    return finding


def _check_page(
    finding: Finding, archive: Archive, state_dir: Path, seq: int, page: list[Stored]
) -> None:
    """The records behind `seq`, and their pictures."""
    given_up = archive.given_up(page[0].seq, page[-1].seq)
    damaged = len(finding.pictures)
    for stored in page:
        _check(finding, stored, seq + 1)
        check_body(finding, stored, state_dir, stored.seq in given_up)
        finding.last_hash = stored.hash
        seq = stored.seq
    _forgive(finding, damaged, archive, page[0].seq, page[-1].seq)


def _after_deletion(finding: Finding, archive: Archive, seq: int, first: int) -> int:
    """Where the chain goes on: behind a new anchor, where the line has deleted meanwhile."""
    if first == seq + 1:
        return seq
    anchor = archive.anchor
    if anchor.seq <= seq or anchor.seq + 1 != first:
        return seq
    finding.anchor, finding.last_hash = anchor, anchor.hash
    return anchor.seq


def _forgive(finding: Finding, since: int, archive: Archive, first: int, last: int) -> None:
    """Pictures that the line has given up while they were looked for are not damaged."""
    if len(finding.pictures) == since:
        return
    given_up = archive.given_up(first, last)
    deleted = archive.anchor.seq
    new = finding.pictures[since:]
    left = [one for one in new if one.seq not in given_up and one.seq > deleted]
    finding.pictures[since:] = left
    finding.given_up += len(new) - len(left)
    finding.checked_pictures -= len(new) - len(left)


def pages_of(read: Callable[[int, int], list[Stored]], seq: int) -> Iterator[list[Stored]]:
    """All records behind `seq`, page by page."""
    while page := read(seq, PAGE_ROWS):
        yield page
        seq = page[-1].seq


def _check_kept(finding: Finding, archive: Archive, state_dir: Path) -> None:
    """Records before the anchor, and that none of them is missing. Again from the beginning where
    the line has deleted more meanwhile."""
    while True:
        anchor, trial = archive.anchor, Finding(finding.epoch)
        last = _check_outlived(trial, archive, state_dir)
        if archive.anchor == anchor:
            break
    if anchor.count + trial.kept != anchor.seq or last > anchor.seq:
        trial.note(anchor.seq, f"{trial.kept} records are kept from before the anchor")
    finding.anchor, finding.kept, finding.broken = anchor, trial.kept, trial.broken
    finding.pictures, finding.given_up = trial.pictures, trial.given_up
    finding.checked_pictures = trial.checked_pictures


def _check_outlived(finding: Finding, archive: Archive, state_dir: Path) -> int:
    """Each by itself: those between them are gone. The number of the last."""
    seq = 0
    while page := archive.outlived(seq, PAGE_ROWS):
        first, last = page[0].stored.seq, page[-1].stored.seq
        given_up, damaged = archive.given_up(first, last), len(finding.pictures)
        for kept in page:
            _check_link(finding, kept)
            check_body(finding, kept.stored, state_dir, kept.stored.seq in given_up)
            finding.kept += 1
        gone = archive.given_up(first, last) - given_up
        finding.pictures[damaged:] = [
            one for one in finding.pictures[damaged:] if one.seq not in gone
        ]
        seq = last
    return seq


def _check_link(finding: Finding, kept: Kept) -> None:
    stored = kept.stored
    sound = isinstance(stored.body, bytes) and len(kept.previous) == HASH_LENGTH
    if not sound or link(kept.previous, stored.body) != stored.hash:
        finding.note(stored.seq, "the hash does not fit the body and the hash before")


def _check(finding: Finding, stored: Stored, expected: int) -> None:
    if stored.seq != expected:
        finding.note(expected, f"records {expected} to {stored.seq - 1} are missing")
    elif not isinstance(stored.body, bytes) or len(stored.hash) != HASH_LENGTH:
        finding.note(stored.seq, "body or hash have the wrong type or length")
    elif link(finding.last_hash, stored.body) != stored.hash:
        finding.note(stored.seq, "the hash does not fit the body and the record before")


def check_body(finding: Finding, stored: Stored, state_dir: Path, given_up: bool) -> None:
    """Check what a body says of itself, and its picture, unless that was `given_up`."""
    try:
        content = json.loads(stored.body)
        _check_content(finding, stored, content)
        picture = content["image"] if stored.columns.schema == INSPECTION else None
        if picture is not None and given_up:
            finding.given_up += 1
        elif picture is not None:
            _check_picture(finding, stored.seq, state_dir, picture["path"], picture["sha256"])
    except (ValueError, KeyError, TypeError, AttributeError):
        finding.note(stored.seq, "the body is not a record")


def _check_content(finding: Finding, stored: Stored, content: Mapping[str, object]) -> None:
    if (content["seq"], content["epoch"]) != (stored.seq, finding.epoch):
        finding.note(stored.seq, "the body belongs to another place or epoch")
    if columns(content) != stored.columns:
        finding.note(stored.seq, "a look-up column differs from the body")


def _check_picture(finding: Finding, seq: int, state_dir: Path, path: str, sha256: str) -> None:
    finding.checked_pictures += 1
    what = _picture_fault(state_dir, path, sha256)
    if what is not None:
        finding.pictures.append(Damage(seq, what))


def _picture_fault(state_dir: Path, path: str, sha256: str) -> str | None:
    file = state_dir / path
    if not path.startswith("images/") or ".." in Path(path).parts:
        return f"{path}: not a path of a picture"
    digest = hashlib.sha256()
    try:
        with file.open("rb") as stream:
            while piece := stream.read(PIECE):
                digest.update(piece)
    except FileNotFoundError:
        return f"{path}: missing"
    except OSError as error:
        return f"{path}: cannot be read: {error.strerror}"
    return None if digest.hexdigest() == sha256 else f"{path}: changed"
