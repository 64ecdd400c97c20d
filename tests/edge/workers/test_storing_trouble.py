"""Retention when there is no room, when it is cut off, and what it then says."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from edge.recovery import aside
from edge.recovery.salvage import salvage
from edge.recovery.verify_saved import verify_saved
from edge.retention import survey as survey_module
from edge.retention.plan import Picture
from edge.retention.shelved import Shelved
from edge.retention.stock import Stock
from edge.retention.strays import WAIT_NS, strays_given_up
from edge.retention.survey import Survey
from edge.review.questions import OPEN_CHECKS
from edge.store import usage
from edge.store.journal import Journal
from edge.workers.errands import Errands
from sync.position import Held, PositionFile, Positions
from sync.window import Mark
from tests.edge.store.builders import NOON, alarm, sure
from tests.edge.workers.retaining import HOUR, KB, S, ids


def test_without_pictures_left_acknowledged_records_go_and_others_never(station) -> None:
    line = station(max_bytes=1_200 * KB, waits=True)
    line.tend(3)  # the ballast and the bound are there
    while line.refusal is None:
        try:
            line.journal.append(sure(10))
        except sqlite3.OperationalError as error:
            line.refusal = str(error)
        line.tend(3)
    assert "full" in line.refusal
    line.tend(3)
    assert "of 1.2 MB are used" in line.storing.trouble
    stuck = line.journal.head
    assert line.anchor() == 0
    line.acknowledge(100)
    line.settle()
    line.refusal = None
    assert 0 < line.anchor() <= 100
    line.journal.append(sure(10))
    line.settle()
    assert line.journal.head[1] == stuck[1] + 20
    assert line.verify().sound


def test_an_acknowledgement_of_other_records_deletes_nothing_and_is_said(station) -> None:
    line = station(waits=True, records_s=10.0)
    line.journal.append(sure(20))
    line.tend(20)
    assert line.anchor() == 0
    mark = Mark(line.journal.head[0], 30, "0" * 64)
    wrong = Positions({"line": Held("line", mark, "store-9")}, {}, {})
    PositionFile(line.folder / "sync.json").write(wrong)
    line.tend(20)
    assert line.anchor() == 0
    assert "store-9" in str(line.storing.trouble)
    line.acknowledge(30)
    line.tend(20)
    assert line.anchor() == 30
    assert line.storing.trouble is None


def test_at_the_hard_limit_a_person_can_still_be_asked_and_the_alarm_says_why(station) -> None:
    line = station(max_bytes=1_500 * KB)
    asked = line.parts(40, "escalate", asked=True)
    line.settle()
    assert line.there() == ids(asked)
    assert line.figures()["given_up_though_awaited"] == 0
    assert line.storing.trouble
    assert "nothing is left" in line.storing.trouble
    assert len(line.journal.open_escalations()) == 40
    assert line.verify().sound


def test_a_crash_between_marking_and_unlinking_leaves_no_file_and_no_damage(station) -> None:
    line = station(max_bytes=1_000 * KB)
    parts = line.parts(40)
    line.storing.step(line.clock.now_ns + 10 * S)
    line.errands.run(line.journal)  # marked, and then the power goes
    assert line.there() == ids(parts)
    marked = line.verify()
    assert marked.sound
    assert marked.given_up > 0
    line.storing.close()
    line.journal.close()
    line.journal = Journal.open(line.folder / "line.db", "boot-1", 0)
    line.errands = Errands()
    line.begin()
    line.settle()
    finding = line.verify()
    assert finding.sound
    assert len(line.there()) == 40 - finding.given_up
    rows = line.journal._database.execute("SELECT count(*) FROM pictures WHERE removed = 1")
    assert rows.fetchone() == (0,)


def test_a_file_that_is_gone_already_and_one_that_is_none_of_ours_cost_nothing(station) -> None:
    line = station(max_bytes=1_000 * KB)
    parts = line.parts(30)
    (line.folder / parts[0].image.path).unlink()
    (line.folder / "precious").write_bytes(b"x")
    line.journal._database.execute("UPDATE pictures SET path = 'images/../precious' WHERE seq = 2")
    line.settle()
    assert (line.folder / "precious").exists()
    assert line.figures()["used_bytes"] <= 1_000 * KB


def test_empty_folders_go_but_not_the_one_in_use(station) -> None:
    line = station(pictures_s=3600.0)
    line.parts(2)
    line.tend(5)
    line.clock.at += 86_400
    line.tend(3, HOUR)
    line.settle()
    assert len(list((line.folder / "images").iterdir())) == 1, "the newest picture's"
    line.parts(1)
    line.tend(3)
    line.tend(3, HOUR)
    line.settle()
    assert len(list((line.folder / "images").iterdir())) <= 2


def test_pictures_of_a_database_that_was_set_aside_are_found_and_go_in_their_turn(station) -> None:
    line = station(max_bytes=3_000 * KB)
    old = line.parts(20, "reject")
    line.settle()
    line.journal.close()
    for name in ("line.db", "line.db-wal", "line.db-shm"):
        (line.folder / name).unlink(missing_ok=True)
    line.journal = Journal.open(line.folder / "line.db", "boot-1", 0)
    new = line.parts(10, "reject")
    line.settle()
    assert line.figures()["pictures"] == 10
    line.tend(3, WAIT_NS)
    line.settle()
    assert line.figures()["pictures"] == 30
    more = line.parts(60, "reject")
    line.settle()
    left = line.there()
    assert not left & ids(old), "older than everything"
    assert left >= ids(more[-20:])
    assert line.verify().sound
    assert ids(new)


def test_the_database_may_not_grow_beyond_what_is_allowed(station) -> None:
    line = station(max_bytes=2_000 * KB)
    line.tend(3)
    pages = line.journal._database.execute("PRAGMA max_page_count").fetchone()[0]
    assert pages * 4096 < 2_000 * KB


def test_a_full_disk_throws_off_the_ballast_and_keeps_the_last_room_for_records(
    station, monkeypatch
) -> None:
    line = station()
    parts = line.parts(50)
    line.tend(5)
    assert line.figures()["ballast"]
    free = [0]

    def disk(folder: Path) -> usage.Disk:
        there = sum(1 for _ in line.there())
        return usage.Disk(32 << 20, free[0] + (50 - there) * 40960)

    monkeypatch.setattr(usage, "disk", disk)
    line.tend(1)
    assert not line.figures()["ballast"]
    with pytest.raises(OSError, match="for records"):
        line.images.keep("one-more", NOON, b"x")
    line.settle()
    assert line.there() < ids(parts)
    free[0] = 1 << 30
    line.tend(3)
    assert line.figures()["ballast"]
    line.images.keep("one-more", NOON, b"x")


def test_records_that_the_instruments_have_not_read_stay(station) -> None:
    line = station(records_s=10.0)
    epoch = line.journal.head[0]
    kept = json.dumps({"places": {"line": [epoch, 5], "queue": [None, 0]}})
    line.journal.append(sure(5), state={"watch": kept})
    line.tend(20)
    assert line.anchor() == 5


def test_the_forecast_and_how_far_back_it_reaches(station) -> None:
    line = station(max_bytes=100_000 * KB, waits=True)
    line.tend(2)
    for _ in range(24):
        line.parts(10)
        line.tend(1, HOUR)
    line.tend(3)
    figures = line.figures()
    a_day = 240 * 40960 + 240 * 1500
    assert figures["days_left"] == pytest.approx(85_000 * KB / a_day, rel=0.1)
    assert figures["outage_days"] > figures["days_left"]
    assert figures["pictures_reach_days"] == pytest.approx(1.0, abs=0.1)
    assert figures["records_reach_days"] == pytest.approx(1.0, abs=0.1)
    assert figures["unacknowledged"] == 240
    assert "days left at today's rate; without acknowledgement, records for" in figures["words"]


def test_records_that_nobody_acknowledges_alarm_days_before_the_line_is_touched(station) -> None:
    line = station(max_bytes=9_000 * KB, waits=True)
    line.tend(2)
    for _ in range(24):
        line.journal.append(sure(60))
        line.tend(1, HOUR)
    line.tend(5)
    assert "records are not acknowledged; there is room for" in str(line.storing.trouble)
    line.journal.append([alarm(1)])
    line.acknowledge(line.journal.head[1])
    line.tend(5)
    assert line.storing.trouble is None


def test_a_database_that_cannot_be_read_is_said_and_not_raised(station) -> None:
    line = station()
    line.tend(2)
    line.journal.close()
    (line.folder / "line.db").write_bytes(b"no database" * 1000)
    line.storing.step(line.clock.now_ns + 10 * S)
    assert "not a database" in str(line.storing.trouble)


def test_other_things_in_the_folder_count(station, monkeypatch) -> None:
    line = station(max_bytes=3_000 * KB)
    line.parts(40)
    line.settle()
    assert len(line.there()) == 40
    for folder in ("salvage", "damaged"):  # what was saved must not push out what is new
        (line.folder / folder).mkdir()
        (line.folder / folder / "old.db").write_bytes(b"x" * 1_500 * KB)
    line.tend(2, survey_module.OTHERS_NS)
    line.settle()
    assert len(line.there()) == 40
    (line.folder / "somebody").write_bytes(b"x" * 1_500 * KB)
    line.tend(2, survey_module.OTHERS_NS)
    line.settle()
    assert len(line.there()) < 40


def test_a_saved_record_whose_picture_was_given_up_later_is_not_damaged(station) -> None:
    line = station(max_bytes=3_000 * KB)
    line.parts(20)
    line.settle()
    line.journal.close()
    aside.set_aside(line.folder / "line.db", "line", "a bit", "2026-11-20", aside.Known())
    line.journal = Journal.open(line.folder / "line.db", "boot-1", 0)
    salvage(aside.cases(line.folder)[0], line.folder)
    line.settle()
    line.tend(3, WAIT_NS)
    line.settle()
    line.parts(70, "reject")
    line.settle()
    (rescue,) = verify_saved(line.folder)
    assert rescue.complete
    assert rescue.finding.given_up > 5
    left = next((line.folder / "images").rglob("*.jpg"))
    names = {Path(one).stem for one in strays_given_up(line.folder / "line.db")}
    assert left.stem not in names


def test_a_refused_record_has_the_log_moved_into_the_file(station) -> None:
    line = station()
    line.parts(20)
    log = line.folder / "line.db-wal"
    line.tend(2)
    assert log.stat().st_size > 0
    line.refusal = "database or disk is full"
    line.tend(3)
    assert log.stat().st_size == 0


def test_a_picture_too_new_to_be_counted_is_not_taken_off(tmp_path: Path) -> None:
    stock = Stock(tmp_path / "line.db", "checks", "watch")
    one = Survey(tmp_path, stock, 10**9)
    one.changed([Shelved(Picture(7, 0, 4096), "images/x")])
    assert (one.pictures, one.bytes) == (0, 0)


def test_a_spot_check_that_nobody_answers_does_not_keep_everything_for_ever(station) -> None:
    line = station(max_bytes=1_500 * KB)
    checked = line.parts(40, "accept", asked=True)
    line.journal.append([], state={OPEN_CHECKS: json.dumps([one.id for one in checked])})
    line.settle()
    assert line.there() < ids(checked)
    assert line.figures()["given_up_though_awaited"] > 0
    assert line.verify().sound
