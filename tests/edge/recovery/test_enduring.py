"""A journal goes on in a new file, and remembers."""

from __future__ import annotations

import errno
import json
import os
import sqlite3
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from edge.recovery import aside
from edge.recovery.history import History
from edge.store import symptoms
from edge.store.archive import Archive
from edge.store.errors import AlreadyApplied, AlreadyDecided, Unwritable
from edge.store.symptoms import Symptom, identity
from edge.store.tidying import Tidying
from edge.store.verify import verify
from tests.edge.store import damaged
from tests.edge.store.builders import alarm, disposition, due, inspection, sure


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "line.db"


def _later(times: damaged.Times) -> None:
    """The file is looked at again."""
    times.now_ns += 2 * 10**9


def test_the_batch_in_hand_is_the_first_of_the_new_epoch(path: Path) -> None:
    times = damaged.Times()
    journal = damaged.begin(path, times)
    asked = inspection(1, "escalate", asked=True, part="P-1")
    journal.append([*sure(20), asked], deadlines=due(asked))
    journal.append([], state={"automation.degree": "partial", "watch": "w"}, request_id="r-1")
    journal.tidy(Tidying(journal.head[0], state={"odometer": "7"}))
    epoch, before, _ = journal.head
    damaged.scramble(path)
    _later(times)
    more = sure(2)
    committed = journal.append(more)
    assert journal.head[0] != epoch
    assert [done.seq for done in committed] == [1, 2, 3, 4]
    assert [done.record for done in committed] == more
    assert journal.state("automation.degree") == "partial"
    assert (journal.state("watch"), journal.state("odometer")) == ("w", "7")
    assert journal.seen("r-1")
    (case,) = aside.cases(path.parent)
    assert (case.stream, case.database) == ("line", "line.db")
    assert case.head is not None
    assert case.head[:2] == (epoch, before)
    with Archive(path) as archive:
        assert verify(archive, path.parent).sound
    journal.close()


def test_a_part_of_the_old_epoch_gets_its_one_disposition_in_the_new_one(path: Path) -> None:
    times = damaged.Times()
    journal = damaged.begin(path, times)
    asked, done = (inspection(n, "escalate", asked=True) for n in (1, 2))
    journal.append([asked, done], deadlines=due(asked) | due(done))
    journal.append([disposition(done, "person", "accept")])
    damaged.scramble(path)
    _later(times)
    journal.append(sure(1))
    assert [one.inspection for one in journal.open_escalations()] == [asked.id]
    with History(path) as history:
        (found,) = history.find(asked.id)
        assert json.loads(found.body)["id"] == asked.id
        story = history.story(asked.id)
        assert story is not None
        assert story.open is not None
    journal.append([disposition(asked, "fallback", "hold")])
    assert journal.open_escalations() == []
    with pytest.raises(AlreadyDecided):
        journal.append([disposition(asked, "person", "accept")])
    with pytest.raises(Unwritable, match="unknown inspection"):
        journal.append([disposition(done, "fallback", "hold")])
    journal.close()


def test_a_second_damage_carries_on_what_the_first_carried(path: Path) -> None:
    times = damaged.Times()
    journal = damaged.begin(path, times)
    asked = inspection(1, "escalate", asked=True)
    journal.append([asked], deadlines=due(asked), state={"automation.degree": "assist"})
    for _ in range(3):
        damaged.scramble(path)
        _later(times)
        journal.append(sure(1))
    assert len(aside.cases(path.parent)) == 3
    assert journal.state("automation.degree") == "assist"
    with History(path) as history:
        assert len(history.find(asked.id)) == 1
    journal.append([disposition(asked, "person", "reject")])
    journal.close()


def test_a_request_is_not_applied_again_in_the_new_epoch(path: Path) -> None:
    times = damaged.Times()
    journal = damaged.begin(path, times)
    journal.append([alarm(1)], request_id="r-1")
    damaged.scramble(path)
    _later(times)
    journal.append(sure(1))
    with pytest.raises(AlreadyApplied):
        journal.append([alarm(2)], request_id="r-1")
    journal.close()


@pytest.mark.parametrize("side", ["", "-wal"])
def test_what_sqlite_says_while_writing_is_enough(path: Path, side: str) -> None:
    """The clock stands still: the file is not looked at, it is written to."""
    damaged.fill(path)
    journal = damaged.begin(path)
    journal.append(sure(1))
    journal._database.execute("PRAGMA cache_size = 0")
    journal._database.execute("PRAGMA shrink_memory")
    journal._glance_ns = 1 << 62
    if not side:
        journal.checkpoint()
        damaged.overwrite(path, 4096, b"\xff" * (os.path.getsize(path) - 4096))
    else:
        damaged.scramble(path)
    journal.append(sure(3))
    assert len(aside.cases(path.parent)) == 1
    assert journal.head[1] == 6
    journal.close()


def test_a_file_that_was_taken_away_is_missed_before_the_next_record(path: Path) -> None:
    journal = damaged.begin(path)
    journal.append(sure(3), state={"automation.degree": "shadow"})
    path.unlink()
    journal.append(sure(1))
    journal.close()
    assert len(damaged.rows(path)) == 2
    journal = damaged.begin(path)
    assert journal.state("automation.degree") == "shadow"
    journal.close()


def test_a_reader_s_word_counts_for_the_file_that_it_read(path: Path) -> None:
    journal = damaged.begin(path)
    journal.append(sure(3))
    old = identity(path)
    journal.suspect(Symptom((0, 0), "another file"))
    journal.append(sure(1))
    assert aside.cases(path.parent) == []
    for _ in range(2):
        journal.suspect(Symptom(old, "a reader cannot read it"))
        journal.append(sure(1))
    assert [case.why for case in aside.cases(path.parent)] == ["a reader cannot read it"]
    journal.close()


def test_a_full_disk_sets_nothing_aside(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = damaged.begin(path)
    journal.append(sure(1))
    (pages,) = journal._database.execute("PRAGMA page_count").fetchone()
    journal.bound(pages, 1000)
    with pytest.raises(sqlite3.OperationalError, match="full"):
        journal.append([replace(one, tags={"x": "y" * 90_000}) for one in [inspection(1)]])
    journal.close()
    assert aside.cases(path.parent) == []


def test_a_file_that_cannot_be_looked_at_is_tried_again(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = damaged.begin(path)
    journal.append(sure(1))

    def refused(*_: object, **__: object) -> os.stat_result:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(symptoms, "os", SimpleNamespace(stat=refused))
        with pytest.raises(sqlite3.OperationalError, match="Input/output error"):
            journal.append(sure(1))
    journal.append(sure(1))
    journal.close()
    assert aside.cases(path.parent) == []


def test_the_bound_of_the_file_holds_for_the_next_one(path: Path) -> None:
    times = damaged.Times()
    journal = damaged.begin(path, times)
    journal.bound(1234, 1000)
    journal.append(sure(1))
    damaged.scramble(path)
    _later(times)
    journal.append(sure(1))
    assert journal._database.execute("PRAGMA max_page_count").fetchone() == (1234,)
    journal.close()


@pytest.mark.parametrize("step", range(13))
def test_a_disk_that_refuses_in_the_middle_is_tried_again(
    path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    """The first calls that change names or write files fail, one after the other."""
    times = damaged.Times()
    journal = damaged.begin(path, times)
    journal.append(sure(5), state={"automation.degree": "partial"})
    damaged.scramble(path)
    _later(times)
    left = [step]

    def refuse(works):
        def call(*given, **more):
            if left[0] == 0:
                raise OSError(28, "No space left on device")
            left[0] -= 1
            return works(*given, **more)

        return call

    for module, name in ((aside, "write_atomically"), (aside, "sync_folder"), (os, "rename")):
        monkeypatch.setattr(module, name, refuse(getattr(module, name)))
    records, tries = sure(2), 0
    while True:
        try:
            journal.append(records)
            break
        except sqlite3.Error:
            tries += 1
            assert tries < 3
            left[0] = 100
    assert tries == 1
    assert journal.state("automation.degree") == "partial"
    assert journal.head[1] == 4
    assert len(aside.cases(path.parent)) == 1
    journal.close()
    assert len(damaged.rows(path)) == 4


def test_bytes_that_cannot_be_read_are_asked_for_three_times(path: Path) -> None:
    journal = damaged.begin(path)
    journal.append(sure(1))

    def unreadable() -> None:
        if journal.head[0] == epoch:
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode = 266  # type: ignore[attr-defined]
            raise error

    epoch = journal.head[0]
    for _ in range(2):
        with pytest.raises(sqlite3.OperationalError):
            journal._surely(unreadable)
    journal._surely(unreadable)
    assert [case.why for case in aside.cases(path.parent)] == ["disk I/O error"]
    journal.close()


def test_a_flipped_bit_in_what_a_person_has_set_never_gives_more_automation(path: Path) -> None:
    damaged.fill(path)
    whole, wrong = path.read_bytes(), 0
    at = whole.index(b"automation.degreepartial")
    for offset in range(at, at + 24):
        data = bytearray(whole)
        data[offset] ^= 1 << offset % 7
        path.write_bytes(data)
        journal = damaged.begin(path)
        assert journal.state("automation.degree") == "human_only"
        journal.close()
        wrong += 1
    assert wrong == 24
    assert len(aside.cases(path.parent)) == 24


def test_at_the_end_a_damaged_file_is_set_aside_too(path: Path) -> None:
    journal = damaged.begin(path)
    journal.append(sure(30))
    damaged.scramble(path)
    journal.close()
    assert len(aside.cases(path.parent)) == 1
    with Archive(path) as archive:
        assert verify(archive, path.parent).sound
