"""Verification of a running line: what it deletes meanwhile is not taken for damage."""

from dataclasses import replace
from pathlib import Path

import pytest

from edge.decision.challenge import ChallengeRecord
from edge.records import ImageRef, Moment
from edge.store.archive import Archive
from edge.store.journal import Journal
from edge.store.pruning import Prune
from edge.store.verify import verify
from tests.edge.store.builders import NOON, ORIGIN, inspection, sure

DAY = "2026-11-20T12:00:00.000Z"


@pytest.fixture
def journal(tmp_path: Path):
    opened = Journal.open(tmp_path / "line.db", "boot-1", 0)
    yield opened
    opened.close()


def _free(through: int, **more) -> Prune:
    return Prune(through, DAY, waits=False, **more)


def test_the_line_may_delete_while_it_is_verified(journal: Journal) -> None:
    """Between any two pages the line gives up pictures, deletes, and keeps what outlives."""
    moment = Moment(NOON, 0)
    start = ChallengeRecord("c-1", ORIGIN, moment, "start", "c-1", "defect", 1, "j.doe")
    challenge = [replace(part, tags={"challenge": "c"}) for part in (inspection(1), inspection(2))]
    image = ImageRef("images/gone", "d", 9)
    pictured = [replace(inspection(n), image=image) for n in range(900)]
    journal.append([start, *challenge, *pictured, *sure(1500)])
    journal._database.execute("UPDATE pictures SET removed = 2 WHERE seq < 400")
    told: list[int] = []

    def meanwhile(done: int, total: int) -> None:
        told.append(done)
        journal._database.execute("UPDATE pictures SET removed = 2")
        if len(told) == 1:
            journal.prune(_free(1900, most=5000))

    class Busy(Archive):
        """Whoever asks what was given up is a moment too early."""

        def given_up(self, first: int, last: int) -> set[int]:
            found = super().given_up(first, last)
            journal._database.execute("UPDATE pictures SET removed = 1 WHERE removed = 0")
            return found

    with Busy(journal.path) as archive:
        finding = verify(archive, journal.path.parent, meanwhile)
    assert finding.broken is None
    assert finding.pictures == []
    assert finding.anchor.seq == 1900
    assert finding.given_up == 900
    assert finding.last_hash == journal.head[2]


def test_a_gap_that_no_anchor_explains_is_found_while_the_line_deletes(journal: Journal) -> None:
    journal.append(sure(1500))
    journal._database.execute("DELETE FROM records WHERE seq = 2000")

    def meanwhile(done: int, total: int) -> None:
        journal.prune(_free(1100, most=5000))

    with Archive(journal.path) as archive:
        finding = verify(archive, journal.path.parent, meanwhile)
    assert finding.broken is not None
    assert finding.broken.seq == 2000


def test_records_kept_while_the_kept_ones_are_looked_at_are_counted_once(journal: Journal) -> None:
    parts = [replace(inspection(n), tags={"challenge": "c"}) for n in range(6)]
    journal.append([*parts[:3], *sure(2), *parts[3:], *sure(2)])
    journal.prune(_free(4))

    class Busy(Archive):
        """The line goes on deleting while the first kept records are read."""

        def given_up(self, first: int, last: int) -> set[int]:
            journal.prune(_free(9))
            return super().given_up(first, last)

    with Busy(journal.path) as archive:
        finding = verify(archive, journal.path.parent)
    assert finding.sound
    assert (finding.anchor.seq, finding.kept) == (9, 5)
    assert finding.anchor.count == 4
